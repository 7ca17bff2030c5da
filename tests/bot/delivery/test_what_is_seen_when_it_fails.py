"""A place goes away, or is closed, while a painting runs: nobody paints on, and the card says why."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conftest import House
from discord_server.reading import buttons_of, text_of
from scene import LONG, Json, card_of, pictures
from trouble_kit import Stage, job_of, refused, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_stage(busy_house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage(busy_house, tmp_path_factory.mktemp("places")) as made:
        yield made
        # Far from the ten thousand for which Discord bans an address: nothing that was refused was tried again.
        assert made.discord.world.counts["invalid_requests"] <= 20


@pytest_asyncio.fixture(loop_scope="module")
async def on(house_stage: Stage) -> AsyncIterator[Stage]:
    """A server, a channel and a member of the test's own."""
    await house_stage.scene.open()
    yield house_stage
    await house_stage.clear()
    assert house_stage.discord.world.violations == []


async def stopped_with(on: Stage, card: Json, *words: str) -> None:
    """The job is cancelled, and the card says so with these words; it can still be gone on from."""
    await on.cancelled(job_of(card))
    told = text_of(await on.scene.ended(card, "**Stopped**"))
    assert all(word in told for word in words), told
    labels = [button["label"] for button in buttons_of(on.discord.world.message(card))]
    assert "Cancel" not in labels
    assert "Continue" in labels


async def test_the_next_picture_wakes_an_archived_thread(on: Stage) -> None:
    card = await on.painting()
    await on.discord.channel(card).archive()
    seen = len(pictures(on.discord.world, card))
    await on.discord.until(lambda world: len(pictures(world, card)) > seen)
    assert not on.discord.channel(card).data["thread_metadata"]["archived"]
    assert refused(on.discord.world, card["id"]) == []


@pytest.mark.parametrize("archive", [True, False])
async def test_a_locked_thread_stops_the_painting(on: Stage, archive: bool) -> None:
    card = await on.painting()
    await on.discord.channel(card).lock(archive)
    await stopped_with(on, card, "thread is locked", "ask a moderator to unlock it")
    assert refused(on.discord.world, card["id"]) == [50083 if archive else 160005]


async def test_a_deleted_thread_stops_the_painting(on: Stage) -> None:
    card = await on.painting()
    await on.discord.channel(card).delete()
    await stopped_with(on, card, "thread was deleted")
    assert len(refused(on.discord.world, card["id"])) <= 1  # a picture may have been on its way


async def test_a_deleted_card_stops_the_painting(on: Stage) -> None:
    card = await on.painting()
    await on.scene.channel.delete_message(card)
    await on.cancelled(job_of(card))
    assert card_of(on.discord.world, on.scene.channel, job_of(card)) is None


async def test_a_deleted_channel_stops_the_painting(on: Stage) -> None:
    card = await on.painting()
    await on.scene.channel.delete()
    await on.cancelled(job_of(card))


@pytest.mark.parametrize("right", ["send_messages_in_threads", "attach_files"])
async def test_a_permission_taken_away_stops_the_painting(on: Stage, right: str) -> None:
    card = await on.painting()
    await on.scene.channel.deny(right)
    await stopped_with(
        on, card, "I may not post here: give me", right.replace("_", " ").title().replace(" In ", " in ")
    )
    assert refused(on.discord.world, card["id"]) == [50013]


async def test_a_channel_out_of_sight_stops_the_painting(on: Stage) -> None:
    card = await on.painting()
    await on.scene.channel.deny("view_channel")
    await on.cancelled(job_of(card))


async def test_a_bot_that_is_kicked_stops_its_paintings(on: Stage) -> None:
    card = await on.painting()
    await on.scene.guild.kick_bot()
    await on.cancelled(job_of(card))


async def test_direct_messages_that_are_closed_stop_the_painting(on: Stage) -> None:
    zoe = await on.discord.user("Zoe", installed=True)
    where = on.discord.channel(await zoe.dm())
    asked = await on.scene.stylize(zoe, where, **LONG)
    card = await on.scene.card(asked, where)
    await zoe.dms(open=False)
    await stopped_with(on, card, "Your direct messages are closed to me: open them")
    assert 50007 in refused(on.discord.world, where.id)
