"""`/forget` where Discord does not answer, where much is to be deleted, and where others are in the thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Channel, Person
from discord_server.message_text import text_of
from discord_server.tests.raw import Raw
from forgetting import NOBODY, busiest_second, forgotten, hang_up
from manual_worker import manual_worker
from scene import LONG, Scene, pictures, scene
from support.workers import WorkerPool

from bot.post_ledger import Ledger
from engine.contract.connection import connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("forget")) as made:
        yield made
        assert made.discord.world.violations == []


@pytest.mark.long
async def test_it_goes_on_until_discord_answers_over_a_restart_and_tells_how_far_it_is(stage: Scene) -> None:
    eve = await stage.guild.member("Eve")
    _, card = await _stopped(stage, eve, stage.channel)
    deaf = await stage.discord.fault(f"DELETE /channels/{stage.channel.id}/messages/{card['id']}", status=503)
    asked = await eve.slash(stage.channel, "forget")
    assert await stage.private_reply(asked) == "Your 1 painting and all their pictures are being deleted."
    await _struck(stage, card, 6)  # by then it took no for an answer, once
    assert await _told(stage, eve) == (
        "Your 1 painting and all their pictures are being deleted; left on Discord: 1 message."
    )
    stage.bots[-1].kill()
    await stage.start_bot()
    struck = len(_deletions(stage, card))
    await _struck(stage, card, struck + 2)
    assert stage.discord.world.messages(stage.channel) != []
    await deaf.remove()
    await _all_forgotten(stage)
    assert [one for one in stage.discord.world.messages(stage.channel) if one["id"] == card["id"]] == []
    assert await _told(stage, eve) == "I keep nothing of yours."


async def test_an_answer_that_is_no_answer_for_the_message_drops_nothing(stage: Scene) -> None:
    """As when Cloudflare forbids it in Discord's place."""
    eve = await stage.guild.member("Eve")
    _, card = await _stopped(stage, eve, stage.channel)
    await stage.discord.fault(f"DELETE /channels/{stage.channel.id}/messages/{card['id']}", status=403, times=1)
    await eve.slash(stage.channel, "forget")
    await _struck(stage, card, 1)
    assert "left on Discord" in await _told(stage, eve)  # which asks once more
    await _all_forgotten(stage)
    assert [one for one in stage.discord.world.messages(stage.channel) if one["id"] == card["id"]] == []


async def test_what_is_on_discord_goes_though_the_store_is_away(stage: Scene) -> None:
    eve = await stage.guild.member("Eve")
    _, card = await _stopped(stage, eve, stage.channel)
    store = stage.pool.folder / "store"
    elsewhere = store.rename(store.with_name("elsewhere"))
    store.write_text("no folder")
    await eve.slash(stage.channel, "forget")
    await stage.discord.until(lambda world: card["id"] not in _ids(world.messages(stage.channel)) or None)
    store.unlink()
    elsewhere.rename(store)
    await _all_forgotten(stage)


async def test_it_goes_on_where_discord_gave_no_answer_while_the_store_was_away(stage: Scene) -> None:
    eve = await stage.guild.member("Eve")
    _, card = await _stopped(stage, eve, stage.channel)
    await stage.discord.fault(f"DELETE /channels/{stage.channel.id}/messages/{card['id']}", status=403, times=1)
    store = stage.pool.folder / "store"
    elsewhere = store.rename(store.with_name("elsewhere"))
    store.write_text("no folder")
    await eve.slash(stage.channel, "forget")
    await _struck(stage, card, 1)
    store.unlink()
    elsewhere.rename(store)
    await _all_forgotten(stage)
    assert card["id"] not in _ids(stage.discord.world.messages(stage.channel))


async def test_paintings_go_though_what_redis_has_of_the_members_styles_cannot_be_read(stage: Scene) -> None:
    eve = await stage.guild.member("Eve")
    await _stopped(stage, eve, stage.channel)
    async with connect(stage.pool.url) as redis:
        await redis.set(f"impasto:saved:{eve.id}", "a text")
        assert await _told(stage, eve) == "My memory does not answer at the moment: try again in a minute."
        await _all_forgotten(stage)
        await redis.delete(f"impasto:saved:{eve.id}")
    assert await _told(stage, eve) == "I keep nothing of yours."


