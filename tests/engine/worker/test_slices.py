"""What a slice holds of its worker, and for how long."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from arq.connections import ArqRedis
from support.jobs import JobClient, idle_context, light, uncut_sha256

from engine.contract.connection import QUEUE
from engine.contract.events import Failed, Started
from engine.contract.fair_queue import FINISH, slice_id
from engine.contract.models import Claim, JobState, job_key
from engine.contract.store import Store
from engine.painting.cuda.graphs import Graphs
from engine.painting.memory import budget
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.worker.context import WorkerContext
from engine.worker.slices import paint_slice

PATIENCE = 15  # s, for what needs milliseconds


@pytest.fixture
def context(redis: ArqRedis, tmp_path: Path) -> WorkerContext:
    return idle_context(redis, tmp_path)


@pytest.fixture
def client(context: WorkerContext) -> JobClient:
    return JobClient(context.redis, context.store)


async def test_others_have_the_device_while_what_was_painted_is_stored(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Store.put

    async def once_the_device_is_free(store: Store, key: str, data: bytes) -> str:
        if "snapshot" in key:
            async with asyncio.timeout(PATIENCE), context.device_lock:
                pass
        return await put(store, key, data)

    monkeypatch.setattr(Store, "put", once_the_device_is_free)
    job = await client.submit(light(12, snapshots=(6,)))
    await paint_slice({"context": context}, job.id, 0, 0)
    assert await client.jobs.state(job.id) is JobState.DONE


class OneAtATime:
    """A memory that has room for one painter, before the first iteration and within the others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._painters, self.begun = weakref.WeakSet[Painter](), 0
        self.refused = asyncio.Event()
        init, paint, loop = Painter.__init__, Painter.paint, asyncio.get_running_loop()

        def begin(painter: Painter, *args: Any, **kwargs: Any) -> None:
            self._painters.add(painter)
            self.begun += 1
            init(painter, *args, **kwargs)

        def iterate(painter: Painter, state: State, stop: int | None = None) -> Iterator[State]:
            for painted in paint(painter, state, stop):
                if len(self._painters) > 1:
                    loop.call_soon_threadsafe(self.refused.set)
                    raise torch.OutOfMemoryError("on order")
                yield painted

        monkeypatch.setattr(Painter, "__init__", begin)
        monkeypatch.setattr(Painter, "paint", iterate)

    def fits(self, *_: Any) -> bool:
        return len(self._painters) == 1


@pytest.mark.parametrize("planned", [True, False], ids=["when it is planned", "when it is painted"])
async def test_a_painting_that_fits_alone_does_not_fail_for_what_others_keep_warm(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch, planned: bool
) -> None:
    recipe = light(12)
    uncut, memory = uncut_sha256(recipe), OneAtATime(monkeypatch)
    monkeypatch.setattr(budget, "fits", memory.fits if planned else lambda *_: True)
    monkeypatch.setattr(context.settings, "impasto_slice_seconds", 0.01)
    warm = await client.submit(light(5000), user="ann")
    await paint_slice({"context": context}, warm.id, 0, 0)
    monkeypatch.setattr(context.settings, "impasto_slice_seconds", 60.0)
    job = await client.submit(recipe, user="bob")
    await paint_slice({"context": context}, job.id, 0, 0)
    assert (await client.run(job))["final"]["sha256"] == uncut
    assert memory.begun == 3


