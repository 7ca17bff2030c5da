"""Asks for everything, lets the synthetic workers run, and prints what the bot and Redis took. A report: nothing fails.

    make load ARGS="--queued 10000 --workers 500 --minutes 2"

Members ask for some paintings on the stand-in for Discord, by its own limits, so that the bot has cards and threads to
keep up to date; the others are asked for where the bot would ask for them, and are shown nowhere. A tenth of the guilds
has ten times as many members as the others.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import mean
from typing import Any

import psutil
from arq.connections import ArqRedis
from discord_server.driver import Channel, Discord, Interaction, WorldView
from discord_server.message_text import files_of
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table
from scene import Scene
from support.delivery import small_png
from support.workers import WorkerPool

from bot.post_ledger import GROUP
from engine.contract.connection import BLOCK, QUEUE, connect
from engine.contract.events import STREAM, Snapshot, parse
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import HELD_GUILDS, OPEN, SPENT, Job, StoredPicture, job_key, new_id
from engine.contract.store import Store
from engine.process.child_process import child_command
from engine.process.local_redis import embedded_redis
from engine.recipe.presets import preset

GUILDS, CHANNELS = 200, 20
ITERATIONS = 3000
EPOCH = 1_420_070_400_000  # Discord's, ms


class Watched:
    """A process, and what it takes of the machine."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._process.cpu_percent()

    def __str__(self) -> str:
        """Since the beginning."""
        cores, memory = self._process.cpu_percent() / 100, self._process.memory_info().rss
        return f"{cores:.2f} cores, {memory / 2**20:.0f} MiB"


async def main(asked: argparse.Namespace) -> None:
    console = Console(width=110)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="impasto-")))
        url = stack.enter_context(embedded_redis(folder / "redis"))
        pool = WorkerPool(url, folder)
        async with Discord.start() as discord, connect(url) as redis:
            scene = Scene(discord, pool, folder)
            await scene.open()
            bot = await scene.start_bot(IMPASTO_TOTAL_JOBS="100000", IMPASTO_USER_RUNNING="2")
            stack.callback(bot.kill)
            shown = await ask_on_discord(scene, asked.shown)
            console.print(f"{len(shown)} paintings have cards and threads")
            began = time.monotonic()
            await fill(redis, Store(pool.store_url), asked.queued - len(shown))
            console.print(f"{await redis.zcard(QUEUE)} wait; queued in {time.monotonic() - began:.0f} s")
            command = ["-m", "load.workers", str(asked.workers), str(asked.slice), url, pool.store_url]
            process = subprocess.Popen(child_command([sys.executable, *command]), stdout=subprocess.PIPE)  # noqa: ASYNC220
            stack.callback(process.kill)
            processes = {"bot": bot.pid, "all synthetic workers": process.pid}
            console.print(await measure(scene, processes, redis, asked))


async def ask_on_discord(scene: Scene, count: int) -> list[Interaction]:
    channels = [await scene.guild.channel(f"paintings-{number}") for number in range(CHANNELS)]
    members = [await scene.guild.member(f"Member {number}") for number in range(count)]
    asked = []
    for first in range(0, count, 10):  # as many as there is nothing to be said about: `make crowd` has the rush
        some = range(first, min(first + 10, count))
        asked += await asyncio.gather(*(_ask(scene, members[n], channels[n % CHANNELS]) for n in some))
    return asked


async def _ask(scene: Scene, member: Any, channel: Channel) -> Interaction:
    asked = await scene.stylize(member, channel, size=64, iterations=ITERATIONS)
    await asked.shown(timeout=900)
    return asked


async def fill(redis: ArqRedis, store: Store, count: int) -> None:
    """What others have asked for; each user has two."""
    picture = StoredPicture(key=await store.put("jobs/0/c.png", small_png()), name="a", width=96, height=72)
    recipe = preset("fine", weights="random", size=64, iterations=ITERATIONS)
    jobs, queue, limit = Jobs(redis), FairQueue(redis), asyncio.Semaphore(24)
    large = GUILDS // 10
    parts = [guild for guild in range(GUILDS) for _ in range(10 if guild < large else 1)]

    async def one(number: int) -> None:
        guild = f"{parts[number % len(parts)]}"
        user = f"{guild}-{number // len(parts) // 2}-{number % len(parts)}"
        job = Job(id=new_id(), guild=guild, user=user, recipe=recipe, content=picture, styles=(picture,))
        async with limit:
            await jobs.create(job)
            await queue.enqueue(job, 0, 0, 15.0)

    await asyncio.gather(*(one(number) for number in range(count)))


