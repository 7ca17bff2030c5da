"""One worker: arq on one device, with a heartbeat, an ear for cancellations, a safety net and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from arq.worker import func
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from engine.contract import workers
from engine.contract.cleanup import clean_up
from engine.contract.connection import BLOCK, QUEUE, connect, load
from engine.contract.expiry import kept_unknown, remove_expired, swept, takes_sweep
from engine.contract.fair_queue import SLICE
from engine.contract.models import CONTROL
from engine.contract.reconcile import forget_the_dead, reconcile, takes_turn
from engine.contract.redis_check import await_redis
from engine.contract.settings import Settings
from engine.contract.store import Store, StoreError
from engine.monitoring import serve_monitoring
from engine.process.redaction import redact
from engine.worker import fast_path_check
from engine.worker.arq_worker import SliceWorker
from engine.worker.context import WorkerContext
from engine.worker.device import choose_device
from engine.worker.handover import end_over
from engine.worker.healthz_endpoint import monitored
from engine.worker.slices import paint_slice
from engine.worker.watchdog import stacks, until_stuck
from engine.worker.weights.named_weights import in_words, load_weights
from engine.worker.weights.weights_file import WeightsError, WrongWeights

_SLICES_AT_ONCE = 2
"""While one slice paints, the next one's pictures load and the last one's snapshots encode; the painting thread keeps
them apart."""
_RECONCILE = 10.0  # s
_SWEEP_ASKED = 60.0  # s
_NICENESS = 5

_log = structlog.get_logger("impasto.worker")


async def work(settings: Settings) -> int:
    """Run one worker until it is asked to end; the exit status. Raises what `run_worker` does, but `WeightsError`."""
    try:
        await run_worker(settings, _say_ready)
    except WeightsError as error:
        print(redact(str(error)), file=sys.stderr)
        return os.EX_CONFIG if isinstance(error, WrongWeights) else 1
    return 0


def _say_ready(context: WorkerContext) -> None:
    context.say(f"ready: {context.id} paints on {context.device_name} with {in_words(context.weights)}")
    if context.slow:
        context.say(f"{context.id}: {fast_path_check.in_words(context.slow)}")


async def run_worker(settings: Settings, ready: Callable[[WorkerContext], None]) -> None:
    """Paint until SIGTERM or SIGINT. `ready` is called once the worker can be given work.

    Raises `SettingsError`, `WeightsError`, `RecipeError` or `StoreError` when it cannot start. For Redis and the store
    it waits.
    """
    assert settings.redis_url is not None  # noqa: S101 - the caller has seen to it
    device = choose_device(settings.impasto_device)
    store = Store(settings.store)
    await await_redis(settings.redis_url)  # before the weights, which may take minutes
    identity = await store.ready()
    if device == "cpu":
        os.nice(_NICENESS)  # before there are threads: a bot on the same machine answers first
    with ThreadPoolExecutor(1) as once:  # and its OpenMP team with it; see `WorkerContext.in_painting_thread`
        loading = once.submit(
            load_weights, settings.impasto_weights, settings.impasto_cache, input_=settings.impasto_weights_input
        )
        weights = await asyncio.wrap_future(loading)
    async with connect(settings.redis_url, retries=-1) as redis:
        context = WorkerContext(settings, redis, weights, device)
        beside = [asyncio.create_task(_steadily(_watch, context))]  # the device may hang in the check already
        try:
            await context.check_fast_path(fast_path_check.fault_of_fast_path)
            context.store_identity = identity
            await workers.beat(redis, context.heartbeat)
            arq = _arq(context)
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, _drain, context, arq)
            tasks = (_heartbeat, _listen, _reconcile, _sweep)
            beside += [asyncio.create_task(_steadily(task, context)) for task in tasks]
            painting = asyncio.create_task(arq.async_run())
            async with serve_monitoring(settings.monitoring_address, monitored(context)):
                ready(context)
                await _until_drained(context, arq, painting)
        finally:
            for task in beside:
                task.cancel()


def _drain(context: WorkerContext, arq: SliceWorker) -> None:
    """Not arq's own shutdown, which cancels coroutines, costs a try, and leaves the painting thread going."""
    arq.take_up_no_more()
    context.drain()


async def _until_drained(context: WorkerContext, arq: SliceWorker, painting: asyncio.Task[None]) -> None:
    ends = [painting, asyncio.create_task(_hand_over(context, arq)), asyncio.create_task(_deserted(context))]
    ended, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()
    for end in ended:
        end.result()


