"""What an operator sees whose REDIS_URL does not fit the Redis: a sentence, and a status that says whether to wait."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from discord_server.driver import Discord
from impasto_command import PAINT, left_over, make_room
from operator_command import impasto, told
from tcp_redis import TcpRedis, tcp_redis, tls_front

PASSWORD = "Redis at {} asks for a password, and REDIS_URL has none"
WORKER = ("worker", "--weights", "random", "--device", "cpu")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TcpRedis]:
    with tcp_redis(tmp_path_factory.mktemp("redis"), "5ec4e75ec4e7") as server:
        yield server


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(inside=True) as server:
        yield server


@pytest.mark.parametrize("words", [("doctor",), (*PAINT, "-o", "out"), WORKER, ("bot",), ("up",)], ids=lambda w: w[0])
async def test_everybody_says_that_a_password_is_missing(
    words: tuple[str, ...], discord: Discord, tmp_path: Path, locked: TcpRedis
) -> None:
    room = make_room(tmp_path)
    status, out, err = await told(discord, room, *words, REDIS_URL=f"redis://{locked.place}")
    lines = (out if words == ("doctor",) else err).splitlines()
    said = [line for line in lines if PASSWORD.format(locked.place) in line]
    assert status == os.EX_CONFIG
    assert len(said) in ((1, 2) if words == ("up",) else (1,))  # its bot, and its worker if that comes so far
    assert "Traceback" not in out + err
    assert left_over(room) == []


@pytest.mark.long
@pytest.mark.parametrize("words", [("doctor",), WORKER, ("bot",)], ids=lambda w: w[0])
async def test_everybody_says_that_the_port_speaks_tls(
    words: tuple[str, ...], discord: Discord, tmp_path: Path, locked: TcpRedis
) -> None:
    async with tls_front(locked.port) as place:
        status, out, err = await told(discord, tmp_path, *words, REDIS_URL=f"redis://{place}")
    assert status == os.EX_CONFIG
    assert f"The port {place} speaks TLS, and REDIS_URL begins with redis://: write rediss:// instead." in out + err
    assert "Traceback" not in out + err


async def warned(process: Process) -> str:
    """The next line of its log that is a warning."""
    assert process.stderr is not None
    while line := await process.stderr.readline():
        entry = json.loads(line)
        if entry["level"] == "warning":
            return str(entry["event"])
    raise AssertionError("it ended")


@pytest.mark.long
@pytest.mark.parametrize("words", [("bot",), WORKER], ids=lambda w: w[0])
async def test_who_can_wait_for_redis_says_so_and_waits(
    words: tuple[str, ...], discord: Discord, tmp_path: Path
) -> None:
    server = TcpRedis(tmp_path, started=False)
    try:
        async with impasto(discord, tmp_path, *words, REDIS_URL=f"redis://{server.place}") as process:
            said = await warned(process)
            assert said.startswith(f"Redis at {server.place} cannot be reached (")
            assert said.endswith("start it, or mend REDIS_URL. Trying on.")
            server.start()
            if words == ("bot",):
                await discord.until(lambda world: world.counts["sessions"])
            else:
                assert process.stdout is not None
                assert (await process.stdout.readline()).startswith(b"ready")
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.communicate(), 120)
            assert process.returncode == 0
    finally:
        server.end()


@pytest.mark.parametrize("words", [("doctor",), (*PAINT, "-o", "out")], ids=lambda w: w[0])
async def test_who_is_waited_for_ends_with_another_status(
    words: tuple[str, ...], discord: Discord, tmp_path: Path
) -> None:
    room = make_room(tmp_path)
    status, out, err = await told(discord, room, *words, REDIS_URL="redis://127.0.0.1:1")
    assert status == 1
    assert "Redis at 127.0.0.1:1 cannot be reached (" in out + err
    assert "Traceback" not in out + err
