"""The store is full, read-only or away; checkpoints are damaged or gone."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack

from chaos.forced import STORE_AWAY, STORE_FULL, STORE_READ_ONLY
from chaos.rounds.scene import Fault, Scene


async def full(scene: Scene) -> None:
    await scene.standing(STORE_FULL, 10)


async def read_only(scene: Scene) -> None:
    await scene.standing(STORE_READ_ONLY, 10)


async def away(scene: Scene) -> None:
    """For longer than three slices take to be tried again: nothing may be set aside for it."""
    await scene.standing(STORE_AWAY, 45)


async def newest_checkpoints_damaged(scene: Scene) -> None:
    """Of all that is being painted, while no worker has it in memory: the one before is gone on from."""
    await _spoil(scene, newest_only=True)


async def all_checkpoints_gone(scene: Scene) -> None:
    """Those paintings start over."""
    await _spoil(scene, newest_only=False)


async def _spoil(scene: Scene, *, newest_only: bool) -> None:
    promise = await scene.painting(iterations=350)
    async with asyncio.timeout(300):
        while len((await scene.jobs.fields(promise.job))["checkpoints"].split()) < 2:
            await asyncio.sleep(0.05)
    async with AsyncExitStack() as stack:
        for worker in scene.cluster.workers:
            worker.send(signal.SIGSTOP)
        for job in await scene.jobs.open():
            keys = (await scene.jobs.fields(job))["checkpoints"].split()
            for key in keys[:1] if newest_only else keys:
                path = scene.cluster.folder / "store" / key
                if newest_only:
                    data = bytearray(path.read_bytes())
                    data[len(data) // 2] ^= 0xFF
                    path.write_bytes(data)
                else:
                    path.unlink()
        for worker in scene.cluster.workers:
            await stack.enter_async_context(worker.down())


FAULTS: dict[str, Fault] = {
    "the store is full for 10 s": full,
    "the store is read-only for 10 s": read_only,
    "the store is away for 45 s": away,
    "the newest checkpoints are damaged": newest_checkpoints_damaged,
    "all checkpoints are gone": all_checkpoints_gone,
}
