"""What the bot's owner decides: `/impasto servers` and `/impasto member`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from discord_server.driver import WorldView
from discord_server.message_text import buttons_of, text_of
from moderation_kit import BLOCKED, Place, a_place, choose, painting, panel, refused
from redis import Redis
from scene import Json, Scene, scene
from support.jobs import a_job
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.jobs import Jobs
from engine.contract.models import JobState

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Without a worker: what was asked for stays in the queue."""
    async with scene(pool, tmp_path_factory.mktemp("owner")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.pings == []


@pytest_asyncio.fixture(loop_scope="module")
async def place(stage: Scene) -> Place:
    return await a_place(stage)


async def servers(stage: Scene) -> list[str]:
    """All pages of the servers, as the bot's owner sees them."""
    owner = await stage.discord.owner()
    page = await (await owner.slash(await owner.dm(), "impasto servers")).shown()
    told = [text_of(page)]
    while "Next" in [button["label"] for button in buttons_of(page)]:
        await (await owner.press(page, "Next")).answered()
        page = await stage.discord.until(partial(_turned, page))
        told.append(text_of(page))
    return told


def _turned(page: Json, world: WorldView) -> Json | None:
    message = world.message(page)
    return message if text_of(message) != text_of(page) else None


async def test_only_the_bot_s_owner_sees_and_blocks_servers(stage: Scene, place: Place) -> None:
    told = await stage.private_reply(
        await place.moderator.slash(place.channel, "impasto servers", server="1", block=True)
    )
    assert told == "Only who runs me may use this: moderators have `/impasto settings`."
    owner = await stage.discord.owner()
    number = place.guild.id
    dm = await owner.dm()
    card, _picture = await painting(stage, place)
    async with connect(stage.pool.url) as redis:
        jobs, from_terminal = Jobs(redis), a_job(user="ada", guild="terminal")
        await jobs.create(from_terminal)
        told = await stage.private_reply(
            await owner.slash(dm, "impasto servers", server=number, block=True, paintings=9)
        )
        await stage.ended(card, "**Stopped**")
        assert await jobs.state(from_terminal.id) is JobState.QUEUED
        await jobs.cancel(from_terminal.id)
    assert told == f"**Moderated**, `{number}`, blocked, at most 9 paintings at a time"
    card_told = await stage.private_reply(await stage.stylize(place.member, place.channel))
    assert card_told == "Who runs me has blocked me in this server: ask for the painting in another one."
    assert f"`{number}`, blocked" in "".join(await servers(stage))
    await stage.private_reply(await owner.slash(dm, "impasto servers", server=number, block=False, paintings=1))
    await painting(stage, place)
    told = await stage.private_reply(await stage.stylize(place.moderator, place.channel))
    assert told.startswith("This server already has as many paintings under way as it may")
    assert "1 in this server" in text_of(await panel(place))


async def test_a_member_whom_the_bot_s_owner_blocks_paints_nowhere(stage: Scene, place: Place) -> None:
    owner, dm = await stage.discord.owner(), await place.member.dm()
    asked = await place.moderator.slash(place.channel, "impasto member", member=place.member.id, block=True)
    assert (await stage.private_reply(asked)).startswith("Only who runs me may use this")
    at_home = await owner.dm()
    told = await stage.private_reply(await owner.slash(at_home, "impasto member", member="@Mem", block=True))
    assert told == "Give the member by their id, in digits."
    card, picture = await painting(stage, place)
    told = await stage.private_reply(await owner.slash(at_home, "impasto member", member=place.member.id, block=True))
    assert told == f"{place.member.mention} may paint nowhere."
    await stage.ended(card, "**Stopped**")
    refusal = "Who runs me does not let you paint: ask them."
    assert await refused(stage, place, card, picture) == {refusal}
    assert await stage.private_reply(await stage.stylize(place.member, stage.discord.channel(dm))) == refusal
    mention = place.member.mention
    told = await stage.private_reply(await owner.slash(at_home, "impasto member", member=mention, block=False))
    assert told == f"{mention} may paint."
    assert (await stage.private_reply(await place.member.press(card, "Again"))).startswith("Accepted: ")


async def test_all_servers_are_listed_a_page_at_a_time(stage: Scene) -> None:
    names = {f"{number:02} {'of a long name ' * 5}" for number in range(21)}
    numbers = {(await stage.discord.guild(name)).id for name in names}
    told = await servers(stage)
    assert {number for number in numbers if f"`{number}`" in "".join(told)} == numbers
    assert len(told) > 2


async def test_what_the_owner_changed_is_told_beside_the_moderators_changes(stage: Scene, place: Place) -> None:
    """Some of their fields are called the same; an older line does not say whose it is."""
    owner = await stage.discord.owner()
    dm, number = await owner.dm(), place.guild.id
    await choose(stage, place, BLOCKED, place.member, says="Blocked members: <@")
    await stage.private_reply(await owner.slash(dm, "impasto servers", server=number, block=True, paintings=9))
    await stage.private_reply(await owner.slash(dm, "impasto servers", server=number, block=False, paintings=0))
    with Redis.from_url(stage.pool.url) as redis:
        old = {"at": 1, "by": int(owner.id), "what": {"blocked": [False, True]}}
        redis.rpush(f"impasto:guild:{number}:changes", json.dumps(old))
    told = (await stage.private_reply(await place.moderator.press(await panel(place), "Changes"))).splitlines()
    at_a_time = "paintings at a time in this server, as who runs me allows"
    assert [line.partition(">: ")[2] for line in told] == [
        f"blocked by who runs me: yes → no; {at_a_time}: 9 → as usual",
        f"blocked by who runs me: no → yes; {at_a_time}: as usual → 9",
        f"blocked members: none → {place.member.mention}",
        "blocked by who runs me: no → yes",
    ]
