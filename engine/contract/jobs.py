"""A job's life in Redis, a small state machine in Lua.

    queued -> painting -> done | failed | cancelled | quarantined

The hash `impasto:job:<id>` is the truth; arq's queue only wakes workers. Starting a slice raises the job's epoch, and
every write checks it, so that a worker that was thought dead can no longer change anything.
"""

from __future__ import annotations

import functools
import math
import time
from dataclasses import astuple
from typing import Any

import structlog
from arq.connections import ArqRedis

from engine.contract.connection import FRONT, QUEUE, readable, within
from engine.contract.events import STREAM, Cancelled, Done, Event, Failed, Last, Notice, Progress, parse
from engine.contract.fair_queue import CLOCK
from engine.contract.lua_scripts import script
from engine.contract.models import (
    CONTROL,
    DEATHS,
    HELD_GUILDS,
    HELD_USERS,
    KEEP_DAYS,
    OPEN,
    POSTED,
    SPENT,
    USERS,
    Busy,
    Caps,
    Claim,
    Fenced,
    Job,
    JobState,
    Running,
    Standing,
    TooMany,
    Unreadable,
    flows_key,
    index_key,
    job_key,
    seen_key,
)
from engine.process.metrics import DUPLICATES

_SCRIPTS = (
    "create_job", "may_create", "start_slice", "emit_event", "end_slice", "release_job", "note_waiting", "finish_job",
    "cancel_job", "forget_job",
)  # fmt: skip
_WAITS: dict[bool | None, str] = {True: "waits", False: "goes on"}  # what is seen of such notices

_log = structlog.get_logger(__name__)


