"""The fluid's schedule against a slow and plain one, and what must hold of any."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.forecast.end_times import Share, Work, follow

# Guilds of users of jobs: seconds of one worker.
CROWDS = st.lists(
    st.lists(st.lists(st.floats(0.5, 100) | st.just(10.0), min_size=1, max_size=4), min_size=1, max_size=4),
    min_size=1, max_size=4,
)  # fmt: skip
WORKERS = st.floats(0.3, 12) | st.integers(1, 12).map(float)
Crowd = Sequence[Sequence[Sequence[float]]]


Caps = tuple[float, float]
CAPS = st.tuples(st.integers(1, 4), st.integers(1, 6)) | st.just((math.inf, math.inf))
"""The most workers of a user and of a guild."""
NONE: Caps = (math.inf, math.inf)


def ends(crowd: Crowd, workers: float, caps: Caps = NONE) -> dict[str, float]:
    now, found = 0.0, dict[str, float]()
    for seconds, _, names in follow(tree(crowd, caps), workers):
        now += seconds
        found |= dict.fromkeys(names, now)
    return found


def tree(crowd: Crowd, caps: Caps = NONE) -> Share:
    numbers = iter(range(10**6))
    guilds = []
    for g, guild in enumerate(crowd):
        users = []
        for u, user in enumerate(guild):
            users.append(Share([Work(f"{g}.{u}.{j}", left, next(numbers)) for j, left in enumerate(user)], caps[0]))
        guilds.append(Share(users, caps[1]))
    return Share(guilds)


def fair(amount: float, caps: Mapping[str, float]) -> dict[str, float]:
    """Max-min fairness by raising the level: whoever can take no more gets what they can."""
    given: dict[str, float] = {}
    while len(given) < len(caps):
        level = (amount - sum(given.values())) / (len(caps) - len(given))
        small = {name: float(cap) for name, cap in caps.items() if name not in given and cap <= level}
        given |= small or {name: level for name in caps if name not in given}
    return given


def plainly(crowd: Crowd, workers: float, caps: Caps) -> dict[str, float]:
    """The same schedule, every pace worked out anew after each end."""
    left = {
        f"{g}.{u}.{j}": work
        for g, guild in enumerate(crowd)
        for u, user in enumerate(guild)
        for j, work in enumerate(user)
    }
    now, found = 0.0, dict[str, float]()
    while left:
        paces = shared(list(left), min(workers, usable(list(left), 0, caps)), 1, caps)
        seconds = min(left[job] / paces[job] for job in left)
        now += seconds
        left = {job: work - seconds * paces[job] for job, work in left.items()}
        found |= {job: now for job, work in left.items() if work < 1e-9}
        left = {job: work for job, work in left.items() if job not in found}
    return found


def grouped(jobs: Sequence[str], depth: int) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for job in jobs:
        groups.setdefault(".".join(job.split(".")[:depth]), []).append(job)
    return groups


def usable(jobs: Sequence[str], depth: int, caps: Caps) -> float:
    """The most workers that the jobs of one node at this depth can use: of all, a guild, a user, a job."""
    if depth == 3:
        return 1
    cap = (math.inf, caps[1], caps[0])[depth]
    return min(cap, sum(usable(members, depth + 1, caps) for members in grouped(jobs, depth + 1).values()))


def shared(jobs: Sequence[str], workers: float, depth: int, caps: Caps) -> dict[str, float]:
    groups = grouped(jobs, depth)
    paces = fair(workers, {name: usable(members, depth, caps) for name, members in groups.items()})
    if depth == 3:
        return paces
    return {job: pace for name in groups for job, pace in shared(groups[name], paces[name], depth + 1, caps).items()}


@given(CROWDS, WORKERS, CAPS)
def test_it_is_the_plain_schedule(crowd: Crowd, workers: float, caps: Caps) -> None:
    assert ends(crowd, workers, caps) == pytest.approx(plainly(crowd, workers, caps), rel=1e-6, abs=1e-6)


@given(CROWDS, WORKERS)
def test_no_work_is_lost_and_nobody_is_idle(crowd: Crowd, workers: float) -> None:
    root, done = tree(crowd), 0.0
    total = sum(work for guild in crowd for user in guild for work in user)
    left = root.jobs
    for seconds, _, names in follow(root, workers):
        done += seconds * min(workers, left)
        left -= len(names)
    assert left == 0
    assert done == pytest.approx(total, rel=1e-6)


@given(CROWDS, WORKERS, st.floats(0, 5))
def test_with_more_workers_nobody_is_later(crowd: Crowd, workers: float, more: float) -> None:
    before, after = ends(crowd, workers), ends(crowd, workers + more)
    assert all(after[job] <= before[job] * (1 + 1e-6) + 1e-9 for job in before)


@given(st.floats(0.5, 100), st.floats(1, 12))
def test_a_job_alone_takes_one_worker_and_no_more(work: float, workers: float) -> None:
    assert ends([[[work]]], workers) == {"0.0.0": pytest.approx(work)}


def test_no_more_of_a_user_and_of_a_guild_is_painted_at_once_than_may_be() -> None:
    assert ends([[[10.0, 10.0, 10.0]]], 5, (2, 8)) == dict.fromkeys(("0.0.0", "0.0.1", "0.0.2"), 15.0)
    assert ends([[[10.0]] * 4, [[10.0]]], 5, (2, 2)) == {"1.0.0": 10.0} | {f"0.{user}.0": 20.0 for user in range(4)}


def test_equal_jobs_end_in_their_order() -> None:
    names = [name for _, _, ended in follow(tree([[[5.0, 5.0]], [[5.0], [5.0]]]), 1.0) for name in ended]
    assert names == ["0.0.0", "0.0.1", "1.0.0", "1.1.0"]


def test_the_level_is_what_whoever_wants_more_gets() -> None:
    levels = [level for _, level, _ in follow(tree([[[10.0]], [[4.0, 6.0, 8.0]]]), 3.0)]
    assert levels[:2] == [2.0, math.inf]  # the first guild can take one of three workers only, then neither any more
