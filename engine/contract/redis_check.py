"""Whether Redis can be used as REDIS_URL says; where it can't, one sentence: what is wrong, and what to do.

Asked once, before anything is built on the connection. What the operator has to mend (`SettingsError`) is told apart
from what may pass (`RedisAway`), and nobody waits for a pool that retries in silence.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    InvalidResponse,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as ConnectionLost

from engine.contract.connection import check_redis_url, unusable
from engine.contract.settings import SettingsError
from engine.process.waiting import until_there

_PATIENCE = 4.0  # s for an answer
_SECOND_LOOK = 2.0  # s to try the other way, plain or TLS, where the first got none


class RedisAway(Exception):
    """Redis cannot be used now, and may be later; the text is one sentence for the operator."""


async def await_redis(url: str, tell: Callable[[str], None] | None = None) -> None:
    """Return once Redis can be used. Meanwhile the log, or `tell`, says why it can't. Raises `SettingsError`."""
    await until_there("Redis", lambda: check_redis(url), RedisAway, tell)


async def check_redis(url: str) -> None:
    """Log in, and try whether a write would be taken; writes nothing. Within 10 s.

    Raises `SettingsError` for what only another REDIS_URL, or another Redis, can mend, else `RedisAway`.
    """
    connection = _connection(url)
    try:
        async with asyncio.timeout(_PATIENCE):
            await connection.connect()
            await _ask(connection, "PING")
            await _ask(connection, "SET", "impasto:probe", "", "XX")  # there is no such key
            await _ask(connection, "EXPIRETIME", "impasto:probe")  # the newest command that is needed, of Redis 7.0
    except (RedisError, OSError, TimeoutError, AttributeError) as error:  # AttributeError: cut off as it connects
        raise await _explained(error, connection) from error
    finally:
        await connection.disconnect(nowait=True)


async def _ask(connection: AbstractConnection, *words: str) -> None:
    await connection.send_command(*words)
    await connection.read_response()


def _connection(url: str) -> Any:
    """One connection without retries, and without the health checks that a pool's make."""
    check_redis_url(url)
    try:
        pool = BlockingConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0))
        return pool.make_connection()  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, RedisError) as error:
        raise unusable() from error


async def _explained(error: Exception, connection: Any) -> Exception:
    place = getattr(connection, "path", None) or f"{connection.host}:{connection.port}"
    if isinstance(error, ResponseError | AuthenticationError):
        return _of_answer(error, place)
    secure = hasattr(connection, "ssl_context")
    told = next((words for cause in _causes(error) if (words := _of_files(cause, place, secure))), None)
    if isinstance(error, ConnectionLost) and not secure and (refusal := await _refusal_unasked(connection)):
        return _of_answer(ResponseError(refusal), place)
    if told is None and hasattr(connection, "host"):
        told = await _of_kind(connection.host, connection.port, secure)
    if told is None and isinstance(error, InvalidResponse):
        told = f"What answers at {place} is no Redis: check host and port in REDIS_URL."
    if told is not None:
        return SettingsError(told)
    if isinstance(error, TimeoutError) or not str(error):
        return RedisAway(
            f"Redis at {place} does not answer within {_PATIENCE:g} s: see whether it is stopped or cut off."
        )
    return RedisAway(f"Redis at {place} cannot be reached ({_first(error)}): start it, or mend REDIS_URL.")


