"""One run, in a network of its own: each scene in turn, and what came of all of it."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

from chaos.history import Verdict, judge
from chaos.load import Load
from discord_server.driver import Discord

from engine.contract.connection import connect
from engine.contract.store import Store
from machines.cluster import Cluster
from machines.network import Switch
from machines.scenes import SCENES, Stage

PATIENCE = 300.0
"""Seconds that a scene may take until all that was asked for in it is done."""


async def run(folder: Path, names: Sequence[str]) -> list[str]:
    """What was not as it should be."""
    inner, outer = Switch("inner", "10.77.0"), Switch("outer", "10.78.0")
    async with Discord.start(scale=20, host=outer.own) as discord:
        cluster = Cluster(discord, folder, inner, outer)
        os.environ.update(cluster.settings)
        load = Load(discord, random.Random(1), folder)
        await load.open()
        store = Store(cluster.store_url)
        async with connect(cluster.redis_url, retries=-1) as redis:
            await redis.ping()
            await store.ready()
            await discord.until(lambda world: world.counts.get("identifies"))
            wrong = []
            stage = Stage(cluster, load, redis)
            for name in names:
                wrong += await _play(name, stage)
            restarts = {service.name: service.restarts for service in cluster.services}
            wrong += [f"{name} ended {count} times by itself" for name, count in restarts.items() if count]
            ends = await cluster.close()
            wrong += [f"{name} ended with status {status}" for name, status in ends.items() if status]
            verdict = await judge(discord, redis, store, None, load.promises)
        await cluster.close_hosts()
    print(_told(verdict))
    return wrong + verdict.wrong


async def _play(name: str, stage: Stage) -> list[str]:
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            await SCENES[name](stage)
            mended = time.monotonic()
            await stage.load.settle(PATIENCE)
    except TimeoutError:
        return [f"{name}: not all was brought to an end"]
    print(f"{name}: {mended - began:.1f} s, and {time.monotonic() - mended:.1f} s until all was done", flush=True)
    return []


def _told(verdict: Verdict) -> str:
    return (
        f"{verdict.accepted} paintings, {verdict.refused} refused in a sentence; of {verdict.promised} pictures "
        f"{verdict.posted} posted, {verdict.lost} lost, {verdict.doubled} doubled, {verdict.disordered} out of order; "
        f"{verdict.finals} finals equal to the uncut run's"
    )
