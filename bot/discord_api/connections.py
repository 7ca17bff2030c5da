"""The connections to Discord, on which nothing of a request arrives any more once the bot has given it up.

A request that gets no answer, for the network drops it, is broken off and another one sent. The system would go on to
send the first one's bytes, after the connection was closed too, and once the network is back an edit of minutes ago
would take the place of what was shown since.
"""

from __future__ import annotations

import socket
import struct

import aiohttp
from aiohttp.connector import AddrInfoType

_AT_ONCE = struct.pack("ii", 1, 0)
"""Closing throws away what was not delivered yet, and resets the connection."""


def discord_connector() -> aiohttp.TCPConnector:
    """Only while an event loop runs. discord.py limits its requests itself."""
    return aiohttp.TCPConnector(limit=0, socket_factory=_socket)


def _socket(address: AddrInfoType) -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    return made
