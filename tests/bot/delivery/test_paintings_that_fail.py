"""A painting that ends without a picture, or whose pictures cannot be shown: its card says why and what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conftest import House
from discord_server.reading import buttons_of, files_of, text_of
from scene import Json, pictures
from trouble_kit import Stage, job_of, refused, stage

from bot.ledger import Ledger

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_stage(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage(house, tmp_path_factory.mktemp("failures"), IMPASTO_WEIGHTS="imagenet") as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def on(house_stage: Stage) -> AsyncIterator[Stage]:
    """A server, a channel and a member of the test's own."""
    await house_stage.scene.open()
    yield house_stage
    await house_stage.clear()
    assert house_stage.discord.world.violations == []


async def test_a_failure_is_told_in_its_own_words(on: Stage) -> None:
    card, brush = await on.easel()
    reason = "The picture does not fit into the device's memory: ask for a smaller size."
    await brush.failed(reason)
    failed = await on.scene.ended(card, "**It failed**")
    assert reason in text_of(failed)
    assert [button["label"] for button in buttons_of(failed)] == ["Again", "Swap", "Stronger", "Weaker"]


async def test_a_failure_wakes_the_archived_thread_that_its_card_is_in(on: Stage) -> None:
    thread = await on.scene.channel.thread("about it", on.scene.ada)
    asked = await on.scene.stylize(channel=thread)
    card = await on.scene.card(asked, thread)
    brush = await on.brush(asked.id)
    await on.scene.ended(card, "**Painting**")
    await thread.archive()
    await brush.failed("The painting was set aside: 3 workers ended while on it.")
    assert "set aside" in text_of(await on.scene.ended(card, "**It failed**"))
    assert not thread.data["thread_metadata"]["archived"]
    assert refused(on.discord.world, thread.id) == [50083]


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (160006, 400, "This server has as many open threads as Discord allows: close some, and ask again."),
        (50013, 403, "I may not post here: give me Send Messages, Create Public Threads"),
    ],
)
async def test_without_a_thread_nothing_is_painted(on: Stage, code: int, status: int, words: str) -> None:
    there = f"POST /channels/{on.scene.channel.id}/messages/*/threads"
    await on.discord.fault(there, status=status, code=code)
    asked = await on.scene.stylize()
    assert words in await on.scene.whispered(asked)
    await on.cancelled(asked.id)
    assert words in text_of(await on.scene.ended(await on.scene.card(asked), "**Stopped**"))
    assert refused(on.discord.world, on.scene.channel.id) == [code]


async def test_the_right_to_attach_files_that_goes_before_the_end_is_told(on: Stage) -> None:
    card, brush = await on.easel()
    await on.scene.channel.deny("attach_files")
    await brush.done()
    done = await on.scene.ended(card)
    assert "I may not post here: give me" in text_of(done)
    assert "all of it in" not in text_of(done)
    assert sorted(files_of(done)) == sorted(files_of(card))
    assert pictures(on.discord.world, card["id"]) == []
    assert refused(on.discord.world, card["id"]) == [50013, 50013]  # the picture, and the card with it


async def test_what_goes_away_while_there_is_nothing_to_post_stops_the_painting(on: Stage) -> None:
    voices = await on.scene.guild.channel("voices", "voice")  # where no thread goes with the channel
    asked = await on.scene.stylize(channel=voices)
    await on.scene.whispered(asked)
    talked, about_it = await on.scene.card(asked, voices), await on.brush(asked.id)
    threaded, under_it = await on.easel()
    await on.scene.open()
    elsewhere, beyond = await on.easel()
    for card in (talked, threaded, elsewhere):
        await on.scene.ended(card, "**Painting**")  # so that no edit is to come that would find out
    await voices.delete()
    await about_it.stopped(10)
    assert (await _reason(on, talked)).startswith("The channel was deleted, so the painting was stopped: ask for it")
    await on.discord.channel(threaded).delete()
    await under_it.stopped(10)
    told = text_of(await on.scene.ended(threaded, "**Stopped**"))
    assert "The thread was deleted, so the painting was stopped: press Continue to go on in a new one." in told
    await on.scene.guild.kick_bot()
    await beyond.stopped(10)
    assert (await _reason(on, elsewhere)).startswith("I was removed from the server, so the painting was stopped:")


async def _reason(on: Stage, card: Json) -> str:
    """What `/show` would tell elsewhere."""
    page = await Ledger(on.desk.redis).page(job_of(card))
    assert page is not None
    return page.stopped


async def test_what_was_to_be_stopped_when_the_bot_was_killed_is_stopped_by_the_next(on: Stage) -> None:
    card, brush = await on.easel()
    on.scene.bots[-1].kill()
    await Ledger(on.desk.redis).stop(job_of(card), "The thread was deleted, so the painting was stopped.")
    await on.scene.start_bot(IMPASTO_WEIGHTS="imagenet")
    await brush.stopped(10)
    assert "The thread was deleted" in text_of(await on.scene.ended(card, "**Stopped**"))


async def test_weights_that_no_worker_has_are_told(on: Stage, house: House) -> None:
    asked = await on.scene.stylize()
    await on.scene.whispered(asked)
    house.hire().ready()
    told = text_of(await on.scene.ended(await on.scene.card(asked), "**It failed**"))
    assert "needs the weights imagenet, and the worker has random: start a worker with those weights." in told
