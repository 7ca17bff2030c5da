"""The job: its recipe, its pictures, whose it is; and its life in Redis, a small state machine in Lua.

    queued -> painting -> done | failed | cancelled | quarantined

The hash `impasto:job:<id>` is the truth; arq's queue only wakes workers. Starting a slice raises the job's epoch, and
every write checks it, so that a worker that was thought dead can no longer change anything.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

from arq.connections import ArqRedis
from pydantic import BaseModel, ConfigDict, Field

from engine.contract.events import STREAM, Cancelled, Done, Event, Failed
from engine.painting.recipe import Recipe

OPEN = "impasto:open"
"""Set of the jobs that are queued or painting."""
CONTROL = "impasto:control"
"""Stream of job ids to stop, read by every worker."""
KEEP_DAYS = 30
"""How long an ended job can still be asked for."""
DEATHS = 3
"""Workers that may die on one slice without progress before the job is set aside."""
_SCRIPTS = ("create", "start", "emit", "commit", "finish", "cancel")


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    PAINTING = "painting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"


class Picture(BaseModel):
    """A clean picture in the store: RGB PNG, upright, sRGB; sizes in px."""

    model_config = ConfigDict(frozen=True)

    key: str
    name: str
    width: int
    height: int


class Job(BaseModel):
    """A painting that someone asked for. `guild` and `user` share the queue fairly."""

    model_config = ConfigDict(frozen=True)

    id: str
    guild: str
    user: str
    recipe: Recipe
    content: Picture
    styles: tuple[Picture, ...]
    created: float = Field(default_factory=time.time)
    parent: str | None = None
    checkpoint: str | None = None
    """Key of a checkpoint to go on from, instead of the recipe's start."""


@dataclass(frozen=True)
class Claim:
    """A slice that this worker may paint, and the epoch that its writes carry.

    `checkpoints` are the newest first; `cancelled` says that someone wants it stopped; `poisoned` that it killed
    `DEATHS` workers.
    """

    job: Job
    epoch: int
    iteration: int
    checkpoints: tuple[str, ...]
    cancelled: bool
    poisoned: bool


class Fenced(Exception):
    """Another worker has taken the job over, or it has ended: stop, and write nothing more."""


def new_id() -> str:
    """An id that sorts by time, like Discord's: milliseconds, then four random bytes, in hex."""
    return f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(4)}"


def job_key(job: str) -> str:
    """The hash that holds the truth about a job."""
    return f"impasto:job:{job}"


def seen_key(job: str) -> str:
    """The set of event keys that a job has already told."""
    return f"impasto:seen:{job}"


def flows_key(guild: str) -> str:
    """The hash of a guild's users with open jobs: user -> how many."""
    return f"impasto:flows:{guild}"


class Jobs:
    """Every change of a job's life, each one Lua call."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        scripts = files("engine.contract") / "scripts"
        self._scripts = {name: redis.register_script((scripts / f"{name}.lua").read_text()) for name in _SCRIPTS}

    async def create(self, job: Job) -> bool:
        """Accept the job; False if it was accepted before."""
        keys = [job_key(job.id), OPEN, flows_key(job.guild)]
        return bool(await self._run("create", keys, job.id, job.user, job.model_dump_json()))

    async def get(self, job: str) -> Job | None:
        """The job as it was accepted."""
        spec: Any = await self._redis.hget(job_key(job), "spec")  # type: ignore[misc]
        return None if spec is None else Job.model_validate_json(spec)

    async def fields(self, job: str) -> dict[str, str]:
        """The hash's fields: state, epoch, iteration, worker and so on; empty for an unknown job."""
        raw: Any = await self._redis.hgetall(job_key(job))  # type: ignore[misc]
        return {name.decode(): value.decode() for name, value in raw.items()}

    async def state(self, job: str) -> State | None:
        """Where the job stands; None for an unknown job."""
        raw: Any = await self._redis.hget(job_key(job), "state")  # type: ignore[misc]
        return None if raw is None else State(raw.decode())

    async def open(self) -> list[str]:
        """The jobs that are queued or painting."""
        members: Any = await self._redis.smembers(OPEN)  # type: ignore[misc]
        return sorted(member.decode() for member in members)

    async def start(self, job: str, iteration: int, epoch: int, worker: str) -> Claim | None:
        """Begin the slice; None when it was begun before or the job has ended."""
        reply = await self._run("start", [job_key(job), "impasto:clock"], iteration, epoch, worker, DEATHS)
        if reply is None:
            return None
        spec, new_epoch, checkpoints, cancelled, poisoned = reply
        return Claim(
            job=Job.model_validate_json(spec),
            epoch=int(new_epoch),
            iteration=iteration,
            checkpoints=tuple(checkpoints.decode().split()),
            cancelled=bool(int(cancelled)),
            poisoned=bool(int(poisoned)),
        )

    async def emit(self, claim: Claim, event: Event) -> bool:
        """Tell the event; False if its key was told before. Raises `Fenced`."""
        keys = [job_key(claim.job.id), seen_key(claim.job.id), STREAM]
        return bool(
            await self._fenced(
                "emit", keys, claim.epoch, claim.job.id, event.kind, event.iteration, event.model_dump_json()
            )
        )

    async def commit(self, claim: Claim, iteration: int, checkpoint: str | None) -> list[str]:
        """End the slice: the job stands at `iteration`, saved under `checkpoint`, and no worker holds it.

        Returns the checkpoints that are no longer needed. Raises `Fenced`.
        """
        keys = [job_key(claim.job.id)]
        dropped = await self._fenced("commit", keys, claim.epoch, iteration, checkpoint or "")
        return [key.decode() for key in dropped]

    async def finish(self, claim: Claim, event: Done | Failed | Cancelled, *, quarantine: bool = False) -> None:
        """End the job, and tell it, at once. Raises `Fenced`."""
        state = State.QUARANTINED if quarantine else State(event.kind)
        keys = self._ending(claim.job)
        await self._fenced("finish", keys, claim.epoch, claim.job.id, claim.job.user, state, *_last_words(event))

    async def cancel(self, job: str) -> bool:
        """Ask for the job's end: at once if nothing is painted yet, else within one iteration. False if it has ended.

        Asking twice is harmless.
        """
        known = await self.get(job)
        if known is None:
            return False
        event = Cancelled(job=job, iteration=0)
        keys = [*self._ending(known), CONTROL]
        return bool(await self._run("cancel", keys, job, known.user, *_last_words(event)))

    def _ending(self, job: Job) -> list[str]:
        return [job_key(job.id), seen_key(job.id), STREAM, OPEN, flows_key(job.guild)]

    async def _fenced(self, name: str, keys: list[str], *args: Any) -> Any:
        reply = await self._run(name, keys, *args)
        if reply == b"fenced":
            raise Fenced(keys[0])
        return reply

    async def _run(self, name: str, keys: list[str], *args: Any) -> Any:
        return await self._scripts[name](keys=keys, args=list(args))


def _last_words(event: Done | Failed | Cancelled) -> tuple[str, int]:
    return event.model_dump_json(), KEEP_DAYS * 86400
