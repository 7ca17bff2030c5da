"""Who is shown what, and where a press may put a painting: nobody reaches into a room that is closed to them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Channel, Guild, Person
from discord_server.message_text import buttons_of, is_ephemeral
from redis import Redis
from scene import Scene, card_of, scene
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
NOBODY = "None of them is from here."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Without a worker: what is asked for stays in the queue."""
    async with scene(pool, tmp_path_factory.mktemp("who")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.pings == []


@pytest_asyncio.fixture(loop_scope="module")
async def guild(stage: Scene) -> Guild:
    return await stage.discord.guild("Court")


async def _queue(stage: Scene, person: Person, channel: Channel) -> list[str]:
    return (await stage.private_reply(await person.slash(channel, "queue"))).split("\n")[1:]


async def _card(stage: Scene, person: Person, channel: Channel) -> Json:
    asked = await stage.stylize(person, channel)
    await stage.private_reply(asked)
    return await stage.card(asked, channel)


async def _secret(guild: Guild, *members: Person) -> Channel:
    """A channel that nobody else sees, but the bot does."""
    secret = await guild.channel("secret")
    await secret.deny("view_channel", to="everyone")
    await secret.allow("view_channel")
    for member in members:
        await secret.allow("view_channel", to=member)
    return secret


async def test_the_queue_names_only_what_the_member_may_see(stage: Scene, guild: Guild) -> None:
    ann, bob, moderator = [await guild.member(name) for name in ("Ann", "Bob", "Mod")]
    await guild.add(moderator, ["administrator"])
    public, secret = await guild.channel("public"), await _secret(guild, ann)
    hidden = await _card(stage, ann, secret)
    assert await _queue(stage, bob, public) == [NOBODY]
    for person in (ann, moderator):
        (line,) = await _queue(stage, person, public)
        assert hidden["id"] in line
    shown = await _card(stage, ann, public)
    (line,) = await _queue(stage, bob, public)
    assert shown["id"] in line
    await secret.allow("view_channel", to=bob)
    assert len(await _queue(stage, bob, public)) == 2
    await secret.delete()
    assert len(await _queue(stage, moderator, public)) == 1


async def test_what_a_private_thread_shows_is_told_in_it_and_to_moderators(stage: Scene, guild: Guild) -> None:
    ann, bob, moderator = [await guild.member(name) for name in ("Ann", "Bob", "Mod")]
    await guild.add(moderator, ["manage_threads"])
    await guild.bot_permissions(["manage_threads"])
    public = await guild.channel("public")
    thread = await public.thread("between us", ann, private=True)
    card = await _card(stage, ann, thread)
    assert await _queue(stage, bob, public) == [NOBODY]
    for person, channel in ((ann, thread), (ann, public), (moderator, public)):
        (line,) = await _queue(stage, person, channel)
        assert card["id"] in line


@pytest.mark.parametrize("where", ["direct messages", "a secret channel"])
async def test_a_press_puts_nothing_where_the_member_cannot_look(stage: Scene, guild: Guild, where: str) -> None:
    ann, bob = await guild.member("Ann"), await guild.member("Bob")
    dm = stage.discord.channel(await ann.dm())
    home = dm if where == "direct messages" else await _secret(guild, ann)
    public = await guild.channel("public")
    card = await _card(stage, ann, home)
    shown = await (await ann.slash(public, "show", job=_job(card))).shown()
    press = await bob.press(shown, "Again")
    assert "Accepted" in await stage.private_reply(press)
    assert card_of(stage.discord.world, public, press.id)
    assert [m["id"] for m in stage.discord.world.messages(home) if m["author"]["bot"]] == [card["id"]]
    press = await ann.press(shown, "Again")
    await stage.private_reply(press)
    assert card_of(stage.discord.world, home, press.id)


@pytest.mark.parametrize("since", ["who left", "who lost the channel", "whose channel is gone"])
async def test_an_owner_goes_on_where_they_can_look(stage: Scene, guild: Guild, since: str) -> None:
    """From a card that they brought elsewhere while they could."""
    ann = await guild.member("Ann")
    home, elsewhere = await _secret(guild, ann), await guild.channel("elsewhere")
    if since == "who left":
        elsewhere = stage.discord.channel(await ann.dm())
        await stage.guild.add(ann)  # or the bot could not write to her
    card = await _card(stage, ann, home)
    shown = await (await ann.slash(elsewhere, "show", job=_job(card))).shown()
    if since == "who left":
        await guild.remove(ann)
    elif since == "who lost the channel":
        await home.deny("view_channel", to=ann)
    else:
        await home.delete()
    press = await ann.press(shown, "Again")
    assert "Accepted" in await stage.private_reply(press)
    assert card_of(stage.discord.world, elsewhere, press.id)
    if since != "whose channel is gone":
        assert [m["id"] for m in stage.discord.world.messages(home) if m["author"]["bot"]] == [card["id"]]


async def test_a_card_shown_where_the_bot_cannot_follow_has_buttons_all_the_same(stage: Scene, guild: Guild) -> None:
    ann, bob = await guild.member("Ann"), await guild.member("Bob")
    public, closed = await guild.channel("public"), await guild.channel("closed to the bot")
    await closed.deny("view_channel")
    card = await _card(stage, ann, public)
    shown = await (await ann.slash(closed, "show", job=_job(card))).shown()
    press = await bob.press(shown, "Again")
    assert "Accepted" in await stage.private_reply(press)
    assert card_of(stage.discord.world, public, press.id)


@pytest.mark.parametrize("rule", ["blocked", "channels", "attach"])
async def test_a_card_is_brought_only_where_its_member_might_have_one_painted(
    stage: Scene, guild: Guild, rule: str
) -> None:
    ann = await guild.member("Ann")
    home, elsewhere = await guild.channel("home"), await guild.channel("elsewhere")
    dm = stage.discord.channel(await ann.dm())
    cards = [await _card(stage, ann, place) for place in (home, dm)]
    if rule == "attach":
        await elsewhere.deny("attach_files", to=ann)
        told = "You may not attach files here"
    else:
        chosen = {"blocked": ann.id, "channels": home.id}
        with Redis.from_url(stage.pool.url) as redis:
            redis.hset(f"impasto:guild:{guild.id}", "choices", json.dumps({rule: [int(chosen[rule])]}))
        told = "do not let you paint here" if rule == "blocked" else f"I paint only in <#{home.id}>"
    for card in cards:
        assert told in await stage.private_reply(await ann.slash(elsewhere, "show", job=_job(card)))
    assert stage.discord.world.messages(elsewhere) == []
    at_home = await ann.slash(home, "show", job=_job(cards[0]))  # where it is seen anyway
    assert not is_ephemeral(await at_home.shown())


STAYS = "That painting is in an age-restricted channel, and is shown in no other: look at it in <#{}>."


@pytest.mark.parametrize("when", ["when it was asked for", "since then"])
async def test_a_painting_of_an_age_restricted_channel_is_shown_in_no_other(
    stage: Scene, guild: Guild, when: str
) -> None:
    ann, bob = await guild.member("Ann"), await guild.member("Bob")
    restricted = await guild.channel("restricted", nsfw=when == "when it was asked for")
    public, other = await guild.channel("public"), await guild.channel("other", nsfw=True)
    card = await _card(stage, ann, restricted)
    if when == "since then":
        await stage.discord.dispatch("CHANNEL_UPDATE", {**restricted.data, "nsfw": True})
    for place in (public, other, stage.discord.channel(await ann.dm())):
        shown = await ann.slash(place, "show", job=_job(card))
        assert await stage.private_reply(shown) == STAYS.format(restricted.id)
        assert [m for m in stage.discord.world.messages(place) if m["author"]["bot"]] == []
    for place in (restricted, stage.discord.channel(card["id"])):
        shown_there = await (await ann.slash(place, "show", job=_job(card))).shown()
        press = await bob.press(shown_there, "Again")
        await stage.private_reply(press)
        assert card_of(stage.discord.world, restricted, press.id)
    child = await stage.card(press, restricted)
    shown = await ann.slash(public, "show", job=_job(child))
    assert "no longer kept" in await stage.private_reply(shown)  # it is Bob's
    shown = await bob.slash(public, "show", job=_job(child))
    assert await stage.private_reply(shown) == STAYS.format(restricted.id)


async def test_a_press_takes_nothing_out_of_an_age_restricted_channel(stage: Scene, guild: Guild) -> None:
    """Not even by a card that was brought elsewhere before the channel was restricted."""
    ann, bob = await guild.member("Ann"), await guild.member("Bob")
    secret, public = await _secret(guild, ann), await guild.channel("public")
    shown = await (await ann.slash(public, "show", job=_job(await _card(stage, ann, secret)))).shown()
    await stage.discord.dispatch("CHANNEL_UPDATE", {**secret.data, "nsfw": True})
    press = await bob.press(shown, "Again")
    assert await stage.private_reply(press) == STAYS.format(secret.id)
    assert card_of(stage.discord.world, public, press.id) is None


@pytest.mark.parametrize("place", ["the channel", "a thread in it"])
async def test_where_the_bot_is_no_member_nothing_leaves_an_age_restricted_channel(stage: Scene, place: str) -> None:
    zoe = await stage.discord.user("Zoe", installed=True)
    elsewhere = await stage.discord.guild("Elsewhere", bot=False)
    await elsewhere.add(zoe)
    channel = await elsewhere.channel("restricted", nsfw=True)
    asked = await stage.stylize(zoe, channel if place == "the channel" else await channel.thread("talk", zoe))
    assert await stage.private_reply(asked) == (
        "I am no member here, so the painting would leave this channel, which is age-restricted, as far as I can tell: "
        "ask in a server that I am in."
    )
    assert await stage.traces(asked.id) == []


def _job(card: Json) -> str:
    return str(buttons_of(card)[0]["custom_id"]).rpartition(":")[2]
