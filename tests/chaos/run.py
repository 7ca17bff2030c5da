"""One run: members ask, one fault after the other, and what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from discord_server.driver import Discord
from rich.console import Console
from rich.table import Table

from chaos.cluster import Cluster
from chaos.history import Verdict, judge
from chaos.load import LENGTHS, Load, times
from chaos.rounds import bots, discords, jobs, redises, stores, workers
from chaos.rounds.scene import Fault, Scene
from engine.contract.connection import connect
from engine.contract.store import Store

FAULTS: dict[str, Fault] = workers.FAULTS | bots.FAULTS | redises.FAULTS | stores.FAULTS | discords.FAULTS | jobs.FAULTS
POSTS = "POST /channels/*/messages"
PATIENCE = 180.0
"""Seconds after a fault within which pictures must be posted again."""


@dataclass
class Report:
    """What a run came to. `recoveries` are seconds from a fault's end until a picture was posted again."""

    seed: int
    seconds: float = 0.0
    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    broken: list[str] = field(default_factory=list)
    """Faults that could not be brought about, or that nothing came after."""
    verdict: Verdict = field(default_factory=Verdict)
    restarts: dict[str, int] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return not self.broken and not self.verdict.wrong


async def run(folder: Path, seed: int, names: Sequence[str] | None, seconds: float, console: Console) -> Report:
    """The named faults in turn, under a lighter load, by a bot that sooner takes a request for lost.

    With None all, shuffled, again and again for `seconds`.
    """
    report, dice, began = Report(seed), random.Random(seed), time.monotonic()
    async with Discord.start(scale=20) as discord:
        if names is None:
            cluster, load = Cluster(discord, folder), Load(discord, dice, folder)
        else:
            cluster = Cluster(discord, folder, CHAOS_REQUEST_TIMEOUT="8")
            load = Load(discord, dice, folder, 2, LENGTHS[:2], pause=2.0)
        await load.open()
        await discord.until(lambda world: world.counts.get("identifies"))
        async with connect(cluster.redis.url, retries=-1) as redis:
            scene = Scene(cluster, load, redis, Store(cluster.store_url))
            asking = asyncio.create_task(load.keep_asking())
            try:
                for name in _deck(names, dice, began + seconds):
                    await _break(scene, name, report, console)
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking
                await load.settle()
                report.restarts = {service.name: service.restarts for service in cluster.services}
                ends = await cluster.close()
                report.broken += [f"{name} ended with status {status}" for name, status in ends.items() if status]
                report.broken += [f"still there: {line}" for line in _running(folder)]
                report.verdict = await judge(discord, redis, scene.store, folder / "store", load.promises)
            except TimeoutError as error:
                report.broken.append(f"not all was brought to an end: {str(error)[:4000]}")
            finally:
                asking.cancel()
                await cluster.close()
                cluster.redis.kill()
    report.seconds = time.monotonic() - began
    return report


def _running(folder: Path) -> list[str]:
    """The processes that were started for this run, Redis apart, and have not ended with it."""
    lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(folder / "orders") in line]


def _deck(names: Sequence[str] | None, dice: random.Random, until: float) -> Iterator[str]:
    if names is not None:
        yield from names
        return
    while True:
        for name in dice.sample(sorted(FAULTS), len(FAULTS)):
            if time.monotonic() > until:
                return
            yield name


async def _break(scene: Scene, name: str, report: Report, console: Console) -> None:
    """One fault, and the wait until pictures are posted again."""
    discord, began = scene.load.discord, time.monotonic()
    await asyncio.sleep(scene.load.dice.uniform(0.2, 1.5))
    try:
        await FAULTS[name](scene)
    except TimeoutError as error:
        report.broken.append(f"{name}: {str(error).splitlines()[0] if str(error) else 'took too long'}")
    mended, before = time.monotonic(), times(discord.world, POSTS)
    try:
        await discord.until(lambda world: times(world, POSTS) > before, PATIENCE)
    except TimeoutError:
        report.broken.append(f"{name}: nothing was posted for {PATIENCE:g} s after it")
    took = time.monotonic() - mended
    report.recoveries[name].append(took)
    console.print(f"{name}: {mended - began:.1f} s, and {took:.1f} s until a picture was posted again", highlight=False)


def table(report: Report) -> Table:
    """Faults, how often, and how long until pictures were posted again."""
    made = Table("fault", "times", "recovered after (slowest)", title=f"chaos, seed {report.seed}")
    for name in FAULTS:
        if name in report.recoveries:
            found = report.recoveries[name]
            made.add_row(name, str(len(found)), f"{max(found):.1f} s")
    return made


def summary(report: Report) -> Table:
    """Jobs and pictures."""
    verdict = report.verdict
    restarts = ", ".join(f"{name} {count}" for name, count in report.restarts.items())
    made = Table("", "", title=f"{report.seconds / 60:.1f} minutes")
    for name, value in (
        ("faults injected", sum(map(len, report.recoveries.values()))),
        ("paintings accepted", verdict.accepted),
        ("refused in a sentence, or nobody listened", f"{verdict.refused}, {verdict.unheard}"),
        ("pictures promised", verdict.promised),
        ("posted", verdict.posted),
        ("lost", verdict.lost),
        ("doubled", verdict.doubled),
        ("out of order", verdict.disordered),
        ("finals equal to the uncut run's", verdict.finals),
        ("processes started anew", restarts),
        ("left over, or otherwise wrong", len(verdict.wrong) + len(report.broken)),
    ):
        made.add_row(name, str(value))
    return made
