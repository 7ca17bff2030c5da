"""Rotten entries in Redis: each is passed over, with a line in the log, and everybody else's jobs are read."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest
from arq.connections import ArqRedis
from rotten import ROTTEN, other_kinds
from structlog.testing import capture_logs
from support.jobs import SLICE_TIMEOUT, a_job

from engine.contract import workers
from engine.contract.connection import MOST, load
from engine.contract.events import STREAM, Cancelled, Started, follow
from engine.contract.fair_queue import FairQueue, slice_id
from engine.contract.jobs import Jobs
from engine.contract.models import OPEN, Job, job_key
from engine.contract.reconcile import GRACE, reconcile
from engine.forecast import forecast

ME = workers.Worker(id="me", device="cpu", weights="random", speed=1e9)


@pytest.fixture
async def sound(redis: ArqRedis) -> Job:
    """A job like any other, which has lost its slice."""
    job = a_job()
    await Jobs(redis).create(job)
    await redis.hincrbyfloat(job_key(job.id), "since", -GRACE - 1)  # type: ignore[misc]
    return job


async def a_rotten_job(redis: ArqRedis, **fields: Any) -> None:
    job = a_job()
    await Jobs(redis).create(job)
    await redis.hset(job_key(job.id), mapping={"since": 0, **fields})  # type: ignore[misc]


def told_of(logged: list[MutableMapping[str, Any]], sentence: str) -> int:
    return sum(line["event"] == sentence for line in logged)


async def test_a_heartbeat_that_cannot_be_read_is_no_worker(redis: ArqRedis) -> None:
    await workers.beat(redis, ME)
    more = {"a negative speed": b"-1", "no speed": b"NaN", "a text": b'"fast"'}
    for name, speed in more.items():
        await redis.set(f"impasto:worker:{name}", b'{"id": "x", "device": "", "weights": "", "speed": %b}' % speed)
    for name, value in ROTTEN.items():
        await redis.set(f"impasto:worker:{name}", value)
    await other_kinds(redis, "impasto:worker:")
    with capture_logs() as logged:
        assert await workers.living(redis) == [ME]
    assert told_of(logged, "a worker's heartbeat cannot be read") == len(ROTTEN) + len(more) - 1  # the empty is none
    assert told_of(logged, "a key of Redis holds something else") == 2


async def test_jobs_that_cannot_be_read_keep_no_other_from_being_forecast_and_found(
    redis: ArqRedis, sound: Job
) -> None:
    for value in ROTTEN.values():
        await a_rotten_job(redis, spec=value)
    fields: dict[str, tuple[Any, ...]] = {
        "iteration": ("x", "1e5", b"\xff"),
        "since": ("soon", "nan"),
        "tag": ("inf", ""),
        "worker": (b"\xff",),
    }
    for field, values in fields.items():
        for wrong in values:
            await a_rotten_job(redis, **{field: wrong})
    await redis.sadd(OPEN, "gone", b"\xff", "../../etc/passwd", "list", "stream")  # type: ignore[misc]
    await other_kinds(redis, job_key(""))
    await redis.hset(job_key("gone"), "state", "queued")  # type: ignore[misc]
    await workers.beat(redis, ME)
    with capture_logs() as logged:
        assert [standing.job for standing in await Jobs(redis).standing()] == [sound]
        assert (await forecast(redis))[sound.id].ahead == 0
        await reconcile(redis, 1.0, SLICE_TIMEOUT)
    assert await FairQueue(redis).waiting(slice_id(sound.id, 0, 0), SLICE_TIMEOUT)
    assert all(line["log_level"] == "warning" for line in logged)
    assert all(len(str(line)) < 600 for line in logged)


async def test_an_event_that_cannot_be_read_is_passed_over(redis: ArqRedis, sound: Job) -> None:
    begun = Started(job=sound.id, iteration=0, device="cpu", width=32, height=32)
    ended = Cancelled(job=sound.id, iteration=3)
    told: list[bytes] = [begun.model_dump_json().encode(), *ROTTEN.values(), ended.model_dump_json().encode()]
    for text in told:
        await redis.xadd(STREAM, {"x": text})
        await redis.xadd(STREAM, {"job": sound.id, "event": text})
    with capture_logs() as logged:
        assert [event async for _, event in follow(redis, sound.id)] == [begun, ended]
    assert told_of(logged, "an event cannot be read") == len(ROTTEN)


@pytest.mark.parametrize("name", ROTTEN)
def test_what_is_no_slice_is_refused_before_arq_stumbles_over_it(name: str) -> None:
    with pytest.raises(ValueError):
        load(ROTTEN[name])


@pytest.mark.parametrize(
    "payload",
    [b'{"t":"x","f":"paint_slice","a":[],"k":{},"et":1}', b'{"t":null,"f":[],"a":[],"k":{},"et":1}',
     b'{"t":null,"f":"paint_slice","a":5,"k":{},"et":1}', b'{"t":null,"f":"paint_slice","a":[],"k":{},"et":"now"}'],
)  # fmt: skip
def test_a_slice_of_other_types_is_refused_too(payload: bytes) -> None:
    with pytest.raises(ValueError):
        load(payload)


async def test_nothing_longer_than_anything_of_ours_is_parsed(redis: ArqRedis, sound: Job) -> None:
    """Though it would be sound."""
    spec = sound.model_dump_json() + " " * MOST
    await redis.hset(job_key(sound.id), "spec", spec)  # type: ignore[misc]
    with pytest.raises(ValueError, match="nothing of ours has more"):
        await Jobs(redis).get(sound.id)