class SnapshotTimes:
    """When each snapshot was told, in ms of Unix time, as Redis has it."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self.told: dict[tuple[str, int], int] = {}

    async def follow(self) -> None:
        after = "$"
        while True:
            reply: Any = await self._redis.xread({STREAM: after}, block=BLOCK)
            for entry, fields in (line for _, lines in reply for line in lines):
                after = entry.decode()
                event = parse(fields)
                if isinstance(event, Snapshot):
                    self.told[event.job, event.iteration] = int(after.partition("-")[0])

    def latencies(self, world: WorldView) -> list[float]:
        """Seconds from there to the message, of those that were posted, in order."""
        found = []
        for message in (one for channel in world.channels for one in world.messages(channel)):
            for name in files_of(message):
                parts = name.removesuffix(".png").split("-")
                key = (parts[1], int(parts[2])) if len(parts) == 3 and parts[2].isdecimal() else None
                if key in self.told:
                    found.append(((int(message["id"]) >> 22) + EPOCH - self.told[key]) / 1000)
        return sorted(found)


async def measure(scene: Scene, processes: dict[str, int], redis: ArqRedis, asked: argparse.Namespace) -> Table:
    """After half a minute in which the workers begin, looks on for as long as was asked."""
    times = SnapshotTimes(redis)
    following = asyncio.create_task(times.follow())
    for _ in range(6):
        print(f"{await held(redis)} are held", flush=True)
        await asyncio.sleep(5)
    watched = {name: Watched(pid) for name, pid in processes.items()}
    before, spent, began, lags = await redis.info(), await by_guild(redis), time.monotonic(), []
    holding = []
    while time.monotonic() - began < asked.minutes * 60:
        await asyncio.sleep(5)
        lags.append(await lag(redis))
        holding.append(await held(redis))
    following.cancel()
    after, took = await redis.info(), time.monotonic() - began
    used, commands = (
        sum(after[name] - before[name] for name in names) / took
        for names in (("used_cpu_sys", "used_cpu_user"), ("total_commands_processed",))
    )
    shares = [total - spent.get(guild, 0.0) for guild, total in (await by_guild(redis)).items()]
    still_open: Any = redis.scard(OPEN)
    table = Table("", "", title=f"{took:.0f} s, {await still_open} open, {mean(holding):.0f} held by workers")
    queue = await entries(redis)
    table.add_row(f"entries of the queue: {sum(queue.values())}", ", ".join(f"{n} {what}" for what, n in queue.items()))
    for name, process in watched.items():
        table.add_row(name, str(process))
    table.add_row(
        "Redis", f"{used:.2f} cores, {after['used_memory'] / 2**20:.0f} MiB, {commands:.0f} commands a second"
    )
    table.add_row("events not delivered yet", f"mean {mean(lags):.0f}, at most {max(lags)}")
    stood = [line["seconds"] for line in scene.said() if line["event"] == "the event loop stood still"]
    table.add_row("the bot stood still for over 100 ms", f"{len(stood)} times, {max(stood, default=0):.1f} s at most")
    for row in (*of_posts(times, await scene.discord.now()), *of_shares(shares)):
        table.add_row(*row)
    return table


def of_posts(times: SnapshotTimes, world: WorldView) -> list[tuple[str, str]]:
    seconds, told = times.latencies(world), sum(job in shown_jobs(world) for job, _ in times.told)
    shares = {"median": 0.5, "95 of 100": 0.95, "slowest": 1.0}
    return [
        ("snapshots posted", f"{len(seconds)} of {told}"),
        *((f"from event to post, {name}", f"{at(seconds, share):.2f} s") for name, share in shares.items()),
        ("requests to Discord, busiest second", str(world.counts["busiest_second"])),
        ("429s", str(world.counts["rate_limited"])),
    ]


def of_shares(shares: list[float]) -> list[tuple[str, str]]:
    if not any(shares):
        return [("seconds painted", "0: see what the workers say")]
    index = sum(shares) ** 2 / (len(shares) * sum(one * one for one in shares))
    return [
        ("seconds painted by guild", f"least {min(shares):.0f}, mean {mean(shares):.1f}, most {max(shares):.0f}"),
        ("Jain's index of fairness", f"{index:.4f}"),
    ]


def shown_jobs(world: WorldView) -> set[str]:
    return {one["id"] for one in world.interactions}


def at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


async def held(redis: Redis) -> int:
    """Jobs that workers hold."""
    return sum(int(count) for count in await redis.hvals(HELD_GUILDS))  # type: ignore[misc]


async def entries(redis: ArqRedis) -> dict[str, int]:
    """Those of the queue, by what has become of their slices."""
    counts = dict.fromkeys(("wait", "are being painted", "were painted", "are superseded", "are of no open job"), 0)
    names = [name.rsplit(":", 2) for name in await FairQueue(redis).all()]
    async with redis.pipeline(transaction=False) as pipe:
        for job, _, _ in names:
            pipe.hmget(job_key(job), ["state", "epoch", "worker", "iteration"])
        rows: Any = await pipe.execute()
    for (_, iteration, epoch), (state, now, worker, stands_at) in zip(names, rows, strict=True):
        behind = int(now or 0) - int(epoch)  # a slice that is begun raises the epoch
        if state not in (b"queued", b"painting"):
            counts["are of no open job"] += 1
        elif behind == 0:
            counts["wait" if int(stands_at) == int(iteration) else "are superseded"] += 1
        else:
            counts["are being painted" if behind == 1 and worker else "were painted"] += 1
    return counts


async def by_guild(redis: Redis) -> dict[str, float]:
    """Seconds of painting that were put down to each guild."""
    (day,) = await redis.keys(f"{SPENT}:*") or [b""]
    spent: Any = await redis.hgetall(day)  # type: ignore[misc]
    return {name.decode(): float(value) for name, value in spent.items() if name.startswith(b"guild:")}


async def lag(redis: Redis) -> int:
    """Events that the bot has not read, or not dealt with."""
    (group,) = [one for one in await redis.xinfo_groups(STREAM) if one["name"].decode() == GROUP]
    return int(group["pending"]) + int(group["lag"] or 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--queued", type=int, default=10_000)
    parser.add_argument(
        "--workers", type=int, default=500, help="each holds two; tens of them look into the queue as one"
    )
    parser.add_argument("--shown", type=int, default=200, help="of the queued ones, on Discord")
    parser.add_argument("--slice", type=float, default=15.0, help="seconds")
    parser.add_argument("--minutes", type=float, default=2.0)
    asyncio.run(main(parser.parse_args()))
