"""One bot per token: two processes with the same token would both get every interaction, and both would answer."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from bot.lifecycle.process_identity import has_ended, process_identity

LEASE = 9.0
"""Seconds for which nobody else leads once this process has said that it does.

Longer than a beat and a blocking read of the stream: what Redis gives to a leader that stands still must be given
before another one looks at what was given and not dealt with.
"""
_BEAT = 2.0  # s
_REQUEST_TIMEOUT = 1.0  # s that a process which is not sure waits for Redis
_ASK_AGAIN = 1.0  # s after which a Redis that did not answer is asked again, or the waits for it would add up
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps, where there is one
# Take or extend the lease, and say who has it instead. KEYS: lease, last. ARGV: me, milliseconds, and either somebody
# who is dead for sure, or `again` to go on leading, which needs that nobody else has led meanwhile.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then
    return holder
end
if ARGV[3] == 'again' and not holder then
    local last = redis.call('GET', KEYS[2])
    if last and last ~= ARGV[1] then
        return last
    end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
return ''
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

_log = structlog.get_logger(__name__)


class Deposed(ConnectionError):
    """Another process leads now; this one must do nothing more."""


class Leadership:
    """A lease in Redis, named after the token (its hash)."""

    def __init__(self, redis: ArqRedis, token: str) -> None:
        self._redis = redis
        key = f"impasto:leader:{hashlib.sha256(token.encode()).hexdigest()[:16]}"
        self._keys = [key, f"{key}:last"]
        self._me = f"{secrets.token_hex(4)}@{process_identity()}"
        self._take, self._release = redis.register_script(_TAKE), redis.register_script(_RELEASE)
        self._sure_until = self._silent_until = float("-inf")

    async def gain(self) -> None:
        """Wait until this process leads: at once where the one that led has ended, even if it was killed."""
        dead = ""
        waited = False
        while holder := await self._ask(dead):
            if has_ended(holder.partition("@")[2]) and holder != dead:
                dead = holder
                continue
            if not waited:
                _log.info("another process has this token: standing by")
            waited = True
            await asyncio.sleep(_BEAT)
        _log.info("leading")

    async def keep(self) -> None:
        """Extend the lease for ever; returns when another process leads, or has led meanwhile.

        An outage of Redis is outlasted: without Redis nobody else can take over either.
        """
        while True:
            await asyncio.sleep(_BEAT)
            try:
                if await self._ask("again"):
                    _log.error("another process has taken over")
                    return
            except RedisError as error:
                _log.warning("the lease could not be extended", reason=str(error))

    async def confirm(self) -> None:
        """Before anything that only the leader may do: raises `Deposed` where this process has lost its lease.

        It may have been stopped for a while, in the middle of anything. Costs nothing as long as the lease holds.
        """
        if _now() < self._silent_until:
            return
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT):
                await self.make_sure()
        except (RedisError, TimeoutError):
            self._silent_until = _now() + _ASK_AGAIN  # without Redis nobody else can take over either

    async def make_sure(self) -> None:
        """Raise `Deposed` where this process leads no longer; waits for Redis to say so, or raises a `RedisError`."""
        if _now() >= self._sure_until and await self._ask("again"):
            raise Deposed("another process has taken over")

    async def release(self) -> None:
        """Let the next one lead at once."""
        self._sure_until = float("-inf")
        await self._release(keys=self._keys[:1], args=[self._me])

    async def _ask(self, third: str) -> str:
        """Who leads instead of this process; empty when it does itself."""
        began = _now()
        holder: bytes = await self._take(keys=self._keys, args=[self._me, int(LEASE * 1000), third])
        if not holder:
            self._sure_until = began + LEASE
        return holder.decode()


def _now() -> float:
    return time.clock_gettime(_CLOCK)
