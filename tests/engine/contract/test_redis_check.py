"""What is wrong with REDIS_URL, or with Redis, is one sentence: told apart whether waiting may help."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError
from structlog.testing import capture_logs
from tcp_redis import CERTIFICATE, TcpRedis, free_port, tcp_redis, tls_front

from engine.contract import connection
from engine.contract.connection import connect
from engine.contract.redis_check import RedisAway, await_redis, check_redis
from engine.contract.settings import SettingsError

SECRET = "pa@ss/w#rd?"
ENCODED = "pa%40ss%2Fw%23rd%3F"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a Redis that asks for a password."""
    with tcp_redis(tmp_path_factory.mktemp("locked"), SECRET) as server:
        yield server.place


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TcpRedis]:
    with tcp_redis(tmp_path_factory.mktemp("free")) as server:
        yield server


@pytest.fixture
async def front(free: TcpRedis) -> AsyncIterator[str]:
    async with tls_front(free.port) as place:
        yield place


async def wrong(url: str) -> str:
    """What the operator has to mend."""
    with pytest.raises(SettingsError) as error:
        await check_redis(url)
    return str(error.value)


async def away(url: str) -> str:
    with pytest.raises(RedisAway) as error:
        await check_redis(url)
    return str(error.value)


async def test_a_password_is_asked_for_refused_or_not_needed(locked: str, free: TcpRedis) -> None:
    await check_redis(f"redis://:{ENCODED}@{locked}")
    assert "asks for a password, and REDIS_URL has none" in await wrong(f"redis://{locked}")
    assert "does not accept the password" in await wrong(f"redis://:other@{locked}")
    assert "does not accept the password, or the user" in await wrong(f"redis://somebody:{ENCODED}@{locked}")
    assert "has no password, and REDIS_URL gives one" in await wrong(f"redis://:{ENCODED}@{free.place}")


@pytest.mark.parametrize(
    "password", ["5ec4e7#1", "12#5ec4e7", "5ec4e7/1", "12/5ec4e7", "5ec4e7?1", "12?5ec4e7", "x@y/5ec4e7"]
)
async def test_of_a_password_with_raw_signs_nothing_is_told(password: str, locked: str) -> None:
    url = f"redis://:{password}@{locked}"
    with pytest.raises(SettingsError) as refused:
        connect(url)
    for said in (await wrong(url), str(refused.value)):
        assert said.startswith("The setting REDIS_URL is not usable: ")
        assert "5ec4e7" not in said


@pytest.mark.long
async def test_plain_and_tls_are_told_from_each_other(free: TcpRedis, front: str) -> None:
    assert "speaks TLS" in await wrong(f"redis://{front}")
    assert "does not speak TLS" in await wrong(f"rediss://{free.place}")


async def test_a_certificate_is_trusted_when_its_authority_is_named(front: str, tmp_path: Path) -> None:
    await check_redis(f"rediss://{front}?ssl_ca_certs={CERTIFICATE}")
    (tmp_path / "none.pem").write_text("no certificate")
    assert "is not trusted (self-signed certificate)" in await wrong(f"rediss://{front}")
    for file in ("missing.pem", "none.pem"):
        said = await wrong(f"rediss://{front}?ssl_ca_certs={tmp_path}/{file}")
        assert said.startswith("A file of certificates that REDIS_URL names cannot be read")


async def test_what_is_no_redis_or_has_no_such_database_is_told(free: TcpRedis) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        assert "is no Redis" in await wrong(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert "no database of the number" in await wrong(f"redis://{free.place}/99")
    assert "is not usable" in await wrong(f"redis://{free.place}?ssl_ca_certs=x")


async def test_who_is_refused_before_asking_is_told_why(free: TcpRedis) -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-DENIED Redis is running in protected mode because protected mode is enabled.\r\n")
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()  # by a reset, as Redis' is where the client has asked already

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        assert "is in protected mode" in await wrong(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with connect(f"redis://{free.place}") as redis:
        await redis.config_set("maxclients", 1)
        try:
            assert "has as many clients as it takes" in await away(f"redis://{free.place}")
        finally:
            await redis.config_set("maxclients", 10_000)


async def test_one_that_lacks_the_newest_command_is_too_old(tmp_path: Path) -> None:
    with tcp_redis(tmp_path, "", "--rename-command", "EXPIRETIME", "") as server:
        assert await wrong(f"redis://{server.place}") == (
            f"Redis at {server.place} is too old: update it to Redis 7 or later, or Valkey 8 or later."
        )


@pytest.mark.long
async def test_a_redis_that_is_away_may_come_back(free: TcpRedis) -> None:
    assert "cannot be reached (Connect call failed" in await away(f"redis://127.0.0.1:{free_port()}")
    assert "cannot be reached (No such file" in await away("unix:///nowhere/redis.sock")
    free.send(signal.SIGSTOP)
    try:
        assert "does not answer within" in await away(f"redis://{free.place}")
    finally:
        free.send(signal.SIGCONT)


@pytest.mark.parametrize(
    ("name", "value", "before", "words"),
    [("maxmemory", "1", "0", "is full"), ("replicaof", "127.0.0.1 1", "no one", "is a replica")],
)
async def test_a_redis_that_takes_no_writes_is_told(
    free: TcpRedis, name: str, value: str, before: str, words: str
) -> None:
    async def become(value: str) -> None:
        if name == "replicaof":
            await redis.replicaof(*value.split())
        else:
            await redis.config_set(name, value)

    async with connect(f"redis://{free.place}") as redis:
        await become(value)
        try:
            assert words in await away(f"redis://{free.place}")
        finally:
            await become(before)


async def test_whoever_waits_is_told_once_why_and_goes_on_when_it_is_there(tmp_path: Path) -> None:
    server = TcpRedis(tmp_path, started=False)
    with capture_logs() as log:
        waiting = asyncio.create_task(await_redis(f"redis://{server.place}"))
        while not log:  # noqa: ASYNC110 - the log tells nobody
            await asyncio.sleep(0.01)
        try:
            server.start()
            await waiting
        finally:
            server.end()
    told = [entry["event"] for entry in log]  # while it starts it may refuse in another way too
    assert told[0].startswith(f"Redis at {server.place} cannot be reached ")
    assert told[-1] == "Redis answers."
    assert len(told) == len(set(told))


async def test_a_pool_without_the_password_says_so_and_does_not_ask_itself_for_ever(locked: str) -> None:
    async with connect(f"redis://{locked}", retries=1) as redis:
        with pytest.raises(AuthenticationError, match="Authentication required"):
            await redis.get("anything")


async def test_an_outage_is_in_the_log_while_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_SOON", 0.0)
    server = TcpRedis(tmp_path)
    try:
        async with connect(f"redis://{server.place}", retries=-1) as redis:
            await redis.ping()
            server.end()
            with capture_logs() as log:
                waiting = asyncio.ensure_future(redis.ping())
                while not log:  # noqa: ASYNC110 - the log tells nobody
                    await asyncio.sleep(0.01)
                server.start()
                await waiting
    finally:
        server.end()
    told = [entry["event"] for entry in log]  # the first as often as it is asked while the server starts
    assert set(told[:-1]) == {"Redis does not answer; trying on"}
    assert told[-1] == "Redis answers again"
