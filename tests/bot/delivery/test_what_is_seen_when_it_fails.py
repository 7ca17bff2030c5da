"""A place goes away, or is closed, while a painting runs: nobody paints on, and the card says why."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from discord_server.message_text import buttons_of, text_of
from scene import Json, card_of, pictures
from support.delivery import ManualWorker, Stage, job_of, open_stage, refused
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with open_stage(pool, tmp_path_factory.mktemp("places")) as made:
        yield made
        # Far from the ten thousand for which Discord bans an address: nothing that was refused was tried again.
        assert made.discord.world.counts["invalid_requests"] <= 20


async def stopped(stage: Stage, card: Json, worker: ManualWorker) -> None:
    """Two more pictures come, which cannot be shown; the worker is told to stop."""
    for iteration in (10, 12):
        await worker.snapshot(iteration)
    await worker.stopped(13)
    await stage.cancelled(job_of(card))


async def stopped_with(stage: Stage, card: Json, worker: ManualWorker, *words: str) -> None:
    """The same, and the card says so with these words; it can still be gone on from."""
    await stopped(stage, card, worker)
    told = text_of(await stage.scene.ended(card, "**Stopped**"))
    assert all(word in told for word in words), told
    labels = [button["label"] for button in buttons_of(stage.discord.world.message(card))]
    assert "Cancel" not in labels
    assert "Continue" in labels


async def test_the_next_picture_wakes_an_archived_thread(stage: Stage) -> None:
    card, worker = await stage.manual_painting()
    await stage.discord.channel(card).archive()
    seen = len(pictures(stage.discord.world, card))
    await worker.snapshot(10)
    await stage.discord.until(lambda world: len(pictures(world, card)) > seen)
    assert not stage.discord.channel(card).data["thread_metadata"]["archived"]
    assert refused(stage.discord.world, card["id"]) == []


@pytest.mark.parametrize("archive", [True, False])
async def test_a_locked_thread_stops_the_painting(stage: Stage, archive: bool) -> None:
    card, worker = await stage.manual_painting()
    await stage.discord.channel(card).lock(archive)
    await stopped_with(stage, card, worker, "thread is locked", "ask a moderator to unlock it")
    assert refused(stage.discord.world, card["id"]) == [50083 if archive else 160005]


async def test_a_deleted_thread_stops_the_painting(stage: Stage) -> None:
    card, worker = await stage.manual_painting()
    await stage.discord.channel(card).delete()
    await stopped_with(stage, card, worker, "thread was deleted")
    assert len(refused(stage.discord.world, card["id"])) <= 1  # a picture may have been on its way


async def test_a_deleted_card_stops_the_painting(stage: Stage) -> None:
    card, worker = await stage.manual_painting()
    await stage.scene.channel.delete_message(card)
    await stopped(stage, card, worker)
    assert card_of(stage.discord.world, stage.scene.channel, job_of(card)) is None


async def test_a_deleted_channel_stops_the_painting(stage: Stage) -> None:
    card, worker = await stage.manual_painting()
    await stage.scene.channel.delete()
    await stopped(stage, card, worker)


@pytest.mark.parametrize("right", ["send_messages_in_threads", "attach_files"])
async def test_a_permission_taken_away_stops_the_painting(stage: Stage, right: str) -> None:
    card, worker = await stage.manual_painting()
    await stage.scene.channel.deny(right)
    await stopped_with(
        stage, card, worker, "I may not post here: give me", right.replace("_", " ").title().replace(" In ", " in ")
    )
    assert refused(stage.discord.world, card["id"]) == [50013]


async def test_a_channel_out_of_sight_stops_the_painting(stage: Stage) -> None:
    card, worker = await stage.manual_painting()
    await stage.scene.channel.deny("view_channel")
    await stopped(stage, card, worker)


async def test_a_bot_that_is_kicked_stops_its_paintings(stage: Stage) -> None:
    card, worker = await stage.manual_painting()
    await stage.scene.guild.kick_bot()
    await stopped(stage, card, worker)


async def test_direct_messages_that_are_closed_stop_the_painting(stage: Stage) -> None:
    zoe = await stage.discord.user("Zoe", installed=True)
    where = stage.discord.channel(await zoe.dm())
    asked = await stage.scene.stylize(zoe, where)
    card = await stage.scene.card(asked, where)
    worker = await stage.manual_worker(asked.id)
    await zoe.dms(open=False)
    await stopped_with(stage, card, worker, "Your direct messages are closed to me: open them")
    assert 50007 in refused(stage.discord.world, where.id)
