"""When each open job will be done: the fair queue as a fluid, from where its jobs stand and how fast the workers are.

The queue gives turns of one slice; the fluid gives every job its share at every moment, as the turns do on average. So
forecasts are right to within a round of slices, as long as nobody comes or goes.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from arq.connections import ArqRedis

from engine.contract import workers
from engine.contract.fair_queue import CLOCK
from engine.contract.jobs import Jobs
from engine.contract.models import Job, JobState, Standing
from engine.contract.settings import SLICE_SECONDS
from engine.contract.workers import Worker
from engine.forecast.end_times import Share, Work, follow

_MANY = 100  # open jobs; a forecast of more is made in a thread


@dataclass(frozen=True)
class Forecast:
    """What lies before an open job, if nothing is asked for or cancelled."""

    ahead: int
    """Open jobs that will be done before it."""
    wait: float | None
    """Seconds until its first iteration; 0 when it is being painted. None where `done` is."""
    done: float | None
    """Seconds until its last iteration; None when no worker lives or no speed is known."""


async def forecast(redis: ArqRedis) -> dict[str, Forecast]:
    """The prospect of every open job, by its id."""
    standings, painters = await Jobs(redis).standing(), await workers.living(redis)
    clock = float(await redis.get(CLOCK) or 0)
    about = (standings, painters, clock, _slice_seconds(painters))
    return predict(*about) if len(standings) < _MANY else await asyncio.to_thread(predict, *about)


async def first_cost(redis: ArqRedis, job: Job) -> float:
    """Seconds that the job's first slice is expected to take of the fastest worker: a whole one where none is known."""
    painters = await workers.living(redis)
    speeds = [worker.speed for worker in painters if worker.speed]
    return job.slice_cost(0, max(speeds, default=None), _slice_seconds(painters))


def _slice_seconds(painters: Sequence[Worker]) -> float:
    """Seconds of painting in a slice, as the most generous worker says."""
    return max((worker.slice_seconds for worker in painters), default=SLICE_SECONDS)


def predict(
    standings: Sequence[Standing], painters: Iterable[Worker], clock: float = 0.0, slice_seconds: float = SLICE_SECONDS
) -> dict[str, Forecast]:
    """The prospect of every open job, by its id; `clock` is the queue's virtual one, in the seconds of the tags.

    Guilds share the workers equally, users their guild's part, jobs their user's, and take turns in the order of their
    tags. One job has at most one worker, and that of the fastest, a user or guild as many as workers may hold jobs of
    theirs; a worker that has not painted yet counts as the mean of the others. Work done since the last checkpoint
    counts as to be done. Pure; about 20 microseconds a job.
    """
    if not standings:
        return {}
    painters = list(painters)
    speeds = [worker.speed for worker in painters if worker.speed]
    known = bool(speeds)
    mean, fastest = (sum(speeds) / len(speeds), max(speeds)) if speeds else (1.0, 1.0)
    total = sum(worker.speed or mean for worker in painters) / fastest
    ordered = sorted(standings, key=lambda s: (s.tag, s.job.created, s.job.id))
    work = {s.job.id: s.job.remaining_flops(s.iteration) / fastest for s in ordered}
    ends, levels = _schedule(ordered, work, total or 1.0, _running(painters))
    if not known:
        rank = {job: number for number, (job, _) in enumerate(sorted(ends.items(), key=lambda end: end[1]))}
        return {job: Forecast(number, None, None) for job, number in rank.items()}
    first = max(clock, ordered[0].tag)  # where all tags lie ahead of the clock, it jumps to the least
    waits, done = {}, {}
    for s in ordered:
        job, own = s.job.id, work[s.job.id]
        turn = 0.0 if s.worker else min(levels.reached(s.tag - first), ends[job] - own)
        waits[job] = 0.0 if s.state is JobState.PAINTING else max(0.0, turn)
        # What fits into one slice is painted in one go.
        done[job] = min(ends[job], max(0.0, turn) + own) if own <= slice_seconds else ends[job]
    order = sorted(ordered, key=lambda s: round(done[s.job.id], 3))  # stable: equal ends come in the order of the tags
    return {s.job.id: Forecast(n, waits[s.job.id], done[s.job.id]) for n, s in enumerate(order)}


class _Levels:
    """How far the virtual clock has come by when: straight lines between (seconds, reading)."""

    def __init__(self) -> None:
        self._seconds, self._readings, self._paces = [0.0], [0.0], [1.0]

    def add(self, seconds: float, pace: float) -> None:
        """For so many seconds it advances by `pace` a second."""
        self._paces[-1] = pace
        self._seconds.append(self._seconds[-1] + seconds)
        self._readings.append(self._readings[-1] + (seconds * pace if seconds else 0.0))
        self._paces.append(pace)

    def reached(self, reading: float) -> float:
        """Seconds until the clock reads so much more than now."""
        if reading <= 0:
            return 0.0
        at = max(0, bisect_left(self._readings, reading) - 1)
        return self._seconds[at] + (reading - self._readings[at]) / self._paces[at]


def _running(painters: Sequence[Worker]) -> tuple[float, float]:
    """The most jobs held at a time of a user and of a guild, as the most generous worker says; infinite: none does."""
    return (
        max((worker.user_running for worker in painters if worker.user_running), default=math.inf),
        max((worker.guild_running for worker in painters if worker.guild_running), default=math.inf),
    )


def _schedule(
    ordered: Sequence[Standing], work: dict[str, float], total: float, running: tuple[float, float]
) -> tuple[dict[str, float], _Levels]:
    """Seconds until each job's end, and the virtual clock's way."""
    of_a_user, of_a_guild = running
    place = {s.job.id: number for number, s in enumerate(ordered)}
    guilds = []
    for _, of_guild in groupby(sorted(ordered, key=lambda s: (s.job.guild, s.job.user)), key=lambda s: s.job.guild):
        users = [
            Share([Work(s.job.id, work[s.job.id], place[s.job.id]) for s in of_user], of_a_user)
            for _, of_user in groupby(of_guild, key=lambda s: s.job.user)
        ]
        guilds.append(Share(users, of_a_guild))
    ends: dict[str, float] = {}
    levels, now = _Levels(), 0.0
    for seconds, level, names in follow(Share(guilds), total):
        levels.add(seconds, level)
        now += seconds
        ends |= dict.fromkeys(names, now)
    return ends, levels
