"""Bot, Redis, S3 and two workers, each a machine of its own in a network, of which one after the other is cut off.

The machines are network namespaces of Linux. `make machines` runs all of it, `test_machines.py` its first part.
"""
