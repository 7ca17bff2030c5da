"""A Redis that was started anew, and what the bot gives back to it, also where that breaks off half-way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from card_kit import WAITING, FakeClient, a_job, a_page
from own_redis import OwnRedis
from pydantic import SecretStr
from redis.exceptions import ResponseError

from bot.backend import Backend
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.event_stream import EventStream
from bot.delivery.redis_recovery import RedisRecovery
from bot.delivery.sender import Sender
from bot.settings import BotSettings
from engine.contract.connection import QUEUE, connect
from engine.contract.models import JobState

JOB = a_job()


@pytest.fixture
async def backend(own_redis: OwnRedis, tmp_path: Path) -> AsyncIterator[Backend]:
    settings = BotSettings(discord_token=SecretStr("x"), redis_url=own_redis.url, store_url=tmp_path.as_uri())
    async with connect(own_redis.url, retries=-1) as redis:
        yield Backend.of(settings, redis)


async def allow_reader(backend: Backend) -> None:
    await backend.redis.acl_setuser("reader", enabled=True, passwords=["+x"], commands=["+info"])


@pytest.fixture
async def reader(own_redis: OwnRedis, backend: Backend) -> AsyncIterator[ArqRedis]:
    """Of one who may ask for nothing but which run it is."""
    await allow_reader(backend)
    async with connect(own_redis.url.replace("unix://", "unix://reader:x@"), retries=0) as redis:
        yield redis


def a_recovery(backend: Backend, reader: ArqRedis) -> RedisRecovery:
    """Of a bot that follows the job."""
    editor = FakeClient().editor()
    editor.follow(JOB, a_page(JOB), WAITING)
    return RedisRecovery(backend, reader, editor)


def start_anew(own_redis: OwnRedis) -> None:
    own_redis.kill()
    own_redis.start()


async def test_a_forgotten_painting_is_given_back_where_the_reader_answers_no_other_question(
    own_redis: OwnRedis, backend: Backend, reader: ArqRedis
) -> None:
    recovery = a_recovery(backend, reader)
    assert await recovery.make() == set()
    start_anew(own_redis)
    await allow_reader(backend)
    assert await recovery.make() == {JOB.id}
    assert await backend.jobs.state(JOB.id) is JobState.QUEUED
    assert len(await backend.queue.all()) == 1
    assert await recovery.make() == set()


async def test_what_broke_off_half_way_is_made_once_more(own_redis: OwnRedis, backend: Backend) -> None:
    recovery = a_recovery(backend, backend.redis)
    await recovery.make()
    start_anew(own_redis)
    await backend.redis.config_set("maxmemory", "1")
    with pytest.raises(ResponseError, match="maxmemory"):
        await recovery.make()
    await backend.redis.config_set("maxmemory", "0")
    assert await recovery.make() == {JOB.id}
    assert await backend.jobs.state(JOB.id) is JobState.QUEUED


async def test_one_that_cannot_be_given_back_holds_up_no_other(own_redis: OwnRedis, backend: Backend) -> None:
    other, editor = a_job(2), FakeClient().editor()
    for job in (JOB, other):
        editor.follow(job, a_page(job), WAITING)
    recovery = RedisRecovery(backend, backend.redis, editor)
    await recovery.make()
    start_anew(own_redis)
    await backend.redis.set(f"impasto:posted:{JOB.id}", "a text")
    assert await recovery.make() == {JOB.id, other.id}
    assert await backend.jobs.state(other.id) is JobState.QUEUED


@pytest.mark.long
async def test_a_restart_is_seen_though_nobody_was_using_the_readers_connection(
    own_redis: OwnRedis, backend: Backend
) -> None:
    reads = 0

    async def make_sure() -> None:
        """Called before each read."""
        nonlocal reads
        reads += 1
        if reads == 3:  # what was left, something new, and now once more
            await asyncio.to_thread(start_anew, own_redis)

    async with connect(own_redis.url, retries=0) as reader:
        recovery, stream = a_recovery(backend, reader), EventStream(reader, make_sure)
        editor = FakeClient().editor()
        sender = Sender(FakeClient())  # type: ignore[arg-type]
        task = asyncio.create_task(Dispatcher(backend, stream, sender, editor, recovery).run())
        try:
            assert await backend.redis.bzpopmin(QUEUE, timeout=9)
            assert await backend.jobs.state(JOB.id) is JobState.QUEUED
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