class Jobs:
    """Every change of a job's life, each one Lua call."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._scripts = {name: redis.register_script(script(name)) for name in _SCRIPTS}

    async def create(self, job: Job, caps: Caps | None = None) -> bool:
        """Accept the job; False if it was accepted before, whatever the caps. Raises `TooMany`."""
        keys = [job_key(job.id), OPEN, flows_key(job.guild), USERS, index_key(job.user), SPENT]
        about = (job.id, job.user, job.guild, job.model_dump_json(), job.created)
        reply = await self._run("create_job", keys, *about, *(astuple(caps) if caps else ()))
        _raise_refusal(reply)
        return bool(reply)

    async def check(self, user: str, guild: str, caps: Caps) -> None:
        """Raises `TooMany` where `create` would now; for those who would spare the work before it."""
        keys = [OPEN, flows_key(guild), USERS, SPENT]
        _raise_refusal(await self._run("may_create", keys, user, guild, *astuple(caps)))

    async def get(self, job: str) -> Job | None:
        """The job as it was accepted. Raises `ValueError` where this program cannot read it."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(job_key(job), "spec")
            (spec,) = await readable(pipe)
        return None if spec is None else _read(spec)

    async def fields(self, job: str) -> dict[str, str]:
        """The hash's fields: state, epoch, iteration, worker and so on; empty for an unknown job."""
        raw: Any = await self._redis.hgetall(job_key(job))  # type: ignore[misc]
        return {name.decode(): value.decode() for name, value in raw.items()}

    async def state(self, job: str) -> JobState | None:
        """Where the job stands; None for an unknown job."""
        raw: Any = await self._redis.hget(job_key(job), "state")  # type: ignore[misc]
        return None if raw is None else JobState(raw.decode())

    async def outcome(self, job: str) -> Done | Failed | Cancelled | None:
        """The last that was told of the job; None while it is open, and for an unknown job."""
        raw: Any = await self._redis.hget(job_key(job), "last")  # type: ignore[misc]
        if raw is None:
            return None
        event = parse({b"event": raw})
        assert isinstance(event, Last)  # noqa: S101 - nothing else is written there
        return event

    async def open(self) -> list[str]:
        """The jobs that are queued or painting."""
        members: Any = await self._redis.smembers(OPEN)  # type: ignore[misc]
        return sorted(member.decode(errors="replace") for member in members)

    async def standing(self) -> list[Standing]:
        """Where every open job stands, by id. One that this program cannot read is logged and left out."""
        ids = await self.open()
        async with self._redis.pipeline(transaction=False) as pipe:
            for job in ids:
                pipe.hmget(job_key(job), ["state", "spec", "iteration", "worker", "tag", "since"])
            rows = await readable(pipe)
        found = []
        for job, row in zip(ids, rows, strict=True):
            if row is None or row[0] not in (b"queued", b"painting"):  # it ended between the two questions
                continue
            try:
                state, spec, iteration, worker, tag, since = (field or b"" for field in row)
                place = JobState(state.decode()), int(iteration), worker.decode(), _finite(tag), _finite(since)
                found.append(Standing(_read(spec), *place))
            except ValueError as error:
                _log.warning("an open job cannot be read", job=job, reason=str(error)[:300])
        return found

    async def of_user(self, user: str) -> list[str]:
        """The user's jobs, open and ended, the newest first. Drops those that have expired from the index."""
        members: Any = await self._redis.zrevrange(index_key(user), 0, -1)
        async with self._redis.pipeline(transaction=False) as pipe:
            for member in members:
                pipe.exists(job_key(member.decode(errors="replace")))
            known = await pipe.execute()
        expired = [member for member, there in zip(members, known, strict=True) if not there]
        if expired:
            await self._redis.zrem(index_key(user), *expired)
        return [member.decode(errors="replace") for member in members if member not in expired]

    async def forget(self, job: str) -> bool:
        """Delete what Redis knows of a job that has ended, but for its events; False while it is open.

        Its blobs are the caller's to delete. Forgetting it twice is harmless; its id could then be accepted anew.
        """
        user, _ = await self._whose(job)
        return bool(await self._run("forget_job", [job_key(job), seen_key(job), OPEN, index_key(user)], job))

    async def start(
        self, job: str, iteration: int, epoch: int, worker: str, most: Running | None = None
    ) -> Claim | None:
        """Begin the slice; None when another worker began it, or it has ended, or the job has.

        Raises `Busy`, and nothing is begun; or `Unreadable`, and it is begun, to be released or refused.
        """
        keys = [job_key(job), CLOCK, HELD_USERS, HELD_GUILDS]
        caps = (most.user, most.guild) if most else ()
        reply = await self._run("start_slice", keys, iteration, epoch, worker, DEATHS, *caps)
        if reply is None:
            return None
        if reply == b"busy":
            raise Busy(job)
        spec, new_epoch, checkpoints, cancelled, poisoned = reply
        try:
            known = _read(spec)
        except ValueError as error:
            raise Unreadable(job, int(new_epoch), iteration, str(error)) from error
        return Claim(
            job=known, epoch=int(new_epoch), iteration=iteration, checkpoints=tuple(checkpoints.decode().split()),
            cancelled=bool(int(cancelled)), poisoned=bool(int(poisoned)),
        )  # fmt: skip

    async def emit(self, claim: Claim, event: Event, *, again: bool = False) -> bool:
        """Tell the event, perhaps `again` to be sure; False if its key was told before. Raises `Fenced`."""
        keys = [job_key(claim.job.id), seen_key(claim.job.id), STREAM]
        kind: str = event.kind
        if isinstance(event, Notice):  # there may be others at the same iteration
            kind = "best" if event.best else _WAITS.get(event.waits, kind)
        about = (claim.epoch, claim.job.id, kind, event.iteration, event.model_dump_json())
        new = bool(await self._fenced("emit_event", keys, *about))
        if not (new or again or isinstance(event, Progress)):
            DUPLICATES.labels("event").inc()
        return new

    async def waited(self, claim: Claim) -> bool:
        """Whether the audience was told that the painting waits, where this slice begins."""
        return bool(await self._redis.sismember(seen_key(claim.job.id), f"{_WAITS[True]}:{claim.iteration}"))  # type: ignore[misc]

    async def commit(self, claim: Claim, iteration: int, checkpoint: str | None, seconds: float = 0.0) -> list[str]:
        """End the slice: the job stands at `iteration`, saved under `checkpoint`, and no worker holds it.

        `seconds` of painting are put down to its user and guild. Returns the checkpoints that are no longer needed.
        Raises `Fenced`.
        """
        keys = [job_key(claim.job.id), HELD_USERS, HELD_GUILDS, SPENT]
        dropped = await self._fenced("end_slice", keys, claim.epoch, iteration, checkpoint or "", seconds)
        return [key.decode() for key in dropped]

    async def waits(self, claim: Claim, waiting: bool) -> None:
        """Note that the slice waits while another job paints: if its worker dies now, that is a quarter of a death.

        Raises `Fenced`.
        """
        await self._fenced("note_waiting", [job_key(claim.job.id)], claim.epoch, int(waiting))

    async def release(self, job: str, worker: str) -> None:
        """Give the job back unpainted, if the worker holds it: its end is then no death of the job's."""
        await self._run("release_job", [job_key(job), HELD_USERS, HELD_GUILDS], worker)

    async def finish(
        self, claim: Claim, event: Done | Failed | Cancelled, *, quarantine: bool = False, seconds: float = 0.0
    ) -> None:
        """End the job, and tell it, at once; `seconds` as of `commit`. Raises `Fenced`."""
        state = JobState.QUARANTINED if quarantine else JobState(event.kind)
        keys = [*_ending(claim.job.id, claim.job.guild), HELD_USERS, HELD_GUILDS, SPENT]
        about = (claim.epoch, claim.job.id, claim.job.user, state)
        await self._fenced("finish_job", keys, *about, *_last_words(event), seconds)

    async def refuse(self, job: Unreadable, reason: str) -> None:
        """End the job as failed, for a reason, a sentence. Raises `Fenced`."""
        user, guild = await self._whose(job.job)
        event = Failed(job=job.job, iteration=job.iteration, reason=reason)
        keys = [*_ending(job.job, guild), HELD_USERS, HELD_GUILDS, SPENT]
        await self._fenced("finish_job", keys, job.epoch, job.job, user, JobState.FAILED, *_last_words(event), 0.0)

    async def keep(self, job: str, days: int) -> None:
        """Keep a job that was posted for so long from now on, and then what the store has of it no longer either."""
        if await self.state(job) in (None, JobState.QUEUED, JobState.PAINTING):
            return
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(job_key(job), POSTED, str(int(time.time())))
            for key in (job_key(job), seen_key(job)):
                pipe.expire(key, days * 86400)
            await pipe.execute()

    async def kept_until(self, job: str) -> int | None:
        """Until when an ended job is kept, in Unix time; None while it is open, and for an unknown job."""
        moment: Any = self._redis.expiretime(job_key(job))
        until = int(await moment)
        return None if until < 0 else until

    async def told(self, job: str) -> set[str]:
        """The snapshots that were told, by their iterations in five digits."""
        keys: Any = await self._redis.smembers(seen_key(job))  # type: ignore[misc]
        return {f"{int(key.partition(b':')[2]):05d}" for key in keys if key.startswith(b"snapshot:")}

    async def cancel(self, job: str) -> bool:
        """Ask for the job's end: at once if it was not begun, else within one iteration. False if it has ended.

        Between two slices, the next one comes before all others', and ends it. Asking twice is harmless.
        """
        user, guild = await self._whose(job)
        event = Cancelled(job=job, iteration=0)
        keys = [*_ending(job, guild), CONTROL, QUEUE]
        return bool(await self._run("cancel_job", keys, job, user, *_last_words(event), FRONT - 1))

    async def _whose(self, job: str) -> tuple[str, str]:
        """User and guild, also of a job whose spec cannot be read; empty for an unknown job."""
        raw: Any = await self._redis.hmget(job_key(job), ["user", "guild"])  # type: ignore[misc]
        user, guild = ((name or b"").decode() for name in raw)
        return user, guild

    async def _fenced(self, name: str, keys: list[str], *args: Any) -> Any:
        reply = await self._run(name, keys, *args)
        if reply == b"fenced":
            raise Fenced(keys[0])
        return reply

    async def _run(self, name: str, keys: list[str], *args: Any) -> Any:
        return await self._scripts[name](keys=keys, args=list(args))


def _raise_refusal(reply: Any) -> None:
    """Raises `TooMany` if the script's reply is one."""
    if isinstance(reply, list):
        cap, *until = reply
        raise TooMany(cap.decode(), *until)


def _ending(job: str, guild: str) -> list[str]:
    return [job_key(job), seen_key(job), STREAM, OPEN, flows_key(guild), USERS]


@functools.lru_cache(4096)
def _read(spec: bytes) -> Job:
    """The job in a spec; remembered, since jobs never change and open ones are read often. Raises `ValueError`."""
    return Job.model_validate_json(within(spec))


def _finite(number: bytes) -> float:
    found = float(number)
    if not math.isfinite(found):
        raise ValueError(f"{found} is no moment")
    return found


def _last_words(event: Done | Failed | Cancelled) -> tuple[str, int]:
    return event.model_dump_json(), KEEP_DAYS * 86400
