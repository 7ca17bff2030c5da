"""What the tests of saved styles share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from discord_server.driver import Channel, Guild, Person
from discord_server.message_text import buttons_of
from scene import SMALL, Json, Scene
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.jobs import Jobs
from engine.contract.models import Job
from engine.contract.store import Store

DRAWN = ["hatching", "ink", "night", "poster", "strokes"]
"""The styles that every server begins with."""


@dataclass
class Place:
    """A server of its own: a channel, a moderator, two members."""

    guild: Guild
    channel: Channel
    moderator: Person
    mem: Person
    other: Person


async def a_place(stage: Scene) -> Place:
    guild = await stage.discord.guild("Styled")
    moderator = await guild.member("Mo", permissions=["manage_messages", "manage_guild"])
    channel = await guild.channel("paintings")
    return Place(guild, channel, moderator, await guild.member("Mem"), await guild.member("Oth"))


async def save(stage: Scene, place: Place, name: str, person: Person | None = None, **options: Any) -> str:
    given = {"name": name, "picture": stage.style, **options}
    return await stage.private_reply(await (person or place.mem).slash(place.channel, "style save", **given))


async def names(place: Place, person: Person | None = None, command: str = "stylize", typed: str = "") -> list[str]:
    option = "style_name" if command == "stylize" else "name"
    offered = await (person or place.mem).autocomplete(place.channel, command, option, typed)
    return [one["value"] for one in offered]


async def job_of(stage: Scene, job: str) -> Job:
    async with connect(stage.pool.url) as redis:
        found = await Jobs(redis).get(job)
    assert found is not None
    return found


async def by_name(stage: Scene, place: Place, name: str | None, person: Person | None = None, **options: Any) -> Any:
    """`/stylize` with a saved style."""
    given = {"content": stage.content, "style_name": name, **SMALL, **options}
    return await (person or place.mem).slash(place.channel, "stylize", **given)


async def accepted(stage: Scene, place: Place, name: str | None, **options: Any) -> str:
    asked = await by_name(stage, place, name, **options)
    assert (await stage.private_reply(asked)).startswith("Accepted: ")
    return str(asked.id)


async def blobs(stage: Scene, place: Place) -> list[str]:
    return [blob.key for blob in await Store(stage.pool.store_url).blobs(f"styles/{place.guild.id}/")]


async def painted(stage: Scene, pool: WorkerPool, card: Json) -> Json:
    """The card, once a worker that is there for this painting alone has painted it."""
    async with connect(pool.url) as redis:
        jobs, asked = Jobs(redis), buttons_of(card)[0]["custom_id"].split(":")[2]
        for job in await jobs.open():  # what the other tests have asked for
            if job != asked:
                await jobs.cancel(job)
    worker = pool.start_worker(seconds=0.3)
    worker.ready()
    done = await stage.ended(card)
    worker.kill()
    return done