_ANSWERS: list[tuple[str, type[Exception], str]] = [
    ("BusyLoadingError", RedisAway, "still loads its file: wait."),
    ("OutOfMemoryError", RedisAway, "is full: give it more memory (maxmemory)."),
    ("ReadOnlyError", RedisAway, "is a replica, which takes no writes: name the primary in REDIS_URL."),
    ("MISCONF", RedisAway, "cannot write its file: make room on its disk."),
    ("NoPermissionError", SettingsError, "lets the user in REDIS_URL do too little: allow all commands on all keys."),
    ("without any password", SettingsError, "has no password, and REDIS_URL gives one: take it out of REDIS_URL."),
    (
        "Authentication required",
        SettingsError,
        "asks for a password, and REDIS_URL has none: give it there, between `://:` and `@{place}`, odd letters "
        "percent-encoded.",
    ),
    ("AuthenticationError", SettingsError, "does not accept the password, or the user, in REDIS_URL: correct it."),
    ("DENIED", SettingsError, "is in protected mode: give it a password, and REDIS_URL the same."),
    ("max number of clients", RedisAway, "has as many clients as it takes: end some, or raise its maxclients."),
    ("EXPIRETIME", SettingsError, "is too old: update it to Redis 7 or later, or Valkey 8 or later."),
    ("DB index", SettingsError, "has no database of the number in REDIS_URL: 0 is always there."),
]
"""What stands in Redis' answer, or names its kind; whether waiting may help; and the words for it."""


def _of_answer(error: Exception, place: str) -> Exception:
    said = f"{type(error).__name__}: {error}"
    for sign, kind, words in _ANSWERS:
        if sign in said:
            return kind(f"Redis at {place} {words.format(place=place)}")
    return RedisAway(f"Redis at {place} refuses: {str(error).rstrip('.')}.")


def _of_files(cause: BaseException, place: str, secure: bool) -> str | None:
    """What is wrong where a certificate, its file, or the socket's file is to blame; else None."""
    if not secure:
        if isinstance(cause, PermissionError):
            return f"Redis' socket {place} may not be opened: run as a user, or in a group, that may."
        return None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"The certificate of Redis at {place} is not trusted ({cause.verify_message.rstrip('.')}): name its "
            "authority's file in REDIS_URL by ?ssl_ca_certs=FILE, and the host as the certificate has it."
        )
    if isinstance(cause, FileNotFoundError | PermissionError) or "X509" in str(cause) or "PEM" in str(cause):
        return "A file of certificates that REDIS_URL names cannot be read: check the paths in it."
    if "CERTIFICATE_REQUIRED" in str(cause):
        return f"Redis at {place} asks for a certificate of ours: name it in REDIS_URL, ?ssl_certfile=…&ssl_keyfile=…"
    return None


async def _refusal_unasked(connection: Any) -> str:
    """How a Redis refuses that ends a connection before it is asked anything; empty where it says nothing.

    In protected mode, or with as many clients as it takes. Who has asked already may see the connection's end alone.
    """
    try:
        async with asyncio.timeout(_SECOND_LOOK / 2):
            if hasattr(connection, "host"):
                reader, writer = await asyncio.open_connection(connection.host, connection.port)
            else:
                reader, writer = await asyncio.open_unix_connection(connection.path)
            line = await reader.readline()
            writer.transport.abort()
    except (OSError, TimeoutError, ValueError):  # ValueError: endless without a line's end
        return ""
    return line.decode(errors="replace").strip()[1:] if line.startswith(b"-") else ""


async def _of_kind(host: str, port: int, secure: bool) -> str | None:
    """What is wrong where the port speaks plain and REDIS_URL says TLS, or the other way round; else None."""
    try:
        async with asyncio.timeout(_SECOND_LOOK):
            if secure:
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(b"PING\r\n")
                answer = await reader.read(1)
                writer.close()
                if answer not in (b"+", b"-"):
                    return None
                return (
                    f"The port {host}:{port} does not speak TLS, and REDIS_URL begins with rediss://: write redis://."
                )
            anybody = ssl.create_default_context()
            anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # nothing is told to it
            _, writer = await asyncio.open_connection(host, port, ssl=anybody)
            writer.transport.abort()
            return f"The port {host}:{port} speaks TLS, and REDIS_URL begins with redis://: write rediss:// instead."
    except (OSError, TimeoutError):
        return None


def _causes(error: BaseException | None) -> list[BaseException]:
    """The error, and those that it stands for."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _first(error: Exception) -> str:
    """The words of the error's first cause, without the place that redis-py puts before them."""
    cause = _causes(error)[-1]
    words = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)
    return words.rstrip(".")