async def test_a_painting_that_fits_alone_does_not_fail_for_another_that_waits_for_the_device(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = light(12)
    uncut = uncut_sha256(recipe)
    OneAtATime(monkeypatch)
    monkeypatch.setattr(budget, "fits", lambda *_: True)
    jobs = [await client.submit(recipe, user=user) for user in ("ann", "bob")]
    async with context.device_lock:
        slices = [asyncio.create_task(paint_slice({"context": context}, job.id, 0, 0)) for job in jobs]
        for job in jobs:
            assert isinstance(await client.until(job, 0), Started)  # it is in memory, and waits
    await asyncio.gather(*slices)
    assert [(await client.run(job))["final"]["sha256"] for job in jobs] == [uncut, uncut]


async def test_a_painting_that_fits_alone_does_not_fail_for_another_that_is_saved(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, put, saves = light(12), Store.put, asyncio.Event()
    uncut, memory = uncut_sha256(recipe), OneAtATime(monkeypatch)
    monkeypatch.setattr(budget, "fits", lambda *_: True)
    monkeypatch.setattr(context.settings, "impasto_slice_seconds", 0.01)

    async def once_the_other_was_refused(store: Store, key: str, data: bytes) -> str:
        if "checkpoint" in key and not saves.is_set():
            saves.set()
            async with asyncio.timeout(PATIENCE):
                await memory.refused.wait()
        return await put(store, key, data)

    other, job = await client.submit(light(5000), user="ann"), await client.submit(recipe, user="bob")
    monkeypatch.setattr(Store, "put", once_the_other_was_refused)
    saved = asyncio.create_task(paint_slice({"context": context}, other.id, 0, 0))
    await saves.wait()
    monkeypatch.setattr(context.settings, "impasto_slice_seconds", 60.0)
    await asyncio.gather(saved, paint_slice({"context": context}, job.id, 0, 0))
    assert memory.refused.is_set()
    assert (await client.run(job))["final"]["sha256"] == uncut


async def test_where_memory_is_too_little_idle_graphs_are_given_up_too(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = list[Graphs]()

    def drop(graphs: Graphs) -> bool:
        dropped.append(graphs)
        return True

    monkeypatch.setattr(Graphs, "drop", drop)
    monkeypatch.setattr(budget, "fits", lambda *_: bool(dropped))
    job = await client.submit(light(12))
    await paint_slice({"context": context}, job.id, 0, 0)
    assert await client.jobs.state(job.id) is JobState.DONE


async def test_a_painting_that_does_not_fit_alone_fails(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "fits", lambda *_: False)
    job = await client.submit(light(12))
    await paint_slice({"context": context}, job.id, 0, 0)
    (last,) = await client.events(job)
    assert isinstance(last, Failed)
    assert "ask for a smaller size" in last.reason


async def test_a_finished_painting_whose_files_cannot_be_made_fails_with_the_remedy(
    context: WorkerContext, client: JobClient
) -> None:
    """It is nobody's death: a worker that met it again would do no better."""
    job = await client.submit(light(12))
    job = job.model_copy(update={"alpha": job.content.model_copy(update={"key": "gone", "name": "alpha.png"})})
    await client.redis.hset(job_key(job.id), "spec", job.model_dump_json())  # type: ignore[misc]
    await paint_slice({"context": context}, job.id, 0, 0)
    last = (await client.events(job))[-1]
    assert isinstance(last, Failed)
    assert last.reason == "The pictures of this painting were lost (alpha.png): send them again."


async def test_of_a_study_each_painting_is_charged_with_what_it_takes_and_a_long_one_with_a_slice(
    context: WorkerContext, client: JobClient
) -> None:
    recipes, most = [light(14), light(11), light(99_900)], context.settings.impasto_slice_seconds
    job = await client.submit(recipes[0], vary=recipes)

    async def charged() -> float:
        (seconds,) = await context.redis.hvals(FINISH)  # type: ignore[misc]
        return float(seconds)

    before = await charged()
    await paint_slice({"context": context}, job.id, 0, 0)
    assert context.heartbeat.speed is not None
    second = (job.remaining_flops(14) - job.remaining_flops(25)) / context.heartbeat.speed
    assert second < most
    assert await charged() - before == pytest.approx(second, abs=2e-3)

    before = await charged()
    await paint_slice({"context": context}, job.id, 14, 1)
    third = job.remaining_flops(25) / context.heartbeat.speed
    assert await charged() - before == pytest.approx(min(most, third), abs=2e-3)


async def test_what_a_drain_gives_back_unpainted_keeps_its_place_and_costs_nothing(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def never(_context: WorkerContext, _claim: Claim) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(WorkerContext, "session", never)
    job = await client.submit(light(12), user="ann")
    await client.submit(light(12), user="bob")

    async def places() -> tuple[list[bytes], dict[bytes, bytes]]:
        """Which jobs wait, in order, and what their users have been charged."""
        charged: Any = context.redis.hgetall(FINISH)
        return [name.rpartition(b":")[0] for name in await context.redis.zrange(QUEUE, 0, -1)], await charged

    before = await places()
    taken = asyncio.create_task(paint_slice({"context": context}, job.id, 0, 0))
    await begun.wait()
    await context.redis.zrem(QUEUE, slice_id(job.id, 0, 0))  # as arq does where a slice has ended
    context.drain()
    await taken
    assert await places() == before
    assert await client.jobs.state(job.id) is JobState.PAINTING
