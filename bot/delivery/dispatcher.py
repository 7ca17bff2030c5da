"""Reads what the workers tell, and gives each event to its job's consumer.

What was given out and not acknowledged before the last process ended, or before Redis was lost, is read again first;
and now and then later, for a process that led before may have been given something just after this one looked.
"""

from __future__ import annotations

import asyncio

import structlog
from redis.exceptions import RedisError, ResponseError

from bot.backend import Backend
from bot.cards.editor import CardEditor
from bot.delivery.deletion import Deletion
from bot.delivery.event_stream import Entry, EventStream
from bot.delivery.job_consumer import JobConsumer
from bot.delivery.redis_recovery import RedisRecovery
from bot.delivery.sender import Sender
from engine.contract.events import parse

_LOOK_AGAIN = 5.0  # s

_log = structlog.get_logger(__name__)


class Dispatcher:
    """Hands the workers' events to a consumer for each job; one for the whole bot."""

    def __init__(
        self, backend: Backend, stream: EventStream, sender: Sender, editor: CardEditor, recovery: RedisRecovery
    ) -> None:
        self._backend, self._stream, self._sender, self._editor, self._recovery = (
            backend,
            stream,
            sender,
            editor,
            recovery,
        )
        self._deletion = Deletion(sender.client, backend)
        self._consumers: dict[str, JobConsumer] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._broken: set[str] = set()
        """Entries that this process cannot deal with."""
        self._doubtful: set[str] = set()
        """Jobs whose posts Redis may have forgotten."""

    def open(self, job: str, *, look_first: bool = False) -> asyncio.Task[None]:
        """See to it that the job has its card and thread; the task that does."""
        self._run(job, look_first=look_first)
        return self._tasks[job]

    async def opened(self, job: str) -> None:
        """Waits until the job has its card and thread, or its page says why it has not."""
        await asyncio.shield(self.open(job))

    async def run(self) -> None:
        """Deliver for ever, through outages of Redis."""
        while True:
            try:
                await self._stream.open()
                await self._catch_up()
                await self._open_lost()
                while True:
                    await self._read_new(_LOOK_AGAIN)
                    await self._catch_up()
            except ResponseError as error:
                _log.warning("the event stream was lost, and is read anew", reason=str(error))
            except (RedisError, OSError) as error:
                _log.warning("Redis does not answer", reason=str(error))
            await asyncio.sleep(1)

    async def close(self, seconds: float) -> None:
        """Let what is being sent come to an end, for at most so long; the rest is sent by the next process."""
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _read_new(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await self._give_out(await self._stream.new(), old=False)

    async def _catch_up(self) -> None:
        """With a Redis that was started anew, and with what was given out before."""
        # Each time: a connection that nobody was using meanwhile is made anew without an error.
        self._doubtful |= await self._recovery.make()
        await self._read_left()

    async def _read_left(self) -> None:
        """What was given out and not dealt with; what waits in a consumer of this process stays there."""
        after = "0"
        while entries := await self._stream.left(after):
            await self._give_out(entries, old=True)
            after = entries[-1][0]

    async def _open_lost(self) -> None:
        """Jobs that were accepted, and whose card may be missing; the cards of those that run; the half forgotten."""
        for job in [*await self._backend.jobs.open(), *await self._backend.ledger.to_forget()]:
            self.open(job, look_first=True)

    async def _give_out(self, entries: list[Entry], *, old: bool) -> None:
        idle = [one for entry, fields in entries for one in self._give(entry, fields, old=old)]
        await self._backend.ledger.acknowledge(*idle)

    def _give(self, entry: str, fields: dict[bytes, bytes] | None, *, old: bool) -> list[str]:
        """Give the entry to its consumer; returns the entries that nobody has to deal with any more."""
        if not fields:
            return [entry]  # it was replaced by a newer one
        if entry in self._broken:
            return []  # for the next process
        try:
            event = parse(fields)
        except (ValueError, KeyError) as error:
            _log.error("an event cannot be read", entry=entry, reason=str(error)[:300])
            return [entry]
        consumer = self._consumer(event.job)
        replaced = consumer.put(entry, event, old=old or event.job in self._doubtful)
        if event.job not in self._tasks:
            self._run(event.job, look_first=False)
        return replaced

    def _run(self, job: str, *, look_first: bool) -> None:
        if job in self._tasks:
            self._consumers[job].again()
            return
        consumer = self._consumer(job)
        task = asyncio.create_task(consumer.work(look_first=look_first), name=f"consumer-{job}")
        self._tasks[job] = task
        task.add_done_callback(lambda done: self._ended(job, done))

    def _consumer(self, job: str) -> JobConsumer:
        """The job's consumer, made where there is none."""
        if job not in self._consumers:
            parts = (self._backend, self._sender, self._editor, self._deletion)
            self._consumers[job] = JobConsumer(job, *parts)
        return self._consumers[job]

    def _ended(self, job: str, task: asyncio.Task[None]) -> None:
        del self._tasks[job]
        if task.cancelled():
            return
        if task.exception() is not None:
            # What was not acknowledged is given out again when the bot starts anew.
            _log.error("a consumer broke off", job=job, exc_info=task.exception())
            self._broken.update(self._consumers[job].skip())
        if self._consumers[job].busy:
            self._run(job, look_first=False)
        else:
            del self._consumers[job]
