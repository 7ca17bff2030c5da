"""Workers that die at every boundary, stand still, are sent away, and have wrong clocks."""

from __future__ import annotations

import asyncio
import signal

from chaos.forced import BOUNDARIES
from chaos.rounds.scene import Fault, Scene

BEYOND_THE_LEASE = 30.0  # s: 12 of silence, and until a reconciler has looked
HOUR = "3600"


def killed(boundary: str) -> Fault:
    async def fault(scene: Scene) -> None:
        await scene.obeyed(boundary)

    return fault


async def stopped(scene: Scene) -> None:
    """Its job is taken over meanwhile, and what it writes when it wakes falls off."""
    promise = await scene.painting(iterations=350)
    worker = await scene.holder(promise.job)
    worker.send(signal.SIGSTOP)
    await asyncio.sleep(BEYOND_THE_LEASE)
    worker.send(signal.SIGCONT)


async def sent_away_twenty_times(scene: Scene) -> None:
    """Each drain costs nothing: the job is never set aside."""
    promise = await scene.painting(iterations=3000)
    for _ in range(20):
        worker = await scene.holder(promise.job)
        seconds = await worker.end(signal.SIGTERM)
        if seconds > 10:
            raise TimeoutError(f"a drain took {seconds:.1f} s")


async def clock_ahead(scene: Scene) -> None:
    await _changed(scene, CHAOS_CLOCK=HOUR)


async def clock_behind(scene: Scene) -> None:
    await _changed(scene, CHAOS_CLOCK=f"-{HOUR}")


async def another_device(scene: Scene) -> None:
    """One of the workers says that it is of another kind: whoever goes on after it says that bits may differ."""
    await _changed(scene, CHAOS_DEVICE="cuda: a pretended GPU")


async def _changed(scene: Scene, **variables: str) -> None:
    async with scene.cluster.workers[0].changed(**variables):
        await asyncio.sleep(20)


FAULTS: dict[str, Fault] = {
    **{f"a worker is killed {boundary}": killed(boundary) for boundary in BOUNDARIES},
    "a worker stands still beyond its lease": stopped,
    "SIGTERM twenty times on one job": sent_away_twenty_times,
    "a worker's clock is an hour ahead": clock_ahead,
    "a worker's clock is an hour behind": clock_behind,
    "a worker on another kind of device": another_device,
}
