"""What moderators set holds for everybody, by whatever way a painting is asked for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.impossible_action import Impossible
from discord_server.message_text import text_of
from moderation_kit import BLOCKED, Place, a_place, choose, painting, panel, refused, saying
from redis import Redis
from scene import LONG, Scene, clip, scene
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
CHANNELS, ROLES = "Channels in which I paint: all", "Roles for whose members I paint: all"
RECIPE = "The usual recipe"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Without a worker: what was asked for stays in the queue."""
    async with scene(pool, tmp_path_factory.mktemp("moderation")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.pings == []


@pytest_asyncio.fixture(loop_scope="module")
async def place(stage: Scene) -> Place:
    return await a_place(stage)


async def limits(stage: Scene, place: Place, says: str, **numbers: str) -> None:
    """By the form; once the panel says so."""
    shown = await panel(place)
    opened = await place.moderator.press(shown, "Limits")
    await opened.answered()
    await place.moderator.submit(opened.modal, numbers)
    await stage.discord.until(lambda world: saying(world.message(shown), says))


async def test_a_blocked_member_paints_by_no_way(stage: Scene, place: Place) -> None:
    card, picture = await painting(stage, place)
    other = await stage.card(await stage.stylize(place.moderator, place.channel, **LONG), place.channel)
    await choose(stage, place, BLOCKED, place.member, says=f"Blocked members: {place.member.mention}")
    await stage.ended(card, "**Stopped**")  # what they asked for before is painted no further
    assert "**Stopped**" not in text_of(stage.discord.world.message(other))
    assert await refused(stage, place, card, picture) == {
        "This server's moderators do not let you paint here: ask them, or paint in another server."
    }
    await choose(stage, place, BLOCKED, says="Blocked members: none")
    again = await place.member.press(card, "Again")
    assert (await stage.private_reply(again)).startswith("Accepted: ")


async def test_a_block_ends_paintings_also_where_the_panel_cannot_be_drawn_again(stage: Scene, place: Place) -> None:
    card, _picture = await painting(stage, place)
    shown = await panel(place)
    unanswered = await stage.discord.fault("POST /interactions/*/*/callback", status=400, times=1)
    await place.moderator.choose(shown, place.member, of=BLOCKED)
    await stage.ended(card, "**Stopped**")
    assert await unanswered.hits() == 1


async def test_who_is_blocked_while_their_pictures_are_fetched_is_refused(stage: Scene, place: Place) -> None:
    late = await stage.discord.fault("GET /ephemeral-attachments/**", delay_s=600, times=1)
    asked = await stage.stylize(place.member, place.channel)
    while not await late.hits():
        await stage.discord.now()
    await choose(stage, place, BLOCKED, place.member, says=f"Blocked members: {place.member.mention}")
    await late.release()
    assert (await stage.private_reply(asked)).startswith("This server's moderators do not let you paint here")
    assert stage.discord.world.messages(place.channel) == []


async def test_only_in_the_channels_that_were_chosen_and_in_their_threads(stage: Scene, place: Place) -> None:
    card, picture = await painting(stage, place)
    gallery = await place.guild.channel("gallery")
    await choose(stage, place, CHANNELS, gallery, says=f"Channels: <#{gallery.id}>")
    assert await refused(stage, place, card, picture) == {f"In this server I paint only in <#{gallery.id}>: ask there."}
    asked = await stage.stylize(place.member, gallery, **LONG)
    assert (await stage.private_reply(asked)).startswith("Accepted: ")
    thread = await gallery.thread("about it", place.member)
    asked = await stage.stylize(place.member, thread, **LONG)
    assert (await stage.private_reply(asked)).startswith("Accepted: ")


async def test_a_channel_of_each_kind_that_has_messages_or_threads_can_be_chosen(stage: Scene, place: Place) -> None:
    kinds = ("text", "announcement", "voice", "stage", "forum")
    made = [await place.guild.channel(f"a {kind} channel", kind=kind) for kind in kinds]
    told = await choose(stage, place, CHANNELS, *made, says=f"<#{made[-1].id}>")
    assert all(f"<#{channel.id}>" in text_of(told) for channel in made)


async def test_only_for_members_with_the_roles_that_were_chosen(stage: Scene, place: Place) -> None:
    card, picture = await painting(stage, place)
    role = await place.guild.role("Painters")
    await choose(stage, place, ROLES, role, says=f"Roles: <@&{role}>")
    told = await refused(stage, place, card, picture)
    assert told == {f"Only members with <@&{role}> may paint here: ask a moderator for it."}
    other = await place.guild.role("Guests", of=place.member)
    await choose(stage, place, ROLES, role, other, says=f"<@&{other}>")
    assert (await stage.private_reply(await place.member.press(card, "Again"))).startswith("Accepted: ")


async def test_limits_are_the_server_s_and_never_more_than_the_operator_s(stage: Scene, place: Place) -> None:
    await limits(stage, place, "At most 256 px and 500 iterations", size="256", iterations="500")
    large = await stage.private_reply(await stage.stylize(place.member, place.channel, size=257))
    assert large == "The size may be at most 256 px here: ask for a smaller one."
    many = await stage.private_reply(await stage.stylize(place.member, place.channel, iterations=501))
    assert many == "At most 500 iterations can be asked for here: ask for fewer."
    about = await stage.private_reply(await place.member.slash(place.channel, "about"))
    assert "Here: up to 256 px and 500 iterations" in about
    elsewhere = await stage.stylize(size=512, iterations=501)
    assert (await stage.private_reply(elsewhere)).startswith("Accepted: ")
    await limits(stage, place, "At most 1,024 px and 99,900 iterations", size="4096", iterations="")
    assert (await stage.private_reply(await stage.stylize(place.member, place.channel, size=1100))).startswith(
        "The size"
    )


async def test_what_nobody_chose_is_within_the_limits(stage: Scene, place: Place) -> None:
    """Of a recipe that is larger and longer by itself; the menus have no field for either."""
    await limits(stage, place, "At most 256 px and 1,000 iterations", size="256", iterations="1,000")
    usual = {"recipe": "classic", "size": None, "iterations": None}
    asked = await stage.stylize(place.member, place.channel, **usual)
    assert "classic, 1,000 iterations at 256 px" in text_of(await stage.card(asked, place.channel))
    for menu, other in (("Stylize this", "Style: the picture"), ("Use as style", "Content: the picture to be painted")):
        form = await place.member.menu(
            place.channel, await place.member.post(place.channel, "look", files=[stage.content]), menu
        )
        await form.answered()
        label = next(one["label"] for one in form.modal.data["components"] if one["label"].startswith(other))
        sent = await place.member.submit(form.modal, {label: stage.style, "Recipe": "classic"})
        assert "classic, 1,000 iterations at 256 px" in text_of(await stage.card(sent, place.channel))
    for iterations, told in ((None, "1,000 iterations"), (900, "980 iterations")):
        film = {"content": ("clip.gif", clip()), "animate": True, **usual, "iterations": iterations}
        asked = await stage.stylize(place.member, place.channel, **film)
        assert (await stage.private_reply(asked)).startswith("Accepted: ")
        assert f"a film of 3 frames, {told}" in text_of(await stage.card(asked, place.channel))
    film["iterations"] = 1000
    told = await stage.private_reply(await stage.stylize(place.member, place.channel, **film))
    assert told.startswith("A film of 3 pictures takes 1,080 iterations, and 1,000 is the most here: ")
    given = {"content": stage.content, "style": stage.style, "vary": "strength", "recipe": "classic"}
    asked = await place.member.slash(place.channel, "study", **given)
    assert "classic, 200 iterations at 256 px" in text_of(await stage.card(asked, place.channel))


async def test_caps_of_a_member_and_of_the_server(stage: Scene, place: Place) -> None:
    await limits(stage, place, "1 painting of one member, 2 in this server", member_jobs="1", guild_jobs="2")
    await painting(stage, place)
    told = await stage.private_reply(await stage.stylize(place.member, place.channel))
    assert told.startswith("You have as many paintings under way here as one member may: wait for one to end")
    other, third = await place.guild.member("Oda"), await place.guild.member("Tia")
    accepted = await stage.private_reply(await stage.stylize(other, place.channel, **LONG))
    assert accepted.startswith("Accepted: ")
    told = await stage.private_reply(await stage.stylize(third, place.channel))
    assert told.startswith("This server already has as many paintings under way as it may")


async def test_what_is_no_number_is_a_sentence_and_changes_nothing(stage: Scene, place: Place) -> None:
    shown = await panel(place)
    for numbers, words in (
        ({"size": "big", "iterations": "7"}, "Longest side, px: give a whole number, 32 to 4,096, or leave it empty."),
        ({"member_jobs": "0"}, "Paintings at a time of one member: give a whole number, 1 or more, or leave it empty."),
    ):
        opened = await place.moderator.press(shown, "Limits")
        await opened.answered()
        sent = await place.moderator.submit(opened.modal, numbers)
        assert await stage.private_reply(sent) == words
    assert text_of(await panel(place)) == text_of(shown)


async def test_the_usual_recipe_is_taken_where_none_was_asked_for(stage: Scene, place: Place) -> None:
    await choose(stage, place, RECIPE, "gatys", says="Usual recipe: gatys")
    asked = await stage.stylize(place.member, place.channel, **LONG)
    assert "gatys, 90,000 iterations" in text_of(await stage.card(asked, place.channel))
    asked = await stage.stylize(place.member, place.channel, recipe="classic", **LONG)
    assert "classic, 90,000 iterations" in text_of(await stage.card(asked, place.channel))


async def test_an_older_panel_takes_nothing_back_that_another_moderator_chose(stage: Scene, place: Place) -> None:
    """Of a list it writes what was added and removed in it, of the form what was typed anew."""
    other, third = await place.guild.member("Oda"), await place.guild.member("Tia")
    await choose(stage, place, BLOCKED, place.member, says=f"Blocked members: {place.member.mention}")
    older = await panel(place)
    await limits(stage, place, "At most 256 px", size="256")
    await choose(
        stage, place, BLOCKED, place.member, other, says=f"Blocked members: {place.member.mention} and {other.mention}"
    )
    opened = await place.moderator.press(older, "Limits")
    await opened.answered()
    assert [one["component"].get("value") for one in opened.modal.data["components"]] == [None, None, "256", None, None]
    await limits(stage, place, "At most 300 px", size="300")  # while that form is open
    await place.moderator.submit(opened.modal, {"iterations": "700"})
    await stage.discord.until(lambda world: saying(world.message(older), "At most 300 px and 700 iterations"))

    stale = await panel(place)
    await choose(stage, place, BLOCKED, other, says=f"Blocked members: {other.mention}\n")
    await (await place.moderator.choose(stale, place.member, third, of=BLOCKED)).answered()
    await stage.discord.until(lambda world: saying(world.message(stale), f"Blocked members: {third.mention}\n"))


async def test_each_change_is_a_line_that_says_who_and_what(stage: Scene, place: Place) -> None:
    await choose(stage, place, BLOCKED, place.member, says="Blocked members: <@")
    await limits(stage, place, "kept for 7 days", keep_days="7")
    told = (await stage.private_reply(await place.moderator.press(await panel(place), "Changes"))).splitlines()
    who = re.escape(place.moderator.mention)
    assert re.fullmatch(rf"- <t:\d+:R> {who}: days for which paintings are kept: as usual → 7", told[0])
    assert re.fullmatch(rf"- <t:\d+:R> {who}: blocked members: none → {re.escape(place.member.mention)}", told[1])
    assert len(told) == 2
    logged = [line for line in stage.said() if line["event"] == "settings were changed"]
    assert logged[-1]["what"] == {"keep_days": [None, 7]}
    assert logged[-1]["user"] == place.moderator.id


async def test_who_has_lost_manage_server_changes_nothing_in_an_open_panel(stage: Scene, place: Place) -> None:
    shown = await panel(place)
    opened = await place.moderator.press(shown, "Limits")
    await opened.answered()
    await place.channel.deny("manage_guild", to=place.moderator)
    tries = [
        await place.moderator.choose(shown, "gatys", of=RECIPE),
        await place.moderator.submit(opened.modal, {"size": "256"}),
        await place.moderator.press(shown, "Changes"),
    ]
    lost = "You no longer have Manage Server here: ask another moderator."
    assert [await stage.private_reply(one) for one in tries] == [lost] * 3
    # The command is still there for the moderator, as it is for roles that the server lets use it.
    await choose(stage, place, RECIPE, "fine", says="Usual recipe: fine")
    assert (
        len((await stage.private_reply(await place.moderator.press(await panel(place), "Changes"))).splitlines()) == 1
    )


async def test_a_panel_ends_a_quarter_of_an_hour_after_its_command_whatever_is_pressed(
    stage: Scene, place: Place
) -> None:
    shown = await panel(place)
    await stage.discord.turn_clock(14 * 60)
    await (await place.moderator.choose(shown, "gatys", of=RECIPE)).answered()
    shown = await stage.discord.until(lambda world: saying(world.message(shown), "Usual recipe: gatys"))
    opened = await place.moderator.press(shown, "Limits")
    await opened.answered()
    await stage.discord.turn_clock(2 * 60)
    tries = [
        await place.moderator.choose(shown, "fine", of=RECIPE),
        await place.moderator.submit(opened.modal, {"size": "256"}),
    ]
    late = "These settings have been open for too long: use `/impasto settings` again."
    assert [await stage.private_reply(one) for one in tries] == [late] * 2
    assert "Usual recipe: gatys" in text_of(await panel(place))


async def test_settings_are_hidden_from_members_and_are_a_server_s(stage: Scene, place: Place) -> None:
    with pytest.raises(Impossible):
        await place.member.slash(place.channel, "impasto settings")
    told = await stage.private_reply(await place.member.slash(await place.member.dm(), "impasto settings"))
    assert told == "Settings are a server's: ask for them in a server that I am in."


async def test_settings_that_cannot_be_read_are_those_of_the_environment(stage: Scene, place: Place) -> None:
    with Redis.from_url(stage.pool.url) as redis:
        redis.hset(f"impasto:guild:{place.guild.id}", mapping={"choices": "{rotten", "allowance": '{"guild_jobs": -1}'})
    assert "At most 1,024 px" in text_of(await panel(place))
    assert (await stage.private_reply(await stage.stylize(place.member, place.channel, **LONG))).startswith(
        "Accepted: "
    )


async def test_a_panel_from_before_a_restart_is_answered_in_a_sentence(stage: Scene, place: Place) -> None:
    shown = await panel(place)
    stage.bots[-1].end()
    await stage.start_bot()
    told = await stage.private_reply(await place.moderator.choose(shown, place.member, of=BLOCKED))
    assert told == "I was restarted while this choice was open, or it was open for too long: open it again."
