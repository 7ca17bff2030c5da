"""The child process that opens one stranger's picture and can do nothing else.

It imports nothing else of the bot, so that it starts fast, and everything that it will ever import before it sees a
single byte of the picture, so that by then it can be denied files, sockets and processes.
"""
