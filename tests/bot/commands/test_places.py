"""Where a painting is shown: every kind of place, and what is said where it cannot be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Channel, Interaction
from discord_server.message_text import text_of
from scene import Scene, pictures, scene
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT: dict[str, Any] = {"iterations": 12}
SHOWN = ["00010.png", "final.png", "loss.png", "film.webp"]
NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "create_public_threads": "Create Public Threads",
    "send_messages_in_threads": "Send Messages in Threads",
    "attach_files": "Attach Files",
    "embed_links": "Embed Links",
    "read_message_history": "Read Message History",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    pool.start_worker(seconds=0.15).ready()
    async with scene(pool, tmp_path_factory.mktemp("places")) as made:
        yield made
        assert made.discord.world.violations == []
        # The thread that the bot does not see, and the one that closed her direct messages.
        assert {one["code"] for one in made.discord.world.refusals} <= {50001, 50007}


@pytest.mark.parametrize("kind", ["text", "announcement"])
async def test_in_a_channel_a_thread_opens_under_the_card(stage: Scene, kind: str) -> None:
    channel = await stage.guild.channel("here", kind)
    asked = await stage.stylize(channel=channel, **SHORT)
    card = await stage.ended(await stage.card(asked, channel))
    (thread,) = stage.discord.world.threads(channel)
    assert await stage.private_reply(asked) == f"Accepted: watch it in <#{thread['id']}>."
    assert f"<#{thread['id']}>" in text_of(card)
    assert pictures(stage.discord.world, thread) == SHOWN


async def test_where_no_thread_can_open_the_pictures_answer_the_card(stage: Scene) -> None:
    text, forum = await stage.guild.channel("talk"), await stage.guild.channel("works", "forum")
    places = [
        await stage.guild.channel("voices", "voice"),
        await text.thread("about it", stage.ada),
        await forum.thread("a post", stage.ada),
        stage.discord.channel(await stage.ada.dm()),
    ]
    asked = [await stage.stylize(channel=place, **SHORT) for place in places]
    for place, order in zip(places, asked, strict=True):
        await _replied(stage, order, place)
        assert await stage.private_reply(order) == "Accepted: watch it below."


async def test_a_card_brought_elsewhere_names_the_place_where_the_pictures_answer(stage: Scene) -> None:
    voice, *others = [await stage.guild.channel(*at) for at in (("voices", "voice"), ("here",), ("there",))]
    asked = await stage.stylize(channel=voice, **SHORT)
    first = await stage.card(asked, voice)
    for place in others:  # one while it is painted, perhaps, and one when it is done
        card = await stage.ended(await (await stage.ada.slash(place, "show", job=asked.id)).shown())
        assert f"all of it in <#{voice.id}>" in text_of(card)
    assert "all of it below" in text_of(await stage.ended(first))


async def test_where_the_bot_is_no_member_it_comes_by_direct_message(stage: Scene) -> None:
    zoe = await stage.discord.user("Zoe", installed=True)
    elsewhere = await stage.discord.guild("Elsewhere", bot=False)
    await elsewhere.add(zoe)
    places = [await elsewhere.channel("chat"), await stage.discord.group("Friends", zoe, stage.ada)]
    dm = stage.discord.channel(await zoe.dm())
    asked = [await stage.stylize(zoe, place, **SHORT) for place in places]
    for place, order in zip(places, asked, strict=True):
        await _replied(stage, order, dm)
        answer = await stage.private_reply(order)
        assert answer == f"Accepted: watch it in <#{dm.id}>, our direct messages."
        # Told before there is anything to see, for not everyone looks at their direct messages.
        told = [text_of(earlier) for earlier in await stage.discord.history(await order.shown())]
        assert told[-1] == "I am no member here: the painting comes by direct message."
        assert stage.discord.world.messages(place) == []


async def test_with_closed_direct_messages_nothing_is_queued(stage: Scene) -> None:
    zoe = await stage.discord.user("Shy", installed=True)
    await zoe.dms(open=False)
    elsewhere = await stage.discord.guild("Elsewhere", bot=False)
    await elsewhere.add(zoe)
    asked = await stage.stylize(zoe, await elsewhere.channel("chat"))
    answer = await stage.discord.until(lambda world: _says(asked, "closed to me"))
    assert answer == (
        "I am no member here, so the painting comes by direct message, and yours are closed to me: "
        "allow direct messages in your privacy settings, or ask in a server that I am in."
    )
    await _nothing_came_of(stage, asked)


@pytest.mark.parametrize("permission", NEEDED)
async def test_a_missing_permission_is_named_before_any_work(stage: Scene, permission: str) -> None:
    channel = await stage.guild.channel("closed")
    await channel.deny(permission)
    asked = await stage.stylize(channel=channel)
    answer = await stage.private_reply(asked)
    assert answer.startswith("I lack the permission")
    named = [name for name in NEEDED.values() if f"**{name}**" in answer]
    assert named == [NEEDED[permission]]
    assert answer.endswith(" here: ask someone who manages this channel to grant it.")
    assert stage.discord.world.messages(channel) == []
    await _nothing_came_of(stage, asked)


async def test_all_missing_permissions_are_named_at_once(stage: Scene) -> None:
    channel = await stage.guild.channel("closed")
    await channel.deny("attach_files", "embed_links", "create_public_threads")
    answer = await stage.private_reply(await stage.stylize(channel=channel))
    assert "the permissions **Attach Files**, **Embed Links** and **Create Public Threads** here" in answer


async def test_only_what_the_place_takes_is_asked_for(stage: Scene) -> None:
    """In a thread, sending is a permission of its own; in voice channels there are no threads."""
    channel, voice = await stage.guild.channel("quiet"), await stage.guild.channel("voices", "voice")
    await channel.deny("send_messages", "create_public_threads")
    await voice.deny("send_messages_in_threads", "create_public_threads")
    thread = await channel.thread("loud", stage.ada)
    for place in (thread, voice):
        await _replied(stage, await stage.stylize(channel=place, **SHORT), place)
    await channel.deny("send_messages_in_threads")
    answer = await stage.private_reply(await stage.stylize(channel=thread))
    assert "the permission **Send Messages in Threads** here" in answer


NOT_FOR_YOU = "You may not attach files here, so I post none for you: ask in a channel where you may."


async def test_who_may_attach_no_files_has_none_posted(stage: Scene) -> None:
    """Who may not write may not attach; in a thread, writing is a right of its own. The bot may do it all."""
    mute, bare, talk = [await stage.guild.channel(name) for name in ("mute", "bare", "talk")]
    bob = await stage.guild.member("Bob")
    thread = await talk.thread("about it", stage.ada)
    await mute.deny("send_messages", to=bob)
    await bare.deny("attach_files", to="everyone")
    await bare.allow("attach_files")
    await talk.deny("send_messages_in_threads", to=bob)
    for place in (mute, bare, thread):
        asked = await stage.stylize(bob, place)
        assert await stage.private_reply(asked) == NOT_FOR_YOU
        await _nothing_came_of(stage, asked)
        assert [m for m in stage.discord.world.messages(place) if m["author"]["bot"]] == []
    # Neither by a message's menu; but a button brings no picture of theirs.
    posted = await stage.guild.member("Mod", ["administrator"])
    message = await posted.post(bare, files=[stage.content])
    menu = await bob.menu(bare, message, "Stylize this")
    await menu.answered()
    assert await stage.private_reply(await bob.submit(menu.modal, {"picture": stage.style})) == NOT_FOR_YOU
    card = await stage.card(await stage.stylize(posted, bare, **SHORT), bare)
    assert "Accepted" in await stage.private_reply(await bob.press(card, "Again"))


async def test_a_locked_thread_is_told_from_an_archived_one(stage: Scene) -> None:
    channel = await stage.guild.channel("talk")
    locked, archived = await channel.thread("locked", stage.ada), await channel.thread("old", stage.ada)
    await locked.lock(archive=False)
    await archived.archive()
    asked = await stage.stylize(channel=locked)
    answer = await stage.private_reply(asked)
    assert answer == "This thread is locked: ask a moderator to unlock it, or paint in another channel."
    await _nothing_came_of(stage, asked)
    await _replied(stage, await stage.stylize(channel=archived, **SHORT), archived)


async def test_a_private_thread_without_the_bot_is_refused_in_a_sentence(stage: Scene) -> None:
    thread = await stage.channel.thread("secret", stage.ada, private=True)
    asked = await stage.stylize(channel=thread)
    answer = await stage.private_reply(asked)
    assert answer == (
        "I was not added to this private thread: mention me in it, which adds me, or paint in another channel."
    )
    await _nothing_came_of(stage, asked)
    assert stage.discord.world.messages(thread) == []


async def _replied(stage: Scene, asked: Interaction, place: Channel) -> None:
    """The painting is done, and each of its pictures answers the card."""
    card = await stage.ended(await stage.card(asked, place))
    assert "all of it below" in text_of(card)
    here = [m for m in stage.discord.world.messages(place) if m["author"]["bot"]]
    answers = [m for m in here if m.get("message_reference", {}).get("message_id") == card["id"]]
    assert [name for m in answers for name in _ends(m)] == SHOWN
    assert stage.discord.world.threads(place) == []


def _ends(message: dict[str, object]) -> list[str]:
    attachments = message["attachments"]
    assert isinstance(attachments, list)
    return [one["filename"].split("-", 2)[2] for one in attachments]


async def _nothing_came_of(stage: Scene, asked: Interaction) -> None:
    assert await stage.traces(asked.id) == []


def _says(asked: Interaction, words: str) -> str | None:
    text = text_of(asked.original) if asked.original else ""
    return text if words in text else None
