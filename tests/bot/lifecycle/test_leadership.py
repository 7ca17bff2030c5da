"""One bot per token: who leads, who stands by, and what makes the next one lead; against a real Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from arq.connections import ArqRedis
from pydantic import SecretStr
from redis.exceptions import TimeoutError as RedisTimeout

from bot.client import Impasto
from bot.lifecycle import leadership
from bot.lifecycle.leadership import LEASE, Deposed, Leadership
from bot.lifecycle.process_identity import has_ended, process_identity
from bot.settings import BotSettings
from engine.contract.connection import BLOCK
from engine.process.child_process import child_command

TOKEN = "a.token"
LEADER = """
import asyncio, sys
sys.stdout.reconfigure(line_buffering=True)
from bot.lifecycle.leadership import Leadership
from engine.contract.connection import connect

async def main():
    async with connect(sys.argv[1]) as redis:
        await Leadership(redis, sys.argv[2]).gain()
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def leader(redis_server: str, redis: ArqRedis) -> Iterator[subprocess.Popen[str]]:
    """Another process, which leads; it does not extend its lease."""
    process = subprocess.Popen(
        child_command([sys.executable, "-c", LEADER, redis_server, TOKEN]),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "leading" in process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats by the hundredth of a second."""
    monkeypatch.setattr(leadership, "_BEAT", 0.01)


async def lease_of(redis: ArqRedis) -> bytes:
    (key,) = [key async for key in redis.scan_iter("impasto:leader:*") if not key.endswith(b":last")]
    return bytes(key)


async def stands_by(one: Leadership) -> bool:
    """Whether it asks again and again, and does not lead."""
    try:
        await asyncio.wait_for(one.gain(), 0.3)
    except TimeoutError:
        return True
    return False


async def after_the_lease(monkeypatch: pytest.MonkeyPatch, redis: ArqRedis) -> None:
    """Nobody has extended it for so long that it is over, in Redis and by every process's clock."""
    now = leadership._now
    monkeypatch.setattr(leadership, "_now", lambda: now() + LEASE + 1)
    await redis.delete(await lease_of(redis))


async def test_the_second_stands_by_until_the_first_lets_it_lead(redis: ArqRedis, quick: None) -> None:
    first, second = Leadership(redis, TOKEN), Leadership(redis, TOKEN)
    await first.gain()
    assert await stands_by(second)
    await second.release()  # it has none
    assert await stands_by(second)
    await first.release()
    await second.gain()
    assert await stands_by(first)


async def test_bots_with_other_tokens_do_not_wait_for_each_other(redis: ArqRedis) -> None:
    await Leadership(redis, TOKEN).gain()
    await Leadership(redis, "another token").gain()
    assert TOKEN.encode() not in b" ".join([key async for key in redis.scan_iter("*")])


async def test_the_lease_ends_by_itself(redis: ArqRedis) -> None:
    await Leadership(redis, TOKEN).gain()
    assert 0 < await redis.pttl(await lease_of(redis)) <= LEASE * 1000


async def test_a_leader_that_was_killed_on_this_machine_is_not_waited_for(
    redis: ArqRedis, leader: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "_BEAT", 600)
    leader.kill()
    leader.wait()
    assert await redis.exists(await lease_of(redis))
    await Leadership(redis, TOKEN).gain()


async def test_a_leader_that_only_stands_still_keeps_its_lease(
    redis: ArqRedis, leader: subprocess.Popen[str], quick: None
) -> None:
    leader.send_signal(signal.SIGSTOP)
    assert await stands_by(Leadership(redis, TOKEN))
    await redis.pexpire(await lease_of(redis), 1)
    await Leadership(redis, TOKEN).gain()


async def test_of_two_that_find_a_dead_leader_one_leads(
    redis: ArqRedis, leader: subprocess.Popen[str], quick: None
) -> None:
    leader.kill()
    leader.wait()
    heirs = {asyncio.create_task(Leadership(redis, TOKEN).gain()) for _ in range(5)}
    done, waiting = await asyncio.wait(heirs, return_when=asyncio.FIRST_COMPLETED)
    late, waiting = await asyncio.wait(waiting, timeout=0.3)
    assert len(done | late) == 1
    for heir in waiting:
        heir.cancel()


async def test_a_leader_extends_its_lease(redis: ArqRedis, quick: None) -> None:
    first = Leadership(redis, TOKEN)
    await first.gain()
    lease = await lease_of(redis)
    keeping = asyncio.create_task(first.keep())
    await redis.pexpire(lease, 2000)
    async with redis.monitor() as monitor, asyncio.timeout(20):
        while "EVALSHA" not in (await monitor.next_command())["command"]:
            pass
    assert await redis.pttl(lease) > 2000
    keeping.cancel()


@pytest.mark.parametrize("gone_again", [False, True])
async def test_a_leader_ends_when_another_one_leads_or_has_led(
    redis: ArqRedis, quick: None, monkeypatch: pytest.MonkeyPatch, gone_again: bool
) -> None:
    first, second = Leadership(redis, TOKEN), Leadership(redis, TOKEN)
    await first.gain()
    await after_the_lease(monkeypatch, redis)
    await second.gain()
    if gone_again:
        await second.release()
    with pytest.raises(Deposed):
        await first.confirm()
    await asyncio.wait_for(first.keep(), 20)
    await first.release()
    assert bool([key async for key in redis.scan_iter("impasto:leader:*") if not key.endswith(b"last")]) != gone_again


async def test_a_leader_goes_on_when_nobody_led_while_its_lease_was_over(
    redis: ArqRedis, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Leadership(redis, TOKEN)
    await first.gain()
    await after_the_lease(monkeypatch, redis)
    await first.confirm()
    assert await redis.exists(await lease_of(redis))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(first.keep(), 0.2)
    assert await stands_by(Leadership(redis, TOKEN))


async def test_a_redis_that_did_not_answer_is_not_waited_for_again_at_once(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an answer to a member, which takes several requests, would come too late."""
    first, asked = Leadership(redis, TOKEN), []
    await first.gain()
    clock = leadership._now() + LEASE + 1

    async def silent(third: str) -> str:
        asked.append(third)
        raise RedisTimeout

    monkeypatch.setattr(first, "_ask", silent)
    monkeypatch.setattr(leadership, "_now", lambda: clock)
    await first.confirm()
    await first.confirm()
    assert asked == ["again"]
    clock += 1
    await first.confirm()
    assert asked == ["again"] * 2


async def test_a_leader_asks_nobody_as_long_as_its_lease_holds(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Leadership(redis, TOKEN)
    await first.gain()

    async def asked(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(redis, "execute_command", asked)  # every question goes by it
    await first.confirm()


async def test_no_request_leaves_a_process_that_leads_no_longer(
    redis: ArqRedis, redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = Impasto(BotSettings(discord_token=SecretStr(TOKEN), redis_url=redis_server))
    bot._leadership = Leadership(redis, TOKEN)
    await bot._leadership.gain()
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/{path}", answer)
    traces = [trace for trace in [bot.http.http_trace] if trace]
    async with TestServer(app) as server, aiohttp.ClientSession(trace_configs=traces) as session:
        await session.get(server.make_url("/before"))
        await after_the_lease(monkeypatch, redis)
        await session.get(server.make_url("/nobody-else-leads"))
        await after_the_lease(monkeypatch, redis)
        await Leadership(redis, TOKEN).gain()
        with pytest.raises(Deposed):
            await session.get(server.make_url("/after"))
    assert asked == ["/before", "/nobody-else-leads"]


def test_what_a_stopped_leader_asked_the_stream_for_is_given_out_before_another_one_leads() -> None:
    assert leadership._BEAT + BLOCK / 1000 < LEASE


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_gone_once_it_has_ended_even_if_nobody_has_asked_for_its_status(
    sleeper: subprocess.Popen[bytes],
) -> None:
    where = process_identity(sleeper.pid)
    assert not has_ended(where)
    sleeper.send_signal(signal.SIGSTOP)
    assert not has_ended(where)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(where)
    sleeper.wait()
    assert has_ended(where)


def changed(where: str, index: int, value: str) -> str:
    parts = where.split(":")
    parts[index] = value
    return ":".join(parts)


@pytest.mark.parametrize("index", [0, 1, 2], ids=["machine", "boot", "namespace"])
@pytest.mark.parametrize("value", ["another", ""])
def test_of_a_process_elsewhere_nothing_is_known(sleeper: subprocess.Popen[bytes], index: int, value: str) -> None:
    where = process_identity(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert not has_ended(changed(where, index, value))


def test_a_process_is_gone_when_another_one_has_its_number() -> None:
    where = process_identity()
    assert not has_ended(where)
    assert where.startswith(f"{socket.gethostname()}:")
    assert has_ended(changed(where, 4, "1"))


@pytest.mark.parametrize("word", ["", "host:12:ab34cd", "a:b:c:d:e:f", "::::"])
def test_what_is_no_process_is_not_gone(word: str) -> None:
    assert not has_ended(word)


def test_a_machine_that_does_not_tell_its_boot_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.lifecycle.process_identity._place", lambda: [socket.gethostname(), "", ""])
    process: subprocess.Popen[Any] = subprocess.Popen(["true"])
    where = process_identity(process.pid)
    process.wait()
    assert not has_ended(where)
