"""What a fault has at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from arq.connections import ArqRedis

from chaos.cluster import Cluster, Service
from chaos.load import Load, Promise
from engine.contract.jobs import Jobs
from engine.contract.store import Store


@dataclass
class Scene:
    cluster: Cluster
    load: Load
    redis: ArqRedis
    store: Store

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.redis)

    async def obeyed(self, order: str, seconds: float = 90) -> None:
        """Give the order, and wait until a process has obeyed it."""
        orders = self.cluster.orders
        orders.give(order)
        try:
            async with asyncio.timeout(seconds):
                while orders.stands(order):
                    await asyncio.sleep(0.02)  # files tell nobody
        finally:
            orders.take_back(order)

    async def standing(self, order: str, seconds: float) -> None:
        """Let the order stand for a while."""
        self.cluster.orders.give(order)
        await asyncio.sleep(seconds)
        self.cluster.orders.take_back(order)

    async def holder(self, job: str, seconds: float = 60) -> Service:
        """The worker that paints the job now."""
        async with asyncio.timeout(seconds):
            while True:
                held_by = (await self.jobs.fields(job)).get("worker", "")
                for worker in self.cluster.workers:
                    if worker.alive and held_by.endswith(f":{worker.pid}"):
                        return worker
                await asyncio.sleep(0.02)

    async def painting(self, **options: object) -> Promise:
        """A new painting, once it is accepted."""
        while True:
            promise = await self.load.ask(**options)
            if await self.load.accepted(promise):
                return promise


Fault = Callable[[Scene], Awaitable[None]]
