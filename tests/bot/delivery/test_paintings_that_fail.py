"""A painting that ends without a picture, or whose pictures cannot be shown: its card says why and what to do."""

from __future__ import annotations

import pytest
from discord_server.codes import MessageFlag
from discord_server.message_text import buttons_of, files_of, text_of
from scene import Json, pictures
from support.delivery import Stage, job_of, refused
from support.workers import WorkerPool

from bot.post_ledger import Ledger

pytestmark = pytest.mark.asyncio(loop_scope="module")


BOT_SETTINGS = {"IMPASTO_WEIGHTS": "imagenet"}
TOO_LARGE = "The picture does not fit into the device's memory: ask for a smaller size."


async def test_a_failure_is_told_in_its_own_words(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    await manual_worker.failed(TOO_LARGE)
    failed = await stage.scene.ended(card, "**It failed**")
    assert TOO_LARGE in text_of(failed)
    assert [button["label"] for button in buttons_of(failed)] == ["Again", "Swap", "Stronger", "Weaker"]


async def test_who_asked_to_be_mentioned_is_told_in_the_thread_that_it_failed(stage: Stage) -> None:
    asked = await stage.scene.stylize(mention=True)
    card = await stage.scene.card(asked)
    manual_worker = await stage.manual_worker(asked.id)
    await manual_worker.failed(TOO_LARGE)
    await stage.scene.ended(card, "**It failed**")
    (told,) = stage.discord.world.messages(card["id"])
    assert told["content"] == f"<@{stage.scene.ada.id}>\n**It failed**\n{TOO_LARGE}"
    assert [user["id"] for user in told["mentions"]] == [stage.scene.ada.id]
    assert not told["flags"] & MessageFlag.SUPPRESS_NOTIFICATIONS
    assert [button["label"] for button in buttons_of(told)] == ["Again"]


async def test_that_it_failed_is_told_once_though_the_bot_was_killed_before_it_knew(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    unheard = await stage.discord.fault(f"POST /channels/{card['id']}/messages", times=1, swallow="hang")
    await manual_worker.failed(TOO_LARGE)
    await stage.discord.until(lambda world: world.messages(card["id"]))
    stage.scene.bots[-1].kill()
    await stage.discord.turn_clock(600)  # the nonce holds no longer
    await stage.scene.start_bot(**BOT_SETTINGS)
    await stage.scene.ended(card, "**It failed**")
    assert await unheard.hits() == 1
    assert [one["content"] for one in stage.discord.world.messages(card["id"])] == [f"**It failed**\n{TOO_LARGE}"]


async def test_a_failure_wakes_the_archived_thread_that_its_card_is_in(stage: Stage) -> None:
    thread = await stage.scene.channel.thread("about it", stage.scene.ada)
    asked = await stage.scene.stylize(channel=thread)
    card = await stage.scene.card(asked, thread)
    manual_worker = await stage.manual_worker(asked.id)
    await stage.scene.ended(card, "**Painting**")
    await thread.archive()
    await manual_worker.failed("The painting was set aside: 3 workers ended while on it.")
    assert "set aside" in text_of(await stage.scene.ended(card, "**It failed**"))
    assert not thread.data["thread_metadata"]["archived"]


async def test_the_end_of_a_painting_that_never_began_wakes_the_archived_thread_that_its_card_is_in(
    stage: Stage,
) -> None:
    thread = await stage.scene.channel.thread("about it", stage.scene.ada)
    asked = await stage.scene.stylize(channel=thread)
    await stage.scene.private_reply(asked)
    await thread.archive()
    await stage.client.jobs.cancel(asked.id)
    await stage.scene.ended(await stage.scene.card(asked, thread), "**Stopped**")
    assert not thread.data["thread_metadata"]["archived"]
    assert set(refused(stage.discord.world, thread.id)) == {50083}  # the end's own edit, and maybe one before it


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (160006, 400, "This server has as many open threads as Discord allows: close some, and ask again."),
        (50013, 403, "I may not post here: give me Send Messages, Create Public Threads"),
    ],
)
async def test_without_a_thread_nothing_is_painted(stage: Stage, code: int, status: int, words: str) -> None:
    there = f"POST /channels/{stage.scene.channel.id}/messages/*/threads"
    await stage.discord.fault(there, status=status, code=code)
    asked = await stage.scene.stylize()
    assert words in await stage.scene.private_reply(asked)
    await stage.cancelled(asked.id)
    assert words in text_of(await stage.scene.ended(await stage.scene.card(asked), "**Stopped**"))
    assert refused(stage.discord.world, stage.scene.channel.id) == [code]


async def test_the_right_to_attach_files_that_goes_before_the_end_is_told(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    await stage.scene.channel.deny("attach_files")
    await manual_worker.done()
    done = await stage.scene.ended(card)
    assert "I may not post here: give me" in text_of(done)
    assert "all of it in" not in text_of(done)
    assert sorted(files_of(done)) == sorted(files_of(card))
    assert pictures(stage.discord.world, card["id"]) == []
    assert refused(stage.discord.world, card["id"]) == [50013, 50013]  # the picture, and the card with it


async def test_what_goes_away_while_there_is_nothing_to_post_stops_the_painting(stage: Stage) -> None:
    voices = await stage.scene.guild.channel("voices", "voice")  # where no thread goes with the channel
    asked = await stage.scene.stylize(channel=voices)
    await stage.scene.private_reply(asked)
    talked, about_it = await stage.scene.card(asked, voices), await stage.manual_worker(asked.id)
    threaded, under_it = await stage.manual_painting()
    await stage.scene.open()
    elsewhere, beyond = await stage.manual_painting()
    for card in (talked, threaded, elsewhere):
        await stage.scene.ended(card, "**Painting**")  # so that no edit is to come that would find out
    await voices.delete()
    await about_it.stopped(10)
    assert (await _reason(stage, talked)).startswith("The channel was deleted, so the painting was stopped: ask for it")
    await stage.discord.channel(threaded).delete()
    await under_it.stopped(10)
    told = text_of(await stage.scene.ended(threaded, "**Stopped**"))
    assert "The thread was deleted, so the painting was stopped: press Continue to go on in a new one." in told
    await stage.scene.guild.kick_bot()
    await beyond.stopped(10)
    assert (await _reason(stage, elsewhere)).startswith("I was removed from the server, so the painting was stopped:")


async def _reason(stage: Stage, card: Json) -> str:
    """What `/show` would tell elsewhere."""
    page = await Ledger(stage.client.redis).page(job_of(card))
    assert page is not None
    return page.stopped


async def test_what_was_to_be_stopped_when_the_bot_was_killed_is_stopped_by_the_next(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    stage.scene.bots[-1].kill()
    await Ledger(stage.client.redis).stop(job_of(card), "The thread was deleted, so the painting was stopped.")
    await stage.scene.start_bot(**BOT_SETTINGS)
    await manual_worker.stopped(10)
    assert "The thread was deleted" in text_of(await stage.scene.ended(card, "**Stopped**"))


@pytest.mark.long
async def test_weights_that_no_worker_has_are_told(stage: Stage, pool: WorkerPool) -> None:
    asked = await stage.scene.stylize()
    await stage.scene.private_reply(asked)
    pool.start_worker().ready()
    told = text_of(await stage.scene.ended(await stage.scene.card(asked), "**It failed**"))
    assert "needs the weights imagenet, and the worker has random: start a worker with those weights." in told
