"""Together or alone, and nobody overtakes who waits to be alone."""

from __future__ import annotations

import asyncio

from engine.worker.shared_lock import SharedLock


async def test_who_wants_it_alone_waits_for_those_before_and_those_after_wait_for_it() -> None:
    lock, story = SharedLock(), list[str]()
    ends = {name: asyncio.Event() for name in ("one", "another", "alone", "later")}

    async def hold(name: str) -> None:
        async with lock.alone() if name == "alone" else lock.shared():
            story.append(name)
            await ends[name].wait()

    tasks = [asyncio.create_task(hold(name)) for name in ("one", "another")]
    await asyncio.sleep(0)
    assert (story, lock.closed()) == (["one", "another"], False)
    tasks += [asyncio.create_task(hold(name)) for name in ("alone", "later")]
    ends["one"].set()
    await tasks[0]
    assert (story, lock.closed()) == (["one", "another"], True)
    ends["another"].set()
    await tasks[1]
    ends["later"].set()
    assert not tasks[3].done()
    ends["alone"].set()
    await asyncio.gather(*tasks)
    assert (story, lock.closed()) == (["one", "another", "alone", "later"], False)


async def test_who_gives_up_waiting_to_be_alone_holds_nobody_up() -> None:
    lock = SharedLock()
    async with lock.shared():
        waiting = asyncio.create_task(lock.alone().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with lock.shared():
            assert not lock.closed()
