"""The process that decoders are forked from: a fresh one for each picture, with all that it will ever import.

Standard input: a socket. Each message on it is a decoder's arguments as JSON, and comes with another socket, which
that decoder has as its standard input and output. The reply is the decoder's exit status, once it has ended. So
this process, which has one thread, never sees a byte of a picture, and no decoder sees more than one.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys

from bot.decoder.__main__ import main
from bot.decoder.sandbox import die_with_parent

_LONGEST = 4096  # bytes of a message


def serve() -> None:
    """Fork a decoder for each message, one at a time, until the other end of the socket is closed."""
    die_with_parent()
    control = socket.socket(fileno=0)
    while True:
        message, streams, _, _ = socket.recv_fds(control, _LONGEST, 1)
        if not message:
            return
        (stream,) = streams
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.dup2(stream, 0)  # in the place of the socket that was there
                os.dup2(stream, 1)
                os.close(stream)
                sys.argv[1:] = json.loads(message)
                main()
                status = 0
            finally:
                os._exit(status)
        os.close(stream)
        _, status = os.waitpid(child, 0)
        control.sendall(struct.pack("=i", os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    serve()
