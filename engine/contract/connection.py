"""The connection to Redis: one pool with time-outs and retries, and arq's client on top of it.

arq sets no socket time-out, so that a silent Redis would hang it for ever, and gives up at the first lost connection;
hence a pool of our own. Jobs are JSON: whoever can write to Redis must not be able to run code.

With a time-out, redis-py sends by `asyncio.wait_for`, which in Python 3.11 loses a cancellation that comes just when
the command is sent: a task that was told to end would go on for ever. So connections look for themselves.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit

import structlog
from arq.connections import ArqRedis
from pydantic import BaseModel
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, ResponseError, TimeoutError

from engine.contract.settings import SettingsError

QUEUE = "impasto:slices"
"""The zset that wakes workers."""
FRONT = 86_400_000
"""The score of a slice with tag 0, in milliseconds since 1970: a day, for a score of zero is none at all to arq."""
SOCKET_TIMEOUT = 10.0  # s
BLOCK = 5000
"""Milliseconds that a blocking read may wait; well below the socket time-out."""
MOST = 2**20
"""Bytes of JSON that anything of ours may have; what is longer is not even parsed."""
_SOON, _REMINDER = 3.0, 30.0  # s that Redis may be away before that is said, and before it is said again
_LOST = (ConnectionError, TimeoutError, BusyLoadingError, OSError)

_log = structlog.get_logger(__name__)


def dump(value: Any) -> bytes:
    """JSON in place of arq's pickle."""
    return json.dumps(value, separators=(",", ":")).encode()


def load(value: bytes) -> Any:
    """What arq reads from JSON that `dump` wrote; what arq would stumble over is refused. Raises `ValueError`."""
    return _Payload.model_validate_json(within(value)).model_dump()


def within(value: bytes) -> bytes:
    """The bytes, where they may be parsed. Raises `ValueError` for more than `MOST`."""
    if len(value) > MOST:
        raise ValueError(f"it has {len(value):,} bytes, and nothing of ours has more than {MOST:,}")
    return value


class _Payload(BaseModel):
    """An arq job: try, function, arguments, named arguments, and when it was queued, in ms of Unix time."""

    t: int | None
    f: str
    a: list[Any]
    k: dict[str, Any]
    et: int


async def readable(pipe: Any) -> list[Any]:
    """The pipeline's answers; None, with a line in the log, where something of another kind lies under a key.

    What one key holds must not keep all others from being read.
    """
    found = await pipe.execute(raise_on_error=False)
    for number, answer in enumerate(found):
        if isinstance(answer, ResponseError) and is_wrong_kind(answer):
            _log.warning("a key of Redis holds something else", reason=str(answer))
            found[number] = None
        elif isinstance(answer, Exception):
            raise answer
    return list(found)


def is_wrong_kind(error: ResponseError) -> bool:
    """Whether it was refused since something of another kind lies under a key, as it will be until that is gone."""
    return "WRONGTYPE" in str(error)  # a pipeline and a script put their own words before it


def connect(url: str, retries: int = 10) -> ArqRedis:
    """A client for `redis://`, `rediss://` or `unix://`; it connects at its first command.

    `retries` of up to a second each outlast a restart of Redis; -1 never gives up. Raises `SettingsError`
    when the URL is none.
    """
    check_redis_url(url)
    try:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=32, socket_timeout=SOCKET_TIMEOUT, socket_connect_timeout=SOCKET_TIMEOUT,
            health_check_interval=15, retry=_LoudRetry(ExponentialBackoff(cap=1.0, base=0.05), retries),
            retry_on_error=list(_LOST),
        )  # fmt: skip
    except ValueError as error:
        raise unusable() from error
    pool.connection_class = type("Connection", (_Connection, pool.connection_class), {})
    return ArqRedis(pool, job_serializer=dump, job_deserializer=load, default_queue_name=QUEUE)


def check_redis_url(url: str) -> None:
    """Raises `SettingsError` where a raw `/`, `?` or `#` ends a password, whose rest would be told as a place."""
    if url.startswith("unix://"):
        return
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise unusable() from error
    if "#" in url or "@" in parts.path or ("@" in parts.query and "@" not in parts.netloc):
        raise unusable()


def unusable() -> SettingsError:
    """The error for an unusable REDIS_URL, without the parser's words, which may hold a password."""
    return SettingsError(
        "The setting REDIS_URL is not usable: give it as redis://, rediss:// or unix://, a port in digits, known "
        "options, and of a password the letters / ? # @ : % percent-encoded (%2F %3F %23 %40 %3A %25)."
    )


class _LoudRetry(Retry):
    """Says in the log when Redis does not answer for a while, why, and when it is back."""

    def __init__(self, backoff: ExponentialBackoff, retries: int) -> None:
        super().__init__(backoff, retries)
        self._outage = _Outage()

    async def call_with_retry(self, do: Any, fail: Any) -> Any:
        async def failed(error: Exception) -> None:
            self._outage.goes_on(error)
            await fail(error)

        answer = await super().call_with_retry(do, failed)
        self._outage.end()
        return answer


class _Outage:
    """How long Redis has not answered, for all connections of a pool together."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._told = 0.0

    def __deepcopy__(self, _: dict[int, Any]) -> _Outage:
        """redis-py gives each connection a copy of its retry."""
        return self

    def goes_on(self, error: Exception) -> None:
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since > _SOON and now - self._told > _REMINDER:
            self._told = now
            _log.warning("Redis does not answer; trying on", reason=str(error))

    def end(self) -> None:
        if self._since is not None and self._told > self._since:
            _log.info("Redis answers again", after=round(time.monotonic() - self._since, 1))
        self._since = None


class _Connection:
    """Put before one of redis-py's connections."""

    _connecting = False

    async def connect(self) -> None:
        self._connecting = True
        try:
            await super().connect()  # type: ignore[misc]
        finally:
            self._connecting = False

    async def check_health(self) -> None:
        """Not while it connects: a check that fails connects anew, and that would check again, without end."""
        if not self._connecting:
            await super().check_health()  # type: ignore[misc]

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(command, check_health)  # type: ignore[misc]
        if task is not None and task.cancelling() > before:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]  # nobody will read the reply
            raise asyncio.CancelledError
