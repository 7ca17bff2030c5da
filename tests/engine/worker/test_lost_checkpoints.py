"""Checkpoints that cannot be read any more: the painting goes back as far as it must, and ends alike."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from support.jobs import JobClient, light, newest_event, uncut_sha256
from support.workers import WorkerPool

from engine.contract.events import Notice, Snapshot
from engine.contract.settings import read_settings
from engine.contract.store import BlobMissing, ReadError, Store
from engine.worker.checkpoints import CheckpointReader
from engine.worker.context import WorkerContext
from engine.worker.slices import paint_slice
from engine.worker.weights.named_weights import load_weights

RECIPE = light(400, snapshots=tuple(range(10, 400, 10)))


@pytest.mark.long
async def test_a_damaged_checkpoint_costs_a_slice_and_the_loss_of_all_costs_what_was_painted(
    client: JobClient, pool: WorkerPool
) -> None:
    worker = pool.start_worker(seconds=0.1).ready()
    one, both = [await client.submit(RECIPE, user=user) for user in ("ann", "bob")]
    for job in (one, both):
        await client.until_it_has_checkpoints(job, 2)
    worker.send(signal.SIGTERM)
    assert worker.ended() == 0
    newest, older = (await client.jobs.fields(one.id))["checkpoints"].split()
    whole = await client.store.get(newest)
    await client.store.put(newest, whole[: len(whole) // 2])
    assert await client.store.get(older)
    await client.store.delete(*(await client.jobs.fields(both.id))["checkpoints"].split())

    # Slices so short that the lost iterations are not made up for in one.
    pool.start_worker(seconds=0.05).ready()
    for job in (one, both):
        run, story = await client.run(job), await client.events(job)
        assert run["final"]["sha256"] == uncut_sha256(RECIPE)
        assert [event.iteration for event in story if isinstance(event, Snapshot)] == list(RECIPE.shown)
        assert [snapshot["iteration"] for snapshot in run["snapshots"]] == list(RECIPE.shown)
    told = [[event.text for event in await client.events(job) if isinstance(event, Notice)] for job in (one, both)]
    ((back,), (over,)) = told
    assert "goes on from iteration" in back
    assert "starts over" in over


async def test_a_store_that_cannot_be_read_for_a_moment_costs_nothing_that_was_painted(
    redis: ArqRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings(store_url=(tmp_path / "store").as_uri(), impasto_slice_seconds=0.05)
    client, get = JobClient(redis, Store(settings.store)), Store.get
    job, before = await client.submit(light(5000)), await newest_event(redis)

    async def fields_after_a_slice() -> dict[str, str]:
        """Of a worker that begins with it, and has nothing in memory."""
        context = WorkerContext(settings, redis, load_weights("random", tmp_path), "cpu")
        fields = await client.jobs.fields(job.id)
        await paint_slice({"context": context}, job.id, int(fields["iteration"]), int(fields["epoch"]))
        return await client.jobs.fields(job.id)

    async def reset_by_peer(store: Store, key: str) -> bytes:
        if "checkpoint" in key:
            raise ReadError(f"{key} could not be read: on order")
        return await get(store, key)

    painted = await fields_after_a_slice()
    assert int(painted["iteration"]) > 0
    monkeypatch.setattr(Store, "get", reset_by_peer)
    given_back = await fields_after_a_slice()
    kept = ("iteration", "checkpoints", "worker", "deaths")
    assert [given_back[name] for name in kept] == [painted[name] for name in kept]
    monkeypatch.setattr(Store, "get", get)
    assert int((await fields_after_a_slice())["iteration"]) > int(painted["iteration"])
    notices = [event for event in await client.told(before, {job.id}) if isinstance(event, Notice)]
    assert [(notice.waits, notice.text) for notice in notices] == [
        (True, "The painting waits, for its pictures cannot be fetched now (it does not answer); "
         "it goes on by itself once they can."),
        (False, "The store of pictures can be used again: the painting goes on."),
    ]  # fmt: skip


async def test_a_checkpoint_that_stays_out_of_reach_is_lost_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or one that cannot be read again would hold its painting up for ever. An outage of the whole store is no loss."""

    async def refuse(_store: Store, key: str = "all") -> bytes:
        if key in refused:
            raise ReadError(f"{key} could not be read: Input/output error")
        return b"whole"

    async def passing(key: str) -> None:
        with pytest.raises(ReadError):  # and not `BlobMissing`
            await reader.read(key)

    refused = {"one", "other", "all"}
    reader = CheckpointReader(Store((tmp_path / "store").as_uri()))
    monkeypatch.setattr(Store, "get", refuse)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    await passing("one")
    await passing("other")
    refused.remove("other")
    assert await reader.read("other") == b"whole"
    refused.add("other")
    for _ in range(3):
        now += 199
        await passing("one")
    now += 4
    with pytest.raises(BlobMissing):
        await reader.read("one")
    await passing("other")  # it was read meanwhile
    monkeypatch.setattr(Store, "prove", refuse)
    await passing("one")


async def test_three_failures_far_apart_are_no_loss_and_the_fourth_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between them it may have been read by another worker."""

    async def refuse(_store: Store, key: str) -> bytes:
        if key == "identity":
            return b"a store"
        raise ReadError(f"{key} could not be read: Connection reset by peer")

    reader = CheckpointReader(Store((tmp_path / "store").as_uri()))
    monkeypatch.setattr(Store, "get", refuse)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(3):
        with pytest.raises(ReadError):
            await reader.read("one")
        now += 660  # as where many others have their turns between
    with pytest.raises(BlobMissing):
        await reader.read("one")
    now += 7 * 3600
    with pytest.raises(ReadError):
        await reader.read("another")
    assert [*reader._unread] == ["another"]  # what is never asked for again is forgotten
