"""Progress of a painting whose messages cannot be sent for long: the latest alone waits, and none stays pending."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from arq.connections import ArqRedis
from card_kit import FakeClient, a_job, a_page
from pydantic import SecretStr

from bot.backend import Backend
from bot.delivery.deletion import Deletion
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.event_stream import EventStream
from bot.delivery.job_consumer import JobConsumer
from bot.delivery.redis_recovery import RedisRecovery
from bot.delivery.sender import Sender
from bot.post_ledger import GROUP
from bot.settings import BotSettings
from engine.contract.events import STREAM, Event, Progress, Snapshot

JOB = a_job()
SNAPSHOT = Snapshot(job=JOB.id, iteration=2, picture="nowhere", loss=3)


class SilentClient(FakeClient):
    """Of a Discord that does not answer."""

    user = None

    def get_partial_messageable(self, channel: int) -> Any:
        return SimpleNamespace(history=_no_answer)


async def _no_answer(**_: Any) -> AsyncIterator[None]:
    await asyncio.Event().wait()
    yield


def progress(iteration: int) -> Progress:
    return Progress(job=JOB.id, iteration=iteration, loss=3, content=1, style=2, rate=5, eta=60)


@pytest.fixture
def backend(redis: ArqRedis, tmp_path: Path) -> Backend:
    settings = BotSettings(discord_token=SecretStr("x"), redis_url="redis://unused", store_url=tmp_path.as_uri())
    return Backend.of(settings, redis)


def test_a_consumer_keeps_of_the_progress_that_waits_the_latest_alone(backend: Backend) -> None:
    client: Any = SilentClient()
    consumer = JobConsumer(JOB.id, backend, Sender(client), client.editor(), Deletion(client, backend))
    told: dict[str, Event] = {"1-0": progress(1), "2-0": SNAPSHOT, **{f"{at}-0": progress(at) for at in (3, 4, 5)}}
    assert [consumer.put(entry, event, old=False) for entry, event in told.items()] == [[], [], [], ["3-0"], ["4-0"]]
    assert consumer.put("5-0", told["5-0"], old=True) == []  # read again
    left = []
    while consumer.busy:
        left += consumer.skip()
    assert left == ["1-0", "2-0", "5-0"]  # the first may be what is being dealt with


async def test_what_newer_progress_took_the_place_of_is_acknowledged(backend: Backend) -> None:
    redis, client = backend.redis, SilentClient()
    await backend.ledger.restore(a_page(JOB, card=None, thread=None))
    await backend.jobs.create(JOB)
    events: list[Event] = [progress(1), SNAPSHOT, *(progress(number) for number in range(3, 9))]
    first, second, *_, last = [
        await redis.xadd(STREAM, {"job": JOB.id, "event": event.model_dump_json()}) for event in events
    ]
    reads, dealt_with = 0, asyncio.Event()

    async def make_sure() -> None:
        """Called before each read: the first is of what was left, the second finds all."""
        nonlocal reads
        reads += 1
        if reads == 3:
            dealt_with.set()
            await asyncio.Event().wait()

    editor, sender = client.editor(), Sender(client)  # type: ignore[arg-type]
    stream, recovery = EventStream(redis, make_sure), RedisRecovery(backend, redis, editor)
    dispatcher = Dispatcher(backend, stream, sender, editor, recovery)
    task = asyncio.create_task(dispatcher.run())
    try:
        await dealt_with.wait()
        rows: Any = await redis.xpending_range(STREAM, GROUP, "-", "+", 100)
        assert [row["message_id"] for row in rows] == [first, second, last]
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await dispatcher.close(0)
