"""Many paintings that are forgotten at once, under Discord's own limits: `python tests/bot/forgetting.py 500`.

Ends with an error where something is left, or where Discord was asked for more than it allows.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from arq.connections import ArqRedis
from discord_server.driver import Channel, Person
from discord_server.tests.raw import Raw
from scene import Scene, scene
from support.jobs import JobClient, a_job
from support.workers import WorkerPool

from bot.post_ledger import Address, Ledger
from engine.contract.connection import connect
from engine.contract.events import STREAM
from engine.contract.store import Store
from engine.process.local_redis import embedded_redis

Json = dict[str, Any]

BUSIEST = 50
"""Requests a second that Discord allows a bot."""
NOBODY: Json = {"allowed_mentions": {"parse": []}}
"""Whom a message may ping, as the bot itself says with each of its own."""


async def hang_up(stage: Scene, owner: Person, channel: Channel, paintings: int, posts: int) -> list[str]:
    """So many paintings of a member's, each with card, thread and posts, as if the bot had shown them; their jobs."""
    raw, messages = Raw(stage.discord), f"/channels/{channel.id}/messages"
    await stage.discord.rate_limits(1000)
    async with connect(stage.pool.url) as redis:
        ledger, client = Ledger(redis), JobClient(redis, Store(stage.pool.store_url))
        jobs = [a_job(user=owner.id) for _ in range(paintings)]
        for job in jobs:
            await client.jobs.create(job)
            await client.jobs.cancel(job.id)
        while await _unread(redis):  # so that none of these cancellations is shown on a card
            await stage.discord.now()
        for number, job in enumerate(jobs):
            card = (await raw("POST", messages, {"content": f"card {number}", "flags": 4096, **NOBODY})).body["id"]
            thread = (await raw("POST", f"{messages}/{card}/threads", {"name": f"harbour {number}"})).body["id"]
            sent = [
                (await raw("POST", f"/channels/{thread}/messages", {"content": f"post {post}", **NOBODY})).body["id"]
                for post in range(posts)
            ]
            address = Address(
                job=job.id, owner=int(owner.id), guild=int(channel.data["guild_id"]), channel=int(channel.id),
                place="thread", title="harbour",
            )  # fmt: skip
            await ledger.open(address)
            fields = {f"post:{post}": int(message) for post, message in enumerate(sent)}
            await ledger.note(job.id, {"card": card, "thread": thread, **fields})
    await stage.discord.rate_limits(1)
    await asyncio.sleep(1)  # what was asked for just now counts for a second
    return [job.id for job in jobs]


async def _unread(redis: ArqRedis) -> bool:
    """Whether there are events that the bot has not dealt with."""
    (group,) = await redis.xinfo_groups(STREAM)
    return bool(group["lag"] or group["pending"])


async def forgotten(stage: Scene, owner: Person, channel: Channel) -> list[Json]:
    """The requests that it takes until nothing of the member's is there."""
    before = len(stage.discord.world.requests)
    await stage.private_reply(await owner.slash(channel, "forget"))
    async with connect(stage.pool.url) as redis:
        while await Ledger(redis).to_forget():  # noqa: ASYNC110 - Redis does not say when a set is empty
            await asyncio.sleep(0.05)
    return (await stage.discord.now()).requests[before:]


def busiest_second(requests: list[Json]) -> int:
    """The most requests in any second, those that an interaction's token pays for left out."""
    at: list[float] = [one["at"] for one in requests if one["path"].startswith("/channels/")]
    return max(sum(first <= other < first + 1 for other in at[i : i + 200]) for i, first in enumerate(at))


async def main(paintings: int) -> None:
    with tempfile.TemporaryDirectory() as folder, embedded_redis(Path(folder, "redis")) as url:
        pool = WorkerPool(url, Path(folder))
        async with scene(pool, Path(folder), 1) as stage:
            for rights in ([], ["manage_threads"]):
                guild = await stage.discord.guild("Studio", bot_permissions=rights)
                channel, eve = await guild.channel("paintings"), await guild.member("Eve")
                await hang_up(stage, eve, channel, paintings, posts=8)
                requests = await forgotten(stage, eve, channel)
                took, answers = requests[-1]["at"] - requests[0]["at"], Counter(one["status"] for one in requests)
                left = stage.discord.world.messages(channel)
                print(
                    f"{paintings} paintings, rights {rights}: {len(requests)} requests in {took:.0f} s, "
                    f"at most {busiest_second(requests)} a second; answers {dict(answers)}; left: {len(left)}"
                )
                if left or answers[429] or busiest_second(requests) > BUSIEST:
                    raise SystemExit("Something was left, or Discord was asked for too much.")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
