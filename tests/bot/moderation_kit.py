"""What the tests of moderation share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from discord_server.driver import Channel, Guild, Person
from discord_server.message_text import is_ephemeral, text_of
from scene import LONG, Json, Scene

BLOCKED = "Members for whom I do not paint"
"""How the panel calls the select."""


@dataclass
class Place:
    """A server of its own: two channels, a moderator, a member."""

    guild: Guild
    channel: Channel
    moderator: Person
    member: Person


async def a_place(stage: Scene) -> Place:
    guild = await stage.discord.guild("Moderated")
    moderator = await guild.member("Mo", permissions=["manage_guild"])
    return Place(guild, await guild.channel("paintings"), moderator, await guild.member("Mem"))


async def panel(place: Place) -> Json:
    """The settings as the moderator sees them."""
    shown = await (await place.moderator.slash(place.channel, "impasto settings")).shown()
    assert is_ephemeral(shown)
    return shown


async def choose(stage: Scene, place: Place, select: str, *values: Any, says: str) -> Json:
    """In a new panel; the panel, once it says so."""
    shown = await panel(place)
    await (await place.moderator.choose(shown, *values, of=select)).answered()
    return await stage.discord.until(lambda world: saying(world.message(shown), says))


def saying(message: Json, words: str) -> Json | None:
    return message if words in text_of(message) else None


async def refused(stage: Scene, place: Place, card: Json, picture: Json, channel: Channel | None = None) -> set[str]:
    """What a member is told by the command, the menu and a button: each a sentence for them alone."""
    where = channel or place.channel
    asked = [
        await stage.stylize(place.member, where),
        await place.member.menu(place.channel, picture, "Stylize this"),
        await place.member.press(card, "Again"),
    ]
    return {await stage.private_reply(one) for one in asked}


async def painting(stage: Scene, place: Place) -> tuple[Json, Json]:
    """A card of the member's, and a message with a picture, from before anything was forbidden."""
    asked = await stage.stylize(place.member, place.channel, **LONG)
    card = await stage.card(asked, place.channel)
    await stage.private_reply(asked)
    return card, await place.member.post(place.channel, "look", files=[stage.content])
