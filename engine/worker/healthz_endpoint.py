"""What a worker tells who runs the server: whether it does its part, and how that on which it stands is."""

from __future__ import annotations

import time
from functools import partial

import torch
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from engine.contract.workers import SILENCE
from engine.monitoring import Ill, Monitored, check_redis_answers, check_store
from engine.worker.context import WorkerContext


def monitored(context: WorkerContext) -> Monitored:
    """The checks and metrics of this worker."""

    async def beats() -> str:
        if context.draining:
            raise Ill("The worker ends: it takes no more work.")
        if time.monotonic() - context.beat_at > SILENCE:
            raise Ill(f"Its heartbeat has not reached Redis for {SILENCE} s.")
        return f"paints on {context.device_name}"

    async def state() -> list[Metric]:
        return _device_metrics(context)

    stands_on = {"redis": partial(check_redis_answers, context.redis), "store": partial(check_store, context.store)}
    return Monitored({"worker": beats}, {"worker": beats, **stands_on}, state)


def _device_metrics(context: WorkerContext) -> list[Metric]:
    held = GaugeMetricFamily("impasto_worker_jobs", "Jobs that this worker holds.", value=len(context.heartbeat.jobs))
    if context.device.type != "cuda":
        return [held]
    free, total = torch.cuda.mem_get_info(context.device)
    memory = GaugeMetricFamily("impasto_gpu_memory_bytes", "Memory of this worker's GPU.", labels=["of"])
    memory.add_metric(["total"], total)
    memory.add_metric(["used"], total - free)
    memory.add_metric(["painting"], torch.cuda.memory_reserved(context.device))
    return [held, memory]
