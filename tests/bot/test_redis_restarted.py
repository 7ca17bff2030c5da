"""Redis goes away in the middle of paintings, and comes back: everything is posted once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from discord_server.message_text import text_of
from own_redis import OwnRedis
from promises import Asked, check_kept, check_no_loops, left
from scene import SMALL, Scene, scene
from support.jobs import JobClient
from support.workers import WorkerPool

from bot.post_ledger import GROUP
from engine.contract.events import STREAM

SNAPSHOT = b'"kind":"snapshot"'


@pytest.fixture
def own_house(own_redis: OwnRedis, tmp_path: Path) -> Iterator[WorkerPool]:
    pool = WorkerPool(own_redis.url, tmp_path)
    pool.start_worker(seconds=0.15).ready()
    yield pool
    pool.close()


async def ask(stage: Scene, iterations: int = SMALL["iterations"]) -> Asked:
    return Asked(await stage.stylize(iterations=iterations), stage.channel.id, iterations, True)


@pytest.mark.long
async def test_a_redis_that_ends_or_is_killed_in_the_middle_costs_nothing_but_the_time_it_was_away(
    own_redis: OwnRedis, own_house: WorkerPool, tmp_path: Path
) -> None:
    async with scene(own_house, tmp_path) as stage:
        discord = stage.discord
        asked = [await ask(stage, 150), await ask(stage, 200)]
        for disaster in (own_redis.end, own_redis.kill):
            known = len(asked[-1].pictures(discord.world)) if asked[-1].cards(discord.world) else 0
            await discord.until(lambda world, known=known: len(asked[1].pictures(world)) > known)  # type: ignore[misc]
            disaster()
            asked.append(await ask(stage))
            assert (await asked[-1].interaction.answered()).ephemeral
            own_redis.start()
        await discord.until(lambda world: all(one.done(world) and one.verdict(world) for one in asked))
        check_kept(discord.world, asked)
        check_no_loops(discord.world)
        assert discord.world.violations == []
        assert discord.world.counts["identifies"] == 1
        assert stage.bots[-1].end() == 0
        assert await left(own_house) == {"thinking": 0, "events": 0}
        await stage.start_bot()
        own_redis.end()
        assert stage.bots[-1].end() == 0  # without anybody to tell that it leads no longer


@pytest.mark.long
async def test_what_a_redis_that_lost_its_last_moment_has_forgotten_is_done_all_the_same(
    own_redis: OwnRedis, own_house: WorkerPool, tmp_path: Path
) -> None:
    """It comes back without one painting that was accepted, and without the posts of another; nonces hold no longer."""
    async with scene(own_house, tmp_path) as stage:
        discord = stage.discord
        half = await ask(stage, 250)
        await discord.until(lambda world: half.cards(world) and half.pictures(world))
        before = own_redis.copy(tmp_path / "before")
        seen = len(half.pictures(discord.world))
        await discord.until(lambda world: len(half.pictures(world)) > seen + 1)
        own_house.close()
        new = await ask(stage)
        await discord.until(lambda world: new.verdict(world) and world.threads(stage.channel)[1:])
        own_redis.kill()
        own_redis.put_back(before)
        await discord.turn_clock(3600)
        own_redis.start()
        own_house.start_worker(seconds=0.15).ready()
        await discord.until(lambda world: half.done(world) and new.done(world))
        check_kept(discord.world, [half, new])
        assert discord.world.violations == []
        assert stage.bots[-1].end() == 0
        assert await left(own_house) == {"thinking": 0, "events": 0}


@pytest.mark.long
async def test_what_was_given_to_a_bot_that_leads_no_longer_is_dealt_with_by_the_one_that_does(
    busy_pool: WorkerPool, busy_client: JobClient, tmp_path: Path
) -> None:
    async with scene(busy_pool, tmp_path) as stage:
        one = await ask(stage)
        await stage.discord.until(one.verdict)
        job = await busy_client.jobs.get(one.job)
        assert job is not None
        os.kill(stage.bots[-1].pid, signal.SIGSTOP)
        await busy_client.events(job)
        assert await busy_client.redis.xreadgroup(GROUP, "bot", {STREAM: ">"})
        os.kill(stage.bots[-1].pid, signal.SIGCONT)
        await stage.discord.until(one.done)
        check_kept(stage.discord.world, [one])


@asynccontextmanager
async def lossy(socket: Path) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Another way to a Redis, on which the connection breaks each time before a snapshot would arrive; and those."""
    lost: list[bytes] = []

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, guarded: bool) -> None:
        while data := await source.read(2**20):
            if guarded and SNAPSHOT in data and data not in lost:
                lost.append(data)
                break
            target.write(data)
            await target.drain()
        target.close()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_redis, from_redis = asyncio.open_unix_connection(socket), (reader, writer)
        far_reader, far_writer = await to_redis
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(pass_on(from_redis[0], far_writer, False))
                group.create_task(pass_on(far_reader, from_redis[1], True))
        except* OSError:
            pass

    way = socket.with_name("lossy.sock")
    server = await asyncio.start_unix_server(meet, way)
    try:
        yield f"unix://{way}", lost
    finally:
        server.close()


@pytest.mark.long
async def test_an_event_that_redis_gave_out_and_that_never_arrived_is_asked_for_again(
    own_redis: OwnRedis, own_house: WorkerPool, tmp_path: Path
) -> None:
    async with lossy(own_redis.socket) as (url, lost), scene(own_house, tmp_path, REDIS_URL=url) as stage:
        one = await ask(stage, 150)
        await stage.discord.until(one.done)
        assert lost
        assert one.pictures(stage.discord.world) == one.promised
        assert "Accepted" in text_of(await one.interaction.shown())
        assert stage.discord.world.counts["identifies"] == 1
        assert await asyncio.to_thread(stage.bots[-1].end) == 0  # the lossy way is of this loop
        assert await left(own_house) == {"thinking": 0, "events": 0}
