"""`make crowd`: two hundred members ask within ten seconds while a worker paints; then a thousand paintings, one bot.

Prints how soon each was answered, where the bot's event loop stood still, what Discord was asked for, and the bot's
memory. Nothing here fails: it is a report, for times depend on the machine. `--jobs N` for fewer than a thousand.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from arq.connections import ArqRedis
from discord_server.driver import Channel, Discord, Interaction, Person, WorldView
from discord_server.message_text import text_of
from PIL import Image
from rich.console import Console
from rich.table import Table
from scene import LONG, Scene, card_of
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.events import Done, Progress, Snapshot, Started
from engine.contract.jobs import Jobs
from engine.contract.store import Store
from engine.process.local_redis import embedded_redis

BURST, BURST_SECONDS = 200, 10.0
CHANNELS = 20
AT_ONCE = 20  # paintings under way while memory is watched
TINY: dict[str, Any] = {"size": 64, "iterations": 4}
EXAMPLES = Path(__file__).parents[2] / "examples"


async def main(jobs: int) -> None:
    console = Console()
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder, embedded_redis(Path(folder, "redis")) as url:
        pool = WorkerPool(url, Path(folder))
        pool.start_worker(seconds=2).ready()
        try:
            async with Discord.start() as discord:  # with Discord's own limits
                scene = Scene(discord, pool, Path(folder))
                await scene.open()
                bot = await scene.start_bot()
                try:
                    await _burst(scene, console)
                    pool.close()
                    async with connect(pool.url) as redis:
                        await _memory(scene, Hands(redis, Store(pool.store_url)), bot.pid, jobs, console)
                finally:
                    bot.end()
        finally:
            pool.close()


async def _burst(scene: Scene, console: Console) -> None:
    """Two hundred members, each with real pictures, over twenty channels."""
    discord = scene.discord
    channels = [await scene.guild.channel(f"paintings-{number}") for number in range(CHANNELS)]
    crowd = [await scene.guild.member(f"Member {number}") for number in range(BURST)]
    painting = await scene.card(await scene.stylize(**LONG))
    await discord.until(lambda world: "**Painting**" in text_of(world.message(painting)))
    real = {"content": EXAMPLES / "harbour.png", "style": EXAMPLES / "strokes.png"}
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def ask(number: int, member: Person) -> Interaction:
        await asyncio.sleep(max(0.0, began + number * BURST_SECONDS / BURST - loop.time()))
        asked = await scene.stylize(member, channels[number % CHANNELS], **TINY, **real)
        await asked.answered()
        return asked

    asked = await asyncio.gather(*(ask(number, member) for number, member in enumerate(crowd)))
    took = loop.time() - began
    latencies = sorted(one.latency_s for one in asked)
    for one in asked:
        await one.shown(timeout=900)
    accepted = loop.time() - began
    cards = [card_of(discord.world, channels[number % CHANNELS], one.id) for number, one in enumerate(asked)]
    table = Table("the burst", "", title=f"{BURST} /stylize within {took:.1f} s, a worker painting")
    for name, value in (
        ("answered after, median", f"{latencies[BURST // 2] * 1000:.0f} ms"),
        ("90 of 100 within", f"{latencies[BURST * 9 // 10] * 1000:.0f} ms"),
        ("99 of 100 within", f"{latencies[BURST * 99 // 100] * 1000:.0f} ms"),
        ("slowest", f"{latencies[-1] * 1000:.0f} ms"),
        ("all accepted, with card and thread, after", f"{accepted:.0f} s"),
        ("cards", f"{sum(card is not None for card in cards)} of {BURST}"),
        *_budget(scene),
    ):
        table.add_row(name, value)
    console.print(table)
    await (await scene.ada.press(discord.world.message(painting), "Cancel")).shown()
    for card in filter(None, cards):
        await discord.until(partial(_done, card), 900)


def _done(card: dict[str, Any], world: WorldView) -> bool:
    return "**Done**" in text_of(world.message(card))


class Hands:
    """Paints in no time, in the workers' place: what is looked at is the bot."""

    def __init__(self, redis: ArqRedis, store: Store) -> None:
        self._jobs, self._store = Jobs(redis), store

    async def paint(self, number: str) -> None:
        claim = await self._jobs.start(number, 0, 0, "by hand")
        assert claim is not None
        key, last = claim.job.content.key, TINY["iterations"]
        await self._jobs.emit(claim, Started(job=number, iteration=0, device="hands", width=96, height=72))
        for iteration in range(1, last):
            facts: dict[str, Any] = {"loss": 3.0, "content": 1.0, "style": 2.0, "rate": 5.0, "eta": 1.0}
            await self._jobs.emit(claim, Progress(job=number, iteration=iteration, **facts))
            await self._jobs.emit(claim, Snapshot(job=number, iteration=iteration, picture=key, loss=3.0))
        run = {"losses": {"rows": [[3.0]]}, "width": 96, "height": 72}
        film = await self._store.put(f"jobs/{number}/film.webp", _film(await self._store.get(key)))
        record = await self._store.put(f"jobs/{number}/run.json", json.dumps(run).encode())
        files = {"final.png": key, "loss.png": key, "film.webp": film, "run.json": record}
        await self._jobs.finish(claim, Done(job=number, iteration=last, files=files))


def _film(png: bytes) -> bytes:
    first = Image.open(io.BytesIO(png))
    buffer = io.BytesIO()
    first.save(buffer, "WEBP", save_all=True, append_images=[first.rotate(180)], duration=500)
    return buffer.getvalue()


async def _memory(scene: Scene, workers: Hands, pid: int, jobs: int, console: Console) -> None:
    """Painting after painting, some at a time; the bot's resident memory after each tenth of them."""
    discord = scene.discord
    await discord.rate_limits(100)  # or Discord's limits would set the time that it takes
    table = Table("paintings", "bot's memory", title=f"{jobs} paintings, {AT_ONCE} at a time")
    table.add_row("0", _resident(pid))
    members = [await scene.guild.member(f"Painter {number}") for number in range(AT_ONCE)]
    done = 0

    async def paint(member: Person, channel: Channel) -> None:
        asked = await scene.stylize(member, channel, **TINY)
        card = await scene.card(asked, channel)
        await asked.shown()
        await workers.paint(asked.id)
        await scene.ended(card)

    while done < jobs:
        channel = await scene.guild.channel(f"gallery-{done}")
        await asyncio.gather(*(paint(member, channel) for member in members))
        done += len(members)
        if done % max(AT_ONCE, jobs // 10) == 0:
            table.add_row(str(done), _resident(pid))
    for name, value in _budget(scene):
        table.add_row(name, value)
    console.print(table)


def _budget(scene: Scene) -> list[tuple[str, str]]:
    counts, world = scene.discord.world.counts, scene.discord.world
    stood = [line for line in scene.said() if line["event"] == "the event loop stood still"]
    stalls = [f"{line['seconds'] * 1000:.0f} ms ({line['work'] * 1000:.0f} of them at work)" for line in stood]
    return [
        ("requests in the busiest second (Discord allows 50)", str(counts["busiest_second"])),
        ("429s", str(counts["rate_limited"])),
        ("invalid requests (Discord allows 10,000 in 10 min)", str(counts["invalid_requests"])),
        ("violations", str(len(world.violations))),
        ("event loop stood still over 100 ms", ", ".join(stalls) or "never"),
    ]


def _resident(pid: int) -> str:
    return f"{psutil.Process(pid).memory_info().rss / 2**20:.0f} MiB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1000)
    asyncio.run(main(parser.parse_args().jobs))
