"""Checkpoints that cannot be read any more: the painting goes back as far as it must, and ends alike."""

from __future__ import annotations

import signal

from support.jobs import JobClient, light, uncut_sha256
from support.workers import WorkerPool

from engine.contract.events import Notice, Snapshot

RECIPE = light(400, snapshots=tuple(range(10, 400, 10)))


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
