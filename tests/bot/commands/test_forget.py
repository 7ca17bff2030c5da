"""`/forget`: of what somebody had painted nothing is left, neither on Discord nor in Redis nor in the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Channel, Person
from discord_server.message_text import text_of
from manual_worker import manual_worker
from scene import LONG, Scene, pictures, scene
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.models import job_key, seen_key

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
SHORT: Json = {"iterations": 12}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("forget")) as made:
        yield made
        assert made.discord.world.violations == []


@pytest.mark.long
async def test_a_restart_in_the_middle_does_not_save_anything(stage: Scene) -> None:
    """What has ended, and tells no more, is remembered to be forgotten."""
    eve = await stage.guild.member("Eve")
    job, card = await _painting(stage, eve, stage.channel)
    async with manual_worker(stage, job) as painter:
        await painter.snapshot(10)
        await painter.stopped(20)
    await stage.ended(card, "**Stopped**")
    stuck = await stage.discord.fault("DELETE /channels/**", swallow="hang")
    await eve.slash(stage.channel, "forget")
    await stage.discord.until(lambda world: world.requests[-1]["method"] == "DELETE" or None)
    stage.bots[-1].kill()
    await stuck.remove()
    assert await stage.traces(job) != []
    await stage.start_bot()
    await _gone(stage, job)
    assert _cards(stage, stage.channel, job) == []


async def test_a_card_that_waits_for_its_turn_is_not_edited_any_more(stage: Scene) -> None:
    eve, bob = await stage.guild.member("Eve"), await stage.guild.member("Bob")
    job, card = await _painting(stage, eve, stage.channel, **LONG)
    other_job, other_card = await _painting(stage, bob, await stage.guild.channel("other"), **LONG)
    async with manual_worker(stage, job) as painter, manual_worker(stage, other_job) as other:
        await painter.progress(1)
        await stage.ended(card, "iteration 1 of")
        await painter.progress(2)
        await other.progress(1)
        await stage.ended(other_card, "iteration 1 of")
        await stage.private_reply(await eve.slash(stage.channel, "forget"))
        await painter.stopped(3)
        await _gone(stage, job)
        await other.progress(2)
        await stage.ended(other_card, "iteration 2 of")  # by then it would have been the turn of the first
        await other.stopped(3)
    await _gone(stage, job)
    assert [one for one in stage.discord.world.refusals if one["request"].startswith("PATCH")] == []


async def test_everything_of_mine_is_deleted_and_nothing_of_others(stage: Scene, late_worker: None) -> None:
    guild = await stage.discord.guild("Free", bot_permissions=["manage_threads"])
    channel, eve, bob = await guild.channel("paintings"), await guild.member("Eve"), await guild.member("Bob")
    dm, other = stage.discord.channel(await eve.dm()), await guild.channel("other")
    done, done_card = await _painting(stage, eve, channel, **SHORT)
    by_dm, dm_card = await _painting(stage, eve, dm, **SHORT)
    for card in (done_card, dm_card):
        await stage.ended(card)
    await (await eve.slash(other, "show", job=done)).shown()
    running, running_card = await _painting(stage, eve, channel, **LONG)
    await stage.discord.until(lambda world: pictures(world, running_card["id"]))
    bobs, bobs_card = await _painting(stage, bob, channel, **SHORT)
    await stage.ended(bobs_card)

    asked = await eve.slash(channel, "forget")
    assert await stage.private_reply(asked) == "Your 3 paintings and all their pictures are being deleted."
    for job in (done, by_dm, running):
        await _gone(stage, job)
        for place in (channel, other, dm):
            assert _cards(stage, place, job) == []
    world = stage.discord.world
    assert world.messages(dm) == []
    assert [thread["id"] for thread in world.threads(channel)] == [bobs_card["id"]]
    assert pictures(world, bobs_card["id"]) == ["00010.png", "final.png", "loss.png", "film.webp"]
    assert await stage.traces(bobs) != []
    assert "**Done**" in text_of(world.message(bobs_card))
    asked = await eve.slash(channel, "forget")
    assert await stage.private_reply(asked) == "I keep nothing of yours."


async def test_a_thread_that_may_not_be_deleted_is_emptied_and_loses_its_name(stage: Scene, late_worker: None) -> None:
    guild = await stage.discord.guild("Strict")
    channel, eve = await guild.channel("paintings"), await guild.member("Eve")
    job, card = await _painting(stage, eve, channel, **SHORT)
    await stage.ended(card)
    thread = stage.discord.channel(card["id"])
    await thread.archive()  # as Discord does by itself after a while
    await stage.private_reply(await eve.slash(channel, "forget"))
    await _gone(stage, job)
    assert stage.discord.world.messages(thread) == []
    assert thread.data["name"] == "A painting"
    assert thread.data["thread_metadata"]["archived"]
    assert _cards(stage, channel, job) == []


async def test_messages_of_a_painting_that_has_expired_are_deleted_too(stage: Scene, late_worker: None) -> None:
    """Its page is kept for longer than moderators may let a painting be kept."""
    eve = await stage.guild.member("Eve")
    job, card = await _painting(stage, eve, stage.channel, **SHORT)
    await stage.ended(card)
    async with connect(stage.pool.url) as redis:
        await redis.delete(job_key(job), seen_key(job))
    asked = await eve.slash(stage.channel, "forget")
    assert await stage.private_reply(asked) == "Your 1 painting and all their pictures are being deleted."
    await _gone(stage, job)
    assert _cards(stage, stage.channel, job) == []
    assert stage.discord.world.messages(card["id"]) == []
    asked = await eve.slash(stage.channel, "forget")
    assert await stage.private_reply(asked) == "I keep nothing of yours."


async def test_what_is_kept_of_a_painting_whose_page_is_gone_is_deleted_too(stage: Scene, late_worker: None) -> None:
    eve, channel = await stage.guild.member("Eve"), await stage.guild.channel("pages that are gone")
    done, card = await _painting(stage, eve, channel, **SHORT)
    await stage.ended(card)
    running, _ = await _painting(stage, eve, channel, **LONG)
    async with connect(stage.pool.url) as redis:
        await redis.delete(f"impasto:posted:{done}", f"impasto:posted:{running}")
    asked = await eve.slash(channel, "forget")
    assert await stage.private_reply(asked) == "Your 2 paintings and all their pictures are being deleted."
    for job in (done, running):
        await _gone(stage, job)


@pytest.mark.long
async def test_a_card_that_show_was_about_to_bring_is_not_left(stage: Scene, late_worker: None) -> None:
    eve, other = await stage.guild.member("Eve"), await stage.guild.channel("late")
    job, card = await _painting(stage, eve, stage.channel, **SHORT)
    await stage.ended(card)
    await stage.forget_on_its_way(job, eve, eve.slash(other, "show", job=job))
    assert stage.discord.world.messages(other) == []
    await _gone(stage, job)


async def test_forgetting_a_painting_before_its_first_stroke(stage: Scene, late_worker: None) -> None:
    eve = await stage.guild.member("Eve")
    jobs = [(await stage.stylize(eve, **LONG)).id for _ in range(2)]
    for _ in jobs:
        await stage.discord.until(lambda world: [_cards(stage, stage.channel, job)[0] for job in jobs])
    await stage.private_reply(await eve.slash(stage.channel, "forget"))
    for job in jobs:
        await _gone(stage, job)
        assert _cards(stage, stage.channel, job) == []


async def _painting(stage: Scene, person: Person, channel: Channel, **options: Any) -> tuple[str, Json]:
    asked = await stage.stylize(person, channel, **options)
    return asked.id, await stage.card(asked, channel)


def _cards(stage: Scene, channel: Channel, job: str) -> list[Json]:
    """The messages that show the painting's number."""
    return [message for message in stage.discord.world.messages(channel) if f"`{job}`" in text_of(message)]


async def _gone(stage: Scene, job: str) -> None:
    """Returns when nothing is kept of a job."""
    for _ in range(1000):
        # A turn in the queue knows no more than the number, and goes when it comes up.
        left = [key for key in await stage.traces(job) if not key.startswith("arq:")]
        if not left:
            return
        await asyncio.sleep(0.02)  # neither Redis nor a file system says when something goes
    raise AssertionError(f"there is still {left}")
