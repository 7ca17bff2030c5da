"""`python forced.py ORDERS KIND …`: the worker or the bot, with faults that are ordered by files in the folder ORDERS.

A file that is named after a boundary kills the one process that comes there first; it is gone then. Others stand until
they are taken away. The product has no switch for any of this: its functions are wrapped before it runs.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import runpy
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BOUNDARIES = (
    "before the claim",
    "before the first event",
    "between blob and event",
    "during a checkpoint's write",
    "between checkpoint and commit",
    "after the last iteration",
    "after the last event",
)
"""Where a worker can be made to die."""
STORE_FULL, STORE_READ_ONLY, STORE_AWAY = "the store is full", "the store is read-only", "the store is away"
_SAYS = {
    STORE_FULL: "No space left on device (os error 28)",
    STORE_READ_ONLY: "Read-only file system (os error 30)",
    STORE_AWAY: "error sending request: connection refused",
}
POISON, TOO_LARGE = 666_666, 777_777
"""Seeds of paintings that kill each worker, and that do not fit into the device's memory."""


class Orders:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def give(self, name: str) -> None:
        (self._folder / name).touch()

    def take_back(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def stands(self, name: str) -> bool:
        return (self._folder / name).exists()

    def obey(self, name: str) -> bool:
        """Whether it was ordered; of several processes one is told so."""
        try:
            (self._folder / name).unlink()
        except FileNotFoundError:
            return False
        return True


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def set_clock(seconds: float) -> None:
    """Python's clocks are wrong by so much. Before anything else is imported."""
    clock, clock_ns = time.time, time.time_ns
    time.time = lambda: clock() + seconds
    time.time_ns = lambda: clock_ns() + int(seconds * 1e9)


def break_off_after(seconds: float) -> None:
    """The bot takes a request for lost after so long. Before other modules copy the measure."""
    from bot.delivery import sender

    sender.REQUEST_TIMEOUT = seconds


def break_store(orders: Orders) -> None:
    import obstore

    def wrap(name: str, *faults: str) -> None:
        real = getattr(obstore, name)

        @functools.wraps(real)
        async def broken(*args: Any, **kwargs: Any) -> Any:
            for fault in faults:
                if orders.stands(fault):
                    raise obstore.exceptions.GenericError(_SAYS[fault])
            return await real(*args, **kwargs)

        setattr(obstore, name, broken)

    wrap("put_async", STORE_FULL, STORE_READ_ONLY, STORE_AWAY)
    wrap("get_async", STORE_AWAY)
    wrap("delete_async", STORE_READ_ONLY, STORE_AWAY)


def break_worker(orders: Orders) -> None:
    import torch

    from engine.contract.events import Done, Snapshot
    from engine.contract.jobs import Jobs
    from engine.contract.store import Store
    from engine.worker import context, slices
    from engine.worker.paint_session import PaintSession

    def around(owner: type, name: str, before: str, after: str, when: Callable[[Any], bool]) -> None:
        real = getattr(owner, name)

        @functools.wraps(real)
        async def deadly(self: Any, *args: Any, **kwargs: Any) -> Any:
            here = when(args)
            if here and before and orders.obey(before):
                die()
            reply = await real(self, *args, **kwargs)
            if here and after and orders.obey(after):
                die()
            return reply

        setattr(owner, name, deadly)

    around(Jobs, "start", BOUNDARIES[0], BOUNDARIES[1], lambda _: True)
    around(Jobs, "emit", BOUNDARIES[2], "", lambda args: isinstance(args[1], Snapshot))
    around(Store, "put", "", BOUNDARIES[4], _is_checkpoint)
    around(Jobs, "finish", BOUNDARIES[5], BOUNDARIES[6], lambda args: isinstance(args[1], Done))
    put, loop = Store.put, slices.run_slice_loop  # type: ignore[attr-defined]

    async def interrupted(self: Store, key: str, data: bytes) -> str:
        if _is_checkpoint((key,)) and orders.obey(BOUNDARIES[3]):
            asyncio.get_running_loop().call_later(random.random() / 200, die)
        return await put(self, key, data)

    def strike(job: str, session: PaintSession, *args: Any, **kwargs: Any) -> Any:
        if session.painter.recipe.seed == POISON:
            die()
        if session.painter.recipe.seed == TOO_LARGE:
            raise torch.OutOfMemoryError("out of memory, on order")
        return loop(job, session, *args, **kwargs)

    Store.put = interrupted  # type: ignore[method-assign]
    slices.run_slice_loop = strike  # type: ignore[attr-defined]
    if pretended := os.environ.get("CHAOS_DEVICE"):
        context.describe = lambda device: pretended  # type: ignore[attr-defined]


def _is_checkpoint(args: Any) -> bool:
    return "/checkpoint-" in args[0]


def main() -> None:
    folder, kind, *rest = sys.argv[1:]
    # A script's own folder comes first on the path, and its modules are not the product's.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).parent.resolve()]
    set_clock(float(os.environ.get("CHAOS_CLOCK") or 0))
    orders = Orders(Path(folder))
    break_store(orders)
    if kind == "worker":
        break_worker(orders)
        sys.argv = ["impasto worker", *rest]
        runpy.run_module("engine.worker", run_name="__main__")
    else:
        from discord_server import launch

        if seconds := os.environ.get("CHAOS_REQUEST_TIMEOUT"):
            break_off_after(float(seconds))
        sys.argv = ["launch.py", *rest]
        launch.main()


if __name__ == "__main__":
    main()
