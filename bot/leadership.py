"""One bot per token: two processes with the same token would both get every interaction, and both would answer."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import socket

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

_LEASE = 9.0  # s
_BEAT = 2.0  # s
# Extend the lease of the holder alone, and release it by the holder alone.
_EXTEND = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

_log = structlog.get_logger(__name__)


class Leadership:
    """A lease in Redis, named after the token (its hash)."""

    def __init__(self, redis: ArqRedis, token: str) -> None:
        self._redis = redis
        self._key = f"impasto:leader:{hashlib.sha256(token.encode()).hexdigest()[:16]}"
        self._me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._extend, self._release = redis.register_script(_EXTEND), redis.register_script(_RELEASE)

    async def gain(self) -> None:
        """Wait until this process leads."""
        waited = False
        while not await self._redis.set(self._key, self._me, nx=True, px=int(_LEASE * 1000)):
            if not waited:
                _log.info("another process has this token: standing by")
            waited = True
            await asyncio.sleep(_BEAT)
        _log.info("leading")

    async def keep(self) -> None:
        """Extend the lease for ever; returns when another process has taken it over.

        An outage of Redis is outlasted: without Redis nobody else can take over either.
        """
        while True:
            await asyncio.sleep(_BEAT)
            try:
                held = await self._extend(keys=[self._key], args=[self._me, int(_LEASE * 1000)])
                if not held and not await self._redis.set(self._key, self._me, nx=True, px=int(_LEASE * 1000)):
                    _log.error("another process has taken over")
                    return
            except RedisError as error:
                _log.warning("the lease could not be extended", reason=str(error))

    async def release(self) -> None:
        """Let the next one lead at once."""
        await self._release(keys=[self._key], args=[self._me])