async def test_what_is_on_discord_goes_though_no_worker_says_that_it_has_stopped(stage: Scene) -> None:
    eve = await stage.guild.member("Eve")
    asked = await stage.stylize(eve, **LONG)
    card = await stage.card(asked)
    async with manual_worker(stage, asked.id) as painter:
        await painter.snapshot(10)
        await stage.discord.until(lambda world: pictures(world, card["id"]))
        await eve.slash(stage.channel, "forget")
        await stage.discord.until(lambda world: world.messages(card["id"]) == [] or None)
        await stage.discord.until(lambda world: card["id"] not in _ids(world.messages(stage.channel)) or None)
        await painter.stopped(11)
    await _all_forgotten(stage)


async def test_a_card_that_show_has_brought_is_not_counted_once_it_is_deleted(stage: Scene) -> None:
    eve = await stage.guild.member("Eve")
    asked = await stage.stylize(eve, **LONG)
    card = await stage.card(asked)
    async with manual_worker(stage, asked.id) as painter:
        shown = await (await eve.slash(stage.channel, "show", job=asked.id)).shown()
        await eve.slash(stage.channel, "forget")
        gone = {card["id"], shown["id"]}
        await stage.discord.until(lambda world: not gone & set(_ids(world.messages(stage.channel))) or None)
        async with connect(stage.pool.url) as redis:
            while (page := await Ledger(redis).page(asked.id)) and page.card:  # noqa: ASYNC110 - Redis does not say
                await asyncio.sleep(0.02)
        assert await _told(stage, eve) == (
            "Your 1 painting and all their pictures are being deleted; left on Discord: 0 messages."
        )
        await painter.stopped(11)
    await _all_forgotten(stage)


async def test_a_card_that_show_was_about_to_bring_is_not_counted_once_it_is_deleted(stage: Scene) -> None:
    """Though Discord has deleted it at the first of two requests, and does not know it at the second."""
    eve, other = await stage.guild.member("Eve"), await stage.guild.channel("late")
    asked = await stage.stylize(eve, **LONG)
    await stage.card(asked)
    async with manual_worker(stage, asked.id) as painter:
        late = await stage.discord.fault("PATCH /webhooks/**", with_files=True, times=1, delay_s=600)
        await stage.discord.fault("DELETE /webhooks/**", swallow="cut", times=1)
        await eve.slash(other, "show", job=asked.id)
        while not await late.hits():
            await stage.discord.now()
        before = len(stage.discord.world.requests)
        await _told(stage, eve)
        await late.release()
        await stage.discord.until(lambda world: [one for one in world.requests[before:] if _unknown_answer(one)])
        assert stage.discord.world.messages(other) == []
        await _none_counted(asked.id, stage)
        assert await _told(stage, eve) == (
            "Your 1 painting and all their pictures are being deleted; left on Discord: 0 messages."
        )
        await painter.stopped(11)
    await _all_forgotten(stage)
    assert [said for said in stage.said() if said["event"] == "an interaction broke off"] == []


def _unknown_answer(request: Json) -> bool:
    return bool(request["method"] == "DELETE" and "/webhooks/" in request["path"] and request["status"] == 404)


async def _none_counted(job: str, stage: Scene) -> None:
    """Returns when the ledger knows of no message of a job."""
    async with connect(stage.pool.url) as redis:
        for _ in range(1000):
            page = await Ledger(redis).page(job)
            if page is None or not page.messages:
                return
            await asyncio.sleep(0.02)  # Redis does not say
    raise AssertionError(f"there is still {page}")


async def test_what_was_posted_and_not_noted_goes_too(stage: Scene) -> None:
    """A process was killed between the two."""
    eve = await stage.guild.member("Eve")
    job, card = await _stopped(stage, eve, stage.channel)
    raw = Raw(stage.discord)
    posted = await raw(
        "POST",
        f"/channels/{card['id']}/messages",
        {"content": "a", **NOBODY},
        {f"impasto-{job}-00030.png": b"a"},
    )
    assert posted.status == 200
    await _told(stage, eve)
    await _all_forgotten(stage)
    assert stage.discord.world.messages(card["id"]) == []


async def test_in_a_thread_what_is_others_stays_and_is_painted_on(stage: Scene) -> None:
    guild = await stage.discord.guild("Free", bot_permissions=["manage_threads"])
    channel, eve, bob = await guild.channel("paintings"), await guild.member("Eve"), await guild.member("Bob")
    _, card = await _stopped(stage, eve, channel)
    thread = stage.discord.channel(card["id"])
    asked = await stage.stylize(bob, thread, **LONG)
    bobs = await stage.card(asked, thread)
    async with manual_worker(stage, asked.id) as painter:
        await stage.private_reply(await eve.slash(channel, "forget"))
        await _all_forgotten(stage)
        world = stage.discord.world
        assert _ids(world.messages(thread)) == [bobs["id"]]
        assert thread.data["name"] == "A painting"
        assert not thread.data["thread_metadata"]["archived"]
        assert world.messages(channel) == []
        await painter.snapshot(10)
        await stage.discord.until(lambda world: pictures(world, thread)[-1:] == ["00010.png"] or None)
        await painter.stopped(11)
    await stage.ended(bobs, "**Stopped**")


