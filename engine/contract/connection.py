"""The connection to Redis: one pool with time-outs and retries, and arq's client on top of it.

arq sets no socket time-out, so that a silent Redis would hang it for ever, and gives up at the first lost connection;
hence a pool of our own. Jobs are JSON: whoever can write to Redis must not be able to run code.

With a time-out, redis-py sends by `asyncio.wait_for`, which in Python 3.11 loses a cancellation that comes just when
the command is sent: a task that was told to end would go on for ever. So connections look for themselves.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from arq.connections import ArqRedis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError

from engine.contract.settings import SettingsError

QUEUE = "impasto:slices"
"""The zset that wakes workers."""
SOCKET_TIMEOUT = 10.0  # s
BLOCK = 5000
"""Milliseconds that a blocking read may wait; well below the socket time-out."""
_LOST = (ConnectionError, TimeoutError, BusyLoadingError, OSError)


def dump(value: Any) -> bytes:
    """JSON in place of arq's pickle."""
    return json.dumps(value, separators=(",", ":")).encode()


def load(value: bytes) -> Any:
    """The other way."""
    return json.loads(value)


def connect(url: str, retries: int = 10) -> ArqRedis:
    """A client for `redis://`, `rediss://` or `unix://`; it connects at its first command.

    `retries` of up to a second each outlast a restart of Redis; -1 never gives up. Raises `SettingsError`
    when the URL is none.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=32,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            health_check_interval=15,
            retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
            retry_on_error=list(_LOST),
        )
    except ValueError as error:
        # Without the parser's words: where it stumbles over a password, it tells it.
        raise SettingsError(
            "The setting REDIS_URL is not usable: give it as redis://, rediss:// or unix://, a port in digits, "
            "and odd letters of a password percent-encoded."
        ) from error
    pool.connection_class = type("Connection", (_Cancellable, pool.connection_class), {})
    return ArqRedis(pool, job_serializer=dump, job_deserializer=load, default_queue_name=QUEUE)


class _Cancellable:
    """Put before one of redis-py's connections."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(command, check_health)  # type: ignore[misc]
        if task is not None and task.cancelling() > before:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]  # nobody will read the reply
            raise asyncio.CancelledError
