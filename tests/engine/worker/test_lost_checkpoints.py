"""Checkpoints that cannot be read any more: the painting goes back as far as it must, and ends alike."""

from __future__ import annotations

import signal

from conftest import Desk, House, light, uncut_sha256

from engine.contract.events import Notice, Snapshot

RECIPE = light(400, snapshots=tuple(range(10, 400, 10)))


async def test_a_damaged_checkpoint_costs_a_slice_and_the_loss_of_all_costs_what_was_painted(
    desk: Desk, house: House
) -> None:
    hand = house.hire(seconds=0.1).ready()
    one, both = [await desk.order(RECIPE, user=user) for user in ("ann", "bob")]
    for job in (one, both):
        await desk.until_it_has_checkpoints(job, 2)
    hand.send(signal.SIGTERM)
    assert hand.ended() == 0
    newest, older = (await desk.jobs.fields(one.id))["checkpoints"].split()
    whole = await desk.store.get(newest)
    await desk.store.put(newest, whole[: len(whole) // 2])
    assert await desk.store.get(older)
    await desk.store.delete(*(await desk.jobs.fields(both.id))["checkpoints"].split())

    # Slices so short that the lost iterations are not made up for in one.
    house.hire(seconds=0.05).ready()
    for job in (one, both):
        run, story = await desk.run(job), await desk.story(job)
        assert run["final"]["sha256"] == uncut_sha256(RECIPE)
        assert [event.iteration for event in story if isinstance(event, Snapshot)] == list(RECIPE.shown)
        assert [snapshot["iteration"] for snapshot in run["snapshots"]] == list(RECIPE.shown)
    told = [[event.text for event in await desk.story(job) if isinstance(event, Notice)] for job in (one, both)]
    ((back,), (over,)) = told
    assert "goes on from iteration" in back
    assert "starts over" in over