async def test_a_thread_in_which_others_write_stays(stage: Scene) -> None:
    guild = await stage.discord.guild("Free", bot_permissions=["manage_threads"])
    channel, eve, bob = await guild.channel("paintings"), await guild.member("Eve"), await guild.member("Bob")
    _, card = await _stopped(stage, eve, channel)
    thread = stage.discord.channel(card["id"])
    await bob.post(thread, "How beautiful!")
    await stage.private_reply(await eve.slash(channel, "forget"))
    await _all_forgotten(stage)
    assert [text_of(one) for one in stage.discord.world.messages(thread)] == ["How beautiful!"]


async def test_a_thread_in_which_all_is_to_be_forgotten_goes_whole(stage: Scene) -> None:
    guild = await stage.discord.guild("Free", bot_permissions=["manage_threads"])
    channel, eve = await guild.channel("paintings"), await guild.member("Eve")
    _, card = await _stopped(stage, eve, channel)
    thread = stage.discord.channel(card["id"])
    await eve.post(thread, "Mine.")
    await _stopped(stage, eve, thread)
    await stage.private_reply(await eve.slash(channel, "forget"))
    await _all_forgotten(stage)
    assert stage.discord.world.threads(channel) == []


@pytest.mark.long
@pytest.mark.parametrize("rights", [[], ["manage_threads"]])
async def test_much_at_once_keeps_to_discords_limits_and_asks_for_nothing_that_would_be_refused(
    stage: Scene, rights: list[str]
) -> None:
    guild = await stage.discord.guild("Large", bot_permissions=rights)
    channel, eve = await guild.channel("paintings"), await guild.member("Eve")
    await hang_up(stage, eve, channel, paintings=30, posts=3)
    requests = await forgotten(stage, eve, channel)
    await stage.discord.rate_limits(20)
    assert {one["status"] for one in requests} <= {200, 204}
    assert busiest_second(requests) <= 50
    assert stage.discord.world.messages(channel) == []
    threads = stage.discord.world.threads(channel)
    assert [stage.discord.world.messages(thread) for thread in threads] == ([] if rights else [[]] * 30)


async def test_where_the_bot_sees_nothing_it_asks_for_nothing(stage: Scene) -> None:
    guild = await stage.discord.guild("Closed")
    channel, other = await guild.channel("paintings"), await guild.channel("other")
    eve = await guild.member("Eve")
    await hang_up(stage, eve, channel, paintings=3, posts=3)
    await channel.deny("view_channel")
    requests = await forgotten(stage, eve, other)
    await stage.discord.rate_limits(20)
    assert {one["status"] for one in requests} <= {200, 204}
    assert "a message of a forgotten painting stays" in {line["event"] for line in stage.said()}


async def _stopped(stage: Scene, person: Person, channel: Channel) -> tuple[str, Json]:
    """A painting that has ended, with two pictures in its thread."""
    asked = await stage.stylize(person, channel, **LONG)
    card = await stage.card(asked, channel)
    async with manual_worker(stage, asked.id) as painter:
        await painter.snapshot(10)
        await painter.stopped(20)
    return asked.id, await stage.ended(card, "**Stopped**")


async def _told(stage: Scene, person: Person) -> str:
    return await stage.private_reply(await person.slash(stage.channel, "forget"))


def _deletions(stage: Scene, message: Json) -> list[Json]:
    path = re.compile(rf"/channels/\d+/messages/{message['id']}")
    return [one for one in stage.discord.world.requests if one["method"] == "DELETE" and path.fullmatch(one["path"])]


async def _struck(stage: Scene, message: Json, times: int) -> None:
    await stage.discord.until(lambda _: len(_deletions(stage, message)) >= times or None, 120)


def _ids(messages: list[Json]) -> list[str]:
    return [one["id"] for one in messages]


async def _all_forgotten(stage: Scene) -> None:
    """Returns when nothing is to be forgotten any more."""
    async with connect(stage.pool.url) as redis:
        for _ in range(3000):
            if not await Ledger(redis).to_forget():
                await stage.discord.now()
                return
            await asyncio.sleep(0.02)  # Redis does not say when a set is empty
    raise AssertionError("there is still something to be forgotten")
