"""What Redis knows of queue, workers and event stream, read when it is asked for: nobody has to count it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from arq.connections import ArqRedis
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from redis.exceptions import RedisError

from engine.contract import workers
from engine.contract.connection import QUEUE
from engine.contract.events import STREAM
from engine.contract.jobs import Jobs
from engine.contract.models import JobState, Standing
from engine.contract.workers import Worker

_PATIENCE = 3.0  # s; Prometheus waits ten, and what the process itself counts is answered with it


async def queue_metrics(redis: ArqRedis) -> list[Metric]:
    """Metrics of jobs, workers and Redis; where Redis does not answer soon, only that it does not."""
    try:
        async with asyncio.timeout(_PATIENCE):
            standings, living = await Jobs(redis).standing(), await workers.living(redis)
            found = [*_of_jobs(standings, living), *_of_workers(living), *await _of_redis(redis)]
    except (RedisError, OSError):
        return [_gauge("impasto_redis_up", "Whether Redis answers.", 0)]
    return [_gauge("impasto_redis_up", "Whether Redis answers.", 1), *found]


def _of_jobs(standings: list[Standing], living: list[Worker]) -> list[Metric]:
    jobs = GaugeMetricFamily("impasto_jobs", "Open jobs by state.", labels=["state"])
    for state in (JobState.QUEUED, JobState.PAINTING):
        jobs.add_metric([state], sum(standing.state is state for standing in standings))
    waiting = [standing.job.created for standing in standings if standing.state is JobState.QUEUED]
    oldest = max(0.0, time.time() - min(waiting)) if waiting else 0.0
    found: list[Metric] = [
        jobs,
        _gauge("impasto_queue_oldest_seconds", "Age of the oldest job that nobody has begun.", oldest),
    ]
    speeds = [worker.speed for worker in living if worker.speed]
    if speeds:
        work = sum(standing.job.remaining_flops(standing.iteration) for standing in standings) / sum(speeds)
        found.append(_gauge("impasto_queue_work_seconds", "Seconds that all workers take for what is open.", work))
    return found


def _of_workers(living: list[Worker]) -> list[Metric]:
    counts = GaugeMetricFamily("impasto_workers", "Living workers.", labels=["device", "weights"])
    for (device, weights), count in Counter((worker.device, worker.weights) for worker in living).items():
        counts.add_metric([device, weights], count)
    speed = GaugeMetricFamily("impasto_worker_flops", "Floating-point operations a second.", labels=["worker"])
    for worker in living:
        if worker.speed:
            speed.add_metric([worker.id], worker.speed)
    alive = _gauge("impasto_workers_alive", "Living workers, also where there is none.", len(living))
    return [alive, counts, speed]


async def _of_redis(redis: ArqRedis) -> list[Metric]:
    lag = GaugeMetricFamily("impasto_stream_lag", "Events that nobody has read yet.", labels=["group"])
    pending = GaugeMetricFamily("impasto_stream_pending", "Events read, not dealt with.", labels=["group"])
    groups: Any = await redis.xinfo_groups(STREAM) if await redis.exists(STREAM) else []
    for group in groups:
        name = group["name"].decode(errors="replace")
        pending.add_metric([name], group["pending"])
        if group.get("lag") is not None:  # Redis cannot always tell, once entries were deleted
            lag.add_metric([name], group["lag"])
    memory = await redis.info("memory")
    return [
        _gauge("impasto_queue_slices", "Slices in the queue and under way.", await redis.zcard(QUEUE)),
        lag,
        pending,
        _gauge("impasto_stream_events", "Events in the stream.", await redis.xlen(STREAM)),
        _gauge("impasto_redis_memory_bytes", "Memory that Redis uses.", memory["used_memory"]),
        _gauge("impasto_redis_memory_limit_bytes", "The most it may use; 0 is no limit.", memory.get("maxmemory", 0)),
    ]


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
