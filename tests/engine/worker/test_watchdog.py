"""A painting that does not move on any more: the worker ends, and only that painting is to blame."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import hanging_worker
import pytest
from support.jobs import JobClient, light
from support.pictures import CONTENT, STYLE
from support.workers import WorkerPool

from engine.contract import workers
from engine.contract.models import DEATHS
from engine.painting.errors import PaintingError
from engine.painting.painter import ROLLBACKS, Painter
from engine.worker.paint_session import PaintSession
from engine.worker.slice_loop import LoopReport, run_slice_loop
from engine.worker.watchdog import Pulse


def session() -> PaintSession:
    painter = Painter(light(12, snapshots=tuple(range(1, 12))), CONTENT, [STYLE])
    return PaintSession(painter, painter.begin())


def test_every_iteration_has_its_beat_and_only_a_stroke_that_was_begun_can_be_stuck() -> None:
    pulse, beats = Pulse(), list[float]()

    def tell(look: LoopReport) -> None:
        if look.snapshot:
            beats.append(pulse.at)
            assert pulse.stuck(0) == "a job"
            assert pulse.stuck(3600) is None

    assert pulse.stuck(0) is None  # the first waits for its turn
    with pulse.of("a job"):
        run_slice_loop("a job", session(), threading.Event(), 60, tell, pulse=pulse)
    assert beats == sorted(set(beats))
    assert len(beats) == 12
    assert pulse.stuck(0) is None


def test_what_begins_while_it_is_looked_at_is_not_stuck() -> None:
    class Overtaken(Pulse):
        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            if name == "at":
                self._job = "the next job"
            return found

    assert Overtaken().stuck(0) is None


def test_a_stroke_that_broke_off_is_not_stuck() -> None:
    pulse, broken = Pulse(), session()
    broken.state.pixels.fill_(float("nan"))
    broken.state.rollbacks.extend([(0, "earlier")] * ROLLBACKS)
    with pytest.raises(PaintingError), pulse.of("a job"):
        run_slice_loop("a job", broken, threading.Event(), 60, lambda _: None, pulse=pulse)
    assert pulse.stuck(0) is None


@pytest.mark.long
async def test_a_painting_that_hangs_ends_the_worker_and_counts_as_its_death_alone(
    client: JobClient, pool: WorkerPool, tmp_path: Path
) -> None:
    stuck = await client.submit(light(50, seed=hanging_worker.SEED), user="ann", queued=False)
    other = await client.submit(light(50), user="bob", queued=False)
    for epoch in range(DEATHS - 1):
        assert await client.jobs.start(stuck.id, 0, epoch, "a worker that died") is not None
    log = tmp_path / "worker.log"
    process = pool.start_worker(
        seconds=60, program=[hanging_worker.__file__], IMPASTO_STUCK_SECONDS="5", IMPASTO_LOG=str(log)
    ).ready()
    await client.queue.enqueue(stuck, 0, DEATHS - 1, 1.0)
    await client.until(stuck, 0)
    await client.queue.enqueue(other, 0, 0, 1.0)  # the worker takes it, and it waits for its turn

    assert process.ended() == 1
    (said,) = [line for line in map(json.loads, log.read_text().splitlines()) if line["level"] == "error"]
    assert (said["job"], said["event"]) == (stuck.id, "a painting does not move on any more: the worker ends")
    threads = said["stack"].split("\n\n")
    assert any('hanging_worker.py", line' in thread and "in run_slice_loop" in thread for thread in threads)
    assert any("in _watch" in thread for thread in threads)
    assert await workers.living(client.redis) == []
    fields = await client.jobs.fields(other.id)
    assert (fields["worker"], fields["deaths"]) == ("", "0")
    claim = await client.jobs.start(stuck.id, 0, DEATHS, "the next worker")
    assert claim is not None
    assert claim.poisoned


@pytest.mark.long
@pytest.mark.parametrize("seed", [hanging_worker.BEGIN_SEED, hanging_worker.END_SEED])
async def test_a_device_that_hangs_before_the_first_iteration_or_after_the_last_ends_the_worker_too(
    client: JobClient, pool: WorkerPool, tmp_path: Path, seed: int
) -> None:
    await client.redis.flushdb()  # what else hung would come first
    log = tmp_path / "worker.log"
    job = await client.submit(light(50, seed=seed))
    process = pool.start_worker(
        seconds=60, program=[hanging_worker.__file__], IMPASTO_STUCK_SECONDS="2", IMPASTO_LOG=str(log)
    )
    assert process.ready().ended() == 1
    (said,) = [line for line in map(json.loads, log.read_text().splitlines()) if line["level"] == "error"]
    assert said["job"] == job.id


@pytest.mark.long
async def test_a_device_that_hangs_while_it_is_checked_ends_the_worker_too(
    client: JobClient, pool: WorkerPool, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    process = pool.start_worker(
        program=[hanging_worker.__file__], HANGING_CHECK="1", IMPASTO_STUCK_SECONDS="1", IMPASTO_LOG=str(log)
    )
    assert process.ended() == 1
    (said,) = [line for line in map(json.loads, log.read_text().splitlines()) if line["level"] == "error"]
    assert (said["job"], said["event"]) == ("", "a painting does not move on any more: the worker ends")
    assert "in _hanging_check" in said["stack"]
