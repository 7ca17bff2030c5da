"""`/queue`, `/show`, `/cancel` and `/about`, and who may see and stop what."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Channel, Guild, Person
from discord_server.message_text import buttons_of, files_of, is_ephemeral, text_of
from manual_worker import manual_worker
from scene import Scene, scene
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
HALF: Json = {"iterations": 24_000}
NOT_HERE = "This painting is no longer kept: start a new one with `/stylize`."
UNKNOWN = "This button has gone: press another one, or start a new painting with `/stylize`."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Without a worker: what happens to a painting is in the test's hands."""
    async with scene(pool, tmp_path_factory.mktemp("jobs")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.pings == []


class Room:
    """A server with a channel and a member of its own."""

    def __init__(self, guild: Guild, channel: Channel, member: Person) -> None:
        self.guild, self.channel, self.member = guild, channel, member


async def a_room(stage: Scene, name: str) -> Room:
    guild = await stage.discord.guild(f"{name}'s")
    return Room(guild, await guild.channel("chat"), await guild.member(name))


async def _card(stage: Scene, room: Room, person: Person | None = None, **options: Any) -> tuple[str, Json]:
    """A new painting there, its id and its card."""
    asked = await stage.stylize(person or room.member, room.channel, **options)
    card = await stage.card(asked, room.channel)
    await stage.private_reply(asked)
    return asked.id, card


async def _queue(stage: Scene, person: Person, channel: Any) -> list[str]:
    return (await stage.private_reply(await person.slash(channel, "queue"))).split("\n")


async def test_the_queue_tells_what_runs_and_waits_here_and_only_how_much_elsewhere(stage: Scene) -> None:
    here, there = await a_room(stage, "Ida"), await a_room(stage, "Eve")
    bob = await here.guild.member("Bob")
    painting, first = await _card(stage, here, **HALF)
    _, second = await _card(stage, here, bob)
    _, third = await _card(stage, there)
    async with manual_worker(stage, painting) as painter:
        await painter.progress(12_000)
        head, *lines = await _queue(stage, here.member, here.channel)
        assert re.fullmatch(r"\d+ paintings under way in all; no worker is there at the moment\.", head)
        assert len(lines) == 2
        assert lines[0].startswith(f"- [harbour × strokes]({_link(here, first)}) · **yours** · painting, 50%")
        assert lines[1].startswith(f"- [harbour × strokes]({_link(here, second)}) · <@{bob.id}> · waiting")
        (line,) = (await _queue(stage, there.member, there.channel))[1:]
        assert line.startswith(f"- [harbour × strokes]({_link(there, third)}) · **yours** · waiting")
        (line,) = (await _queue(stage, bob, await bob.dm()))[1:]
        assert "**yours**" in line
        nobody = await a_room(stage, "Nil")
        assert (await _queue(stage, nobody.member, nobody.channel))[1:] == ["None of them is from here."]


async def test_a_long_queue_fits_into_one_message(stage: Scene) -> None:
    room = await a_room(stage, "Una")
    name = (f"{'_harbour' * 10}.png", stage.content.read_bytes())
    for _ in range(17):
        await _card(stage, room, content=name)
    lines = await _queue(stage, room.member, room.channel)
    assert len("\n".join(lines)) <= 2000
    shown = sum(line.startswith("- [harbour") for line in lines)
    assert shown >= 8
    assert lines[-1] == f"-# and {17 - shown} more"


async def test_show_brings_the_card_where_it_is_asked_for_and_keeps_it_moving_there(stage: Scene) -> None:
    room = await a_room(stage, "Sue")
    job, old = await _card(stage, room, **HALF)
    other = await room.guild.channel("other")
    shown = await (await room.member.slash(other, "show", job=job)).shown()
    assert not is_ephemeral(shown)
    assert files_of(shown).keys() == files_of(old).keys()
    assert buttons_of(shown)[0]["label"] == "Cancel"
    async with manual_worker(stage, job) as painter:
        await painter.progress(6_000)
        await stage.ended(shown, "25%")
        await room.channel.delete_message(old)
        await painter.progress(12_000)
        await stage.ended(shown, "50%")
        (line,) = [line for line in await _queue(stage, room.member, other) if "50%" in line]
        assert f"({_link(room, shown)})" in line
        child = await stage.card(await room.member.press(shown, "Again"), room.channel)
        assert f"[`{job}`]({_link(room, shown)})" in text_of(child)
        await painter.stopped(18_000)
        await stage.ended(shown, "**Stopped** at iteration 18,000")


@pytest.mark.long
async def test_who_deletes_a_copy_that_they_brought_elsewhere_stops_nothing(stage: Scene) -> None:
    room = await a_room(stage, "Abe")
    job, card = await _card(stage, room, **HALF)
    stranger, other = await room.guild.member("Stan"), await room.guild.channel("other")
    copy = await (await stranger.slash(other, "show", job=job)).shown()
    async with manual_worker(stage, job) as painter:
        await painter.progress(6_000)
        await stage.ended(copy, "25%")
        await other.delete_message(copy)
        await painter.progress(12_000)
        await stage.ended(card, "50%")
        (line,) = [line for line in await _queue(stage, room.member, other) if "50%" in line]
        assert f"({_link(room, card)})" in line
        await painter.stopped(18_000)
        await stage.ended(card, "**Stopped** at iteration 18,000")


async def test_the_card_that_show_left_behind_tells_the_end_too(stage: Scene) -> None:
    room = await a_room(stage, "Lea")
    job, old = await _card(stage, room, **HALF)
    shown = await (await room.member.slash(room.channel, "show", job=job)).shown()
    async with manual_worker(stage, job) as painter:
        await painter.stopped(6_000)
    for card in (old, shown):
        assert buttons_of(await stage.ended(card, "**Stopped** at iteration 6,000"))[0]["label"] == "Continue"


async def test_show_brings_back_the_deleted_card_of_what_has_ended(stage: Scene) -> None:
    room = await a_room(stage, "Dee")
    job, card = await _card(stage, room, **HALF)
    async with manual_worker(stage, job) as painter:
        await painter.stopped(6_000)
    await stage.ended(card, "**Stopped**")
    await room.channel.delete_message(card)
    back = await (await room.member.slash(room.channel, "show", job=f" {job} ")).shown()
    assert "**Stopped** at iteration 6,000 of 24,000" in text_of(back)
    assert [name.partition(job)[2] for name in files_of(back)] == ["-content.jpg", "-style-1.jpg"]
    press = await room.member.press(back, "Again")
    assert "Accepted" in await stage.private_reply(press)


async def test_show_tells_the_member_alone_that_the_store_is_away(stage: Scene) -> None:
    room = await a_room(stage, "Sue")
    job, _ = await _card(stage, room, **HALF)
    store = stage.pool.folder / "store"
    elsewhere = store.rename(store.with_name("elsewhere"))
    store.write_text("no folder")
    told = await stage.private_instead(await room.member.slash(await room.guild.channel("other"), "show", job=job))
    assert told == "My memory does not answer at the moment: try again in a minute."
    store.unlink()
    elsewhere.rename(store)


@pytest.mark.parametrize("place", ["a group chat", "a channel that the bot does not see"])
async def test_what_the_bot_cannot_reach_is_shown_there_once_and_moves_where_it_was(stage: Scene, place: str) -> None:
    room = await a_room(stage, "Pia")
    await room.member.install()
    job, card = await _card(stage, room, **HALF)
    if place == "a group chat":
        where = await stage.discord.group("Friends", room.member, stage.ada)
    else:
        where = await room.guild.channel("secret")
        await where.deny("view_channel")
    shown = await (await room.member.slash(where, "show", job=job)).shown()
    async with manual_worker(stage, job) as painter:
        await painter.progress(6_000)
        await stage.ended(card, "25%")
        await painter.stopped(12_000)
        await stage.ended(card, "**Stopped** at iteration 12,000")
    assert "**Waiting**" in text_of(stage.discord.world.message(shown))
    assert not [one for one in stage.discord.world.requests if f"/channels/{where.id}/" in one["path"]]


async def test_strangers_are_shown_what_is_shown_where_they_are(stage: Scene) -> None:
    room = await a_room(stage, "Ann")
    job, _ = await _card(stage, room)
    stranger, elsewhere = await room.guild.member("Stan"), await room.guild.channel("elsewhere")
    assert await stage.private_reply(await stranger.slash(elsewhere, "cancel", job=job)) == NOT_HERE
    for command in ("show", "cancel"):
        for nonsense in ("0", "*", "../../etc/passwd", "@everyone", "x" * 3000):
            assert await stage.private_reply(await stranger.slash(room.channel, command, job=nonsense)) == NOT_HERE
    assert "harbour × strokes" in text_of(await (await stranger.slash(room.channel, "show", job=job)).shown())


async def test_what_everybody_sees_is_shown_to_anybody_anywhere_in_the_server_and_nothing_else(stage: Scene) -> None:
    room, other = await a_room(stage, "Joy"), await a_room(stage, "Out")
    stranger, elsewhere = await room.guild.member("Stan"), await room.guild.channel("elsewhere")
    job, _ = await _card(stage, room)
    shown = await (await stranger.slash(elsewhere, "show", job=job)).shown()
    assert not is_ephemeral(shown)
    assert "harbour × strokes" in text_of(shown)
    child = await stage.card(await stranger.press(shown, "Again"), room.channel)  # its buttons work there
    assert f"for <@{stranger.id}>" in text_of(child)
    for place in (other.channel, await other.member.dm()):
        assert await stage.private_reply(await other.member.slash(place, "show", job=job)) == NOT_HERE
    secret = await room.guild.channel("secret")
    await secret.deny("view_channel", to="everyone")
    await secret.allow("view_channel")
    await secret.allow("view_channel", to=room.member)
    asked = await stage.stylize(room.member, secret)
    assert (await stage.private_reply(asked)).startswith("Accepted")
    assert await stage.private_reply(await stranger.slash(elsewhere, "show", job=asked.id)) == NOT_HERE


async def test_cancel_is_for_the_owner_and_for_moderators(stage: Scene) -> None:
    room = await a_room(stage, "Cat")
    job, card = await _card(stage, room)
    stranger, elsewhere = await room.guild.member("Stan"), await room.guild.channel("elsewhere")
    refused = f"Only <@{room.member.id}>, who asked for it, or a member with Manage Messages can cancel this."
    assert await stage.private_reply(await stranger.slash(room.channel, "cancel", job=job)) == refused
    stops = "It stops within an iteration; what there is by then is kept."
    assert await stage.private_reply(await room.member.slash(elsewhere, "cancel", job=job)) == stops
    await stage.ended(card, "**Stopped** at iteration 0")
    assert await stage.private_reply(await room.member.slash(elsewhere, "cancel", job=job)) == "It has ended already."
    job, card = await _card(stage, room)
    moderator = await room.guild.member("Mo", permissions=["manage_messages"])
    assert await stage.private_reply(await moderator.slash(room.channel, "cancel", job=job)) == stops
    await stage.ended(card, "**Stopped** at iteration 0")


async def test_autocomplete_offers_ones_own_the_newest_first(stage: Scene) -> None:
    room = await a_room(stage, "Kim")
    long = (f"{'harbour_' * 40}.png", stage.content.read_bytes())
    jobs = [(await _card(stage, room, content=file))[0] for file in (stage.content, long, stage.content)]
    await stage.private_reply(await room.member.slash(room.channel, "cancel", job=jobs[0]))
    offered = await room.member.autocomplete(room.channel, "show", "job", "")
    assert [one["value"] for one in offered] == jobs[::-1]
    assert offered[0]["name"] == f"harbour × strokes (queued) {jobs[2]}"
    assert offered[1]["name"].endswith(f"… (queued) {jobs[1]}")
    assert offered[2]["name"] == f"harbour × strokes (cancelled) {jobs[0]}"
    offered = await room.member.autocomplete(room.channel, "cancel", "job", "")
    assert [one["value"] for one in offered] == jobs[:0:-1]
    for typed, found in ((jobs[1], [jobs[1]]), ("CANCELLED", [jobs[0]]), ("nothing like it", [])):
        offered = await room.member.autocomplete(room.channel, "show", "job", typed)
        assert [one["value"] for one in offered] == found
    stranger = await room.guild.member("Stan")
    assert await stranger.autocomplete(room.channel, "show", "job", "") == []


async def test_about_shows_a_picture_the_weights_and_the_limits(stage: Scene) -> None:
    asked = await stage.ada.slash(stage.channel, "about")
    page = await stage.private_reply(asked)
    assert "Weights: random stand-ins: a VGG19 that was never trained." in page
    assert "up to 1,024 px and 99,900 iterations, 1,000 paintings at a time for each member" in page
    ((name, file),) = files_of(await asked.shown()).items()
    assert (name, file["description"][:9]) == ("before-and-after.jpg", "A harbour")
    assert (await stage.discord.download(file["url"])).startswith(b"\xff\xd8")


async def test_presses_that_the_message_does_not_offer_are_answered_in_a_sentence(stage: Scene) -> None:
    room, stranger = await a_room(stage, "Fay"), await a_room(stage, "Max")
    job, _ = await _card(stage, room)
    own, card = await _card(stage, stranger)
    for forged in (f"impasto:cancel:{job}", f"impasto:again:{job}", f"impasto:burn:{own}", "impasto:", "button-1"):
        assert await stage.private_reply(await stranger.member.forge(card, forged)) == UNKNOWN
    assert len(await stranger.member.autocomplete(stranger.channel, "show", "job", "")) == 1


async def test_buttons_work_wherever_the_card_was_shown_and_for_whoever_sees_it(stage: Scene) -> None:
    room = await a_room(stage, "Gus")
    job, first = await _card(stage, room)
    stranger = await room.guild.member("Stan")
    cards = [first]
    for name in ("second", "third"):
        channel = await room.guild.channel(name)
        cards.append(await (await room.member.slash(channel, "show", job=job)).shown())
    for card in cards:
        press = await stranger.press(card, "Again")
        child = await stage.card(press, room.channel)
        assert f"for <@{stranger.id}>" in text_of(child)
        assert await stage.private_reply(press) == f"Accepted: watch it in <#{child['id']}>."


async def test_a_card_that_was_sent_again_has_its_pictures(stage: Scene) -> None:
    """discord.py sends a file for the second time as no bytes at all."""
    room = await a_room(stage, "Ray")
    await stage.discord.fault("POST /channels/*/messages", status=503, times=1)
    _, card = await _card(stage, room)
    for file in files_of(card).values():
        assert (await stage.discord.download(file["url"])).startswith(b"\xff\xd8")


@pytest.mark.long
async def test_buttons_outlive_many_edits(stage: Scene) -> None:
    """A view that is edited or ends must not take the buttons of all others with it."""
    room = await a_room(stage, "Zed")
    job, card = await _card(stage, room, **HALF)
    async with manual_worker(stage, job) as painter:
        for iteration in (6_000, 12_000):
            await painter.progress(iteration)
            await stage.ended(card, f"iteration {iteration:,}")
        assert "Accepted" in await stage.private_reply(await room.member.press(card, "Stronger"))
        await painter.stopped(18_000)
    card = await stage.ended(card, "**Stopped**")
    assert "Accepted" in await stage.private_reply(await room.member.press(card, "Weaker"))


def _link(room: Room, card: Json) -> str:
    return f"https://discord.com/channels/{room.guild.id}/{card['channel_id']}/{card['id']}"
