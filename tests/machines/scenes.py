"""Who is cut off from whom, while what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from arq.connections import ArqRedis
from chaos.cluster import Service
from chaos.load import Load, Promise
from discord_server.message_text import files_of

from engine.contract import workers
from engine.contract.jobs import Jobs
from engine.contract.workers import SILENCE
from machines.cluster import Cluster
from machines.network import Machine

ITERATIONS = 400
"""So many that it is still under way when its first picture has been seen."""
_LOOK = 0.05  # s


@dataclass
class Stage:
    cluster: Cluster
    load: Load
    redis: ArqRedis

    async def painting(self) -> Promise:
        """A new one, of which the first picture has been posted."""
        promise = await self.load.ask(iterations=ITERATIONS)
        assert await self.load.accepted(promise)
        first = promise.pictures[0]
        await self.load.discord.until(
            lambda world: any(first in files_of(one) for channel in world.channels for one in world.messages(channel))
        )
        return promise

    async def holder(self, promise: Promise, but: Service | None = None) -> Service:
        """The worker that paints it, once it is one, and another than `but`."""
        while True:
            held_by = (await Jobs(self.redis).fields(promise.job)).get("worker", "")
            for worker in self.cluster.worker_services:
                if worker is not but and held_by.endswith(f":{worker.pid}"):
                    return worker
            await asyncio.sleep(_LOOK)

    async def free(self, worker: Service, promise: Promise) -> None:
        """Returns when it says, in Redis, that it lives and does not hold the painting."""
        while True:
            for one in await workers.living(self.redis):
                if one.id.endswith(f":{worker.pid}") and promise.job not in one.jobs:
                    return
            await asyncio.sleep(_LOOK)

    async def ended(self, promise: Promise) -> None:
        """Returns when it is painted, whether the bot knows or not."""
        while await Jobs(self.redis).outcome(promise.job) is None:
            await asyncio.sleep(_LOOK)


async def worker_is_back_in_time(stage: Stage) -> None:
    """Unheard in mid-slice until another one has taken over, it comes back while that one paints."""
    promise = await stage.painting()
    first = await stage.holder(promise)
    async with stage.cluster.machine(first).unheard(stage.cluster.inner):
        await stage.holder(promise, but=first)
    await stage.free(first, promise)


async def worker_is_back_late(stage: Stage) -> None:
    """Unheard in mid-slice until the painting is done, it comes back with what it painted meanwhile."""
    promise = await stage.painting()
    first = await stage.holder(promise)
    async with stage.cluster.machine(first).unheard(stage.cluster.inner):
        await stage.ended(promise)
    await stage.free(first, promise)


async def worker_is_unplugged(stage: Stage) -> None:
    """Its interface is down for a moment, shorter than it takes until it counts as dead."""
    promise = await stage.painting()
    first = await stage.holder(promise)
    async with stage.cluster.machine(first).unplugged(stage.cluster.inner):
        await asyncio.sleep(SILENCE / 2)


async def bot_without_redis(stage: Stage) -> None:
    """It is cut off from Redis and S3, not from Discord, until the painting is done; somebody asks meanwhile."""
    promise = await stage.painting()
    async with stage.cluster.bot.unheard(stage.cluster.inner):
        await stage.load.ask(iterations=24)
        await stage.ended(promise)


async def bot_without_discord(stage: Stage) -> None:
    """The other way round."""
    promise = await stage.painting()
    async with stage.cluster.bot.unheard(stage.cluster.outer):
        await stage.ended(promise)


async def redis_is_away(stage: Stage) -> None:
    """For so long that nobody hears of any worker, with two paintings under way."""
    await stage.painting()
    await stage.painting()
    await _away(stage, stage.cluster.redis)


async def s3_is_away(stage: Stage) -> None:
    """As long, with two paintings under way."""
    await stage.painting()
    await stage.painting()
    await _away(stage, stage.cluster.s3)


async def _away(stage: Stage, machine: Machine) -> None:
    async with machine.unheard(stage.cluster.inner):
        await asyncio.sleep(SILENCE * 1.5)


Scene = Callable[[Stage], Awaitable[None]]

SCENES: dict[str, Scene] = {
    "a worker is cut off, and back in time": worker_is_back_in_time,
    "a worker is cut off, and back too late": worker_is_back_late,
    "a worker's cable is out for a moment": worker_is_unplugged,
    "the bot is cut off from Redis and S3": bot_without_redis,
    "the bot is cut off from Discord": bot_without_discord,
    "Redis is cut off": redis_is_away,
    "S3 is cut off": s3_is_away,
}
SHORT = ("a worker is cut off, and back in time",)