async def _hand_over(context: WorkerContext, arq: SliceWorker) -> None:
    """Once the context is to drain: wait until all that was begun is saved and passed on, and sign off."""
    await context.drained()
    await arq.all_have_ended()
    await workers.sign_off(context.redis, context.id)
    await context.redis.delete(f"impasto:arq:{context.id}")


async def _deserted(context: WorkerContext) -> None:
    """Raises a `RedisError` when the context is to drain and Redis has gone: nobody could take what was painted."""
    assert context.settings.redis_url is not None  # noqa: S101 - as in `run_worker`
    async with connect(context.settings.redis_url, retries=5) as redis:
        try:
            while True:
                if context.draining:
                    await redis.ping()
                await asyncio.sleep(1)
        except RedisError:
            context.redis.set_retry(Retry(NoBackoff(), 0))  # nothing else may go on trying
            raise


def _arq(context: WorkerContext) -> SliceWorker:
    logging.getLogger("arq").setLevel(logging.WARNING)
    function = func(paint_slice, name=SLICE, timeout=context.settings.slice_timeout, keep_result=0, max_tries=1_000_000)
    return SliceWorker(
        functions=[function], redis_pool=context.redis, queue_name=QUEUE, ctx={"context": context},
        max_jobs=_SLICES_AT_ONCE, poll_delay=0.05, queue_read_limit=1, handle_signals=False,
        health_check_key=f"impasto:arq:{context.id}", health_check_interval=60, keep_result=0,
        # What comes of a slice is in the job's hash; arq would want to keep an exception, which JSON cannot hold.
        job_serializer=lambda _: b"null", job_deserializer=load,
    )  # fmt: skip


async def _steadily(task: Callable[[WorkerContext], Awaitable[Any]], context: WorkerContext) -> None:
    """Keep a task of the worker's own going through outages of Redis."""
    while True:
        try:
            await task(context)
            return
        except (RedisError, StoreError, OSError) as error:
            _log.warning("Redis or the store does not answer", reason=str(error))
            await asyncio.sleep(1)
        except Exception:  # whatever lies in Redis: without these the worker would seem to be well, and not be
            _log.exception("a part of the worker broke off, and begins anew")
            await asyncio.sleep(_RECONCILE)


async def _heartbeat(context: WorkerContext) -> None:
    while True:
        await workers.beat(context.redis, context.heartbeat)
        context.beat_at = time.monotonic()
        await asyncio.sleep(workers.BEAT)


async def _listen(context: WorkerContext) -> None:
    """Stop what is asked to stop."""
    newest: Any = await context.redis.xrevrange(CONTROL, count=1)
    after = newest[0][0] if newest else "0"
    while True:
        reply: Any = await context.redis.xread({CONTROL: after}, block=BLOCK)
        for _, entries in reply:
            for entry, fields in entries:
                after = entry
                context.stop(fields.get(b"job", b"").decode(errors="replace"))


async def _reconcile(context: WorkerContext) -> None:
    """Twice at once is harmless. Not an arq cron: dated now, it would come after every slice, which is dated 1970."""
    while True:
        if await takes_turn(context.redis, context.id):
            await reconcile(context.redis, context.settings.impasto_slice_seconds, context.settings.slice_timeout)
            for job in await forget_the_dead(context.redis):
                await clean_up(context.jobs, context.store, job)
        await asyncio.sleep(_RECONCILE * random.uniform(0.8, 1.2))


async def _watch(context: WorkerContext) -> None:
    """End the process when its painting thread hangs, which nothing can interrupt. The job counts a death."""
    seconds = context.settings.impasto_stuck_seconds
    job = await until_stuck(context.pulse, seconds)
    _log.error("a painting does not move on any more: the worker ends", job=job, seconds=seconds, stack=stacks())
    await end_over(context, job)


async def _sweep(context: WorkerContext) -> None:
    told = ""
    while True:
        # Asked often, for a worker may be there for minutes only, and done once an hour, however many there are.
        await asyncio.sleep(_SWEEP_ASKED * random.uniform(0.5, 1.5))
        if not await takes_sweep(context.redis):
            continue
        after = kept_unknown(context.settings.impasto_keep_days)
        trouble = (await remove_expired(context.redis, context.store, unknown_after=after)).trouble
        await swept(context.redis)
        if trouble and trouble != told:
            _log.warning(trouble)
        told = trouble
