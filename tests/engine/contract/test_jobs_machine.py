"""The job's life against a plain model of it, in any order of calls, with workers that come too late mixed in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from support.jobs import a_job

from engine.contract.connection import connect
from engine.contract.events import Cancelled, Done, Failed, Notice
from engine.contract.jobs import Jobs
from engine.contract.models import (
    DEATHS,
    HELD_GUILDS,
    HELD_USERS,
    SPENT,
    USERS,
    Busy,
    Caps,
    Claim,
    Fenced,
    JobState,
    Running,
    TooMany,
    flows_key,
)

T = TypeVar("T")
SECONDS = st.sampled_from([0.0, 0.5, 12.25])  # of painting; sums of them are exact
OPEN = (JobState.QUEUED, JobState.PAINTING)


class Life(RuleBasedStateMachine):
    """One job; `self.claims` are all that were ever given, the newest last. Another of theirs is held all the while."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.redis = connect(self.url)
        self.jobs, self.job = Jobs(self.redis), a_job(user=f"user {secrets.token_hex(4)}", guild=secrets.token_hex(4))
        for counts, owner in ((HELD_USERS, self.job.user), (HELD_GUILDS, self.job.guild)):
            self.do(self.redis.hincrby(counts, owner, 1))  # type: ignore[arg-type]
        self.spent = 0.0
        self.reset()

    def reset(self) -> None:
        self.state: JobState | None = None
        self.iteration = self.told = 0
        self.deaths, self.waits = 0.0, False
        self.held = self.cancelled = False
        self.worker = ""
        self.last: Done | Failed | Cancelled | None = None
        self.seen: set[int] = set()
        self.checkpoints: list[str] = []
        self.claims: list[Claim] = []

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)

    def teardown(self) -> None:
        self.do(self.redis.aclose())
        self.loop.close()

    def fenced(self, claim: Claim) -> bool:
        return self.state is not JobState.PAINTING or claim is not self.claims[-1]

    def attempt(self, claim: Claim, write: Coroutine[Any, Any, T]) -> T | None:
        """None when the claim is stale, and then the write must say so."""
        if not self.fenced(claim):
            return self.do(write)
        with pytest.raises(Fenced):
            self.do(write)
        return None

    @rule()
    def create(self) -> None:
        assert self.do(self.jobs.create(self.job)) is (self.state is None)
        self.state = self.state or JobState.QUEUED

    @rule()
    def create_where_there_is_no_room(self) -> None:
        if self.state is None:
            with pytest.raises(TooMany):
                self.do(self.jobs.create(self.job, Caps(user=9, guild=9, total=0)))
        else:
            assert self.do(self.jobs.create(self.job, Caps(user=9, guild=9, total=0))) is False

    @rule()
    def forget(self) -> None:
        assert self.do(self.jobs.forget(self.job.id)) is (self.state not in OPEN)
        if self.state not in OPEN:
            self.reset()

    @rule(
        iteration=st.sampled_from([0, 10]),
        late=st.integers(0, 1),
        worker=st.sampled_from(["w1", "w2"]),
        room=st.sampled_from([None, (2, 2), (1, 2), (2, 1)]),
    )
    def start(self, iteration: int, late: int, worker: str, room: tuple[int, int] | None) -> None:
        epoch = max(0, len(self.claims) - late)
        begins = self.state in OPEN and (iteration, epoch) == (self.iteration, len(self.claims))
        said_again = self.held and (iteration, epoch, worker) == (self.iteration, len(self.claims) - 1, self.worker)
        start = self.jobs.start(self.job.id, iteration, epoch, worker, Running(*room) if room else None)
        if begins and room and 1 in room and not self.held and not self.cancelled:
            with pytest.raises(Busy):
                self.do(start)
            return
        claim = self.do(start)
        assert (claim is not None) is (begins or said_again)
        if claim is not None:
            if begins:
                self.deaths += self.held * (0.25 if self.waits else 1)
                self.waits = False
                self.state, self.held, self.worker = JobState.PAINTING, True, worker
                self.claims.append(claim)
            assert claim == Claim(
                self.job, epoch + 1, iteration, tuple(self.checkpoints), self.cancelled, self.deaths >= DEATHS
            )

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), iteration=st.integers(1, 3))
    def emit(self, data: st.DataObject, iteration: int) -> None:
        claim = self.one_of_the_newest(data)
        told = self.attempt(claim, self.jobs.emit(claim, Notice(job=self.job.id, iteration=iteration, text="x")))
        if told is not None:
            assert told is (iteration not in self.seen)
            self.seen.add(iteration)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), waiting=st.booleans())
    def wait(self, data: st.DataObject, waiting: bool) -> None:
        claim = self.one_of_the_newest(data)
        fenced = self.fenced(claim)
        self.attempt(claim, self.jobs.waits(claim, waiting))
        if not fenced:
            self.waits = waiting

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), painted=st.booleans(), seconds=SECONDS)
    def commit(self, data: st.DataObject, painted: bool, seconds: float) -> None:
        claim = self.one_of_the_newest(data)
        checkpoint = f"checkpoint-{claim.epoch}" if painted else None
        dropped = self.attempt(claim, self.jobs.commit(claim, 10 if painted else self.iteration, checkpoint, seconds))
        if dropped is None:
            return
        # What is said again, for its answer was lost, is not counted again.
        self.held, self.spent = False, self.spent + seconds * self.held
        if checkpoint:
            self.iteration, self.deaths = 10, 0
            kept = [checkpoint, *(key for key in self.checkpoints if key != checkpoint)]
            self.checkpoints, expected = kept[:2], kept[2:]
            assert dropped == expected

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), kind=st.sampled_from(["done", "failed", "cancelled", "quarantined"]), seconds=SECONDS)
    def finish(self, data: st.DataObject, kind: str, seconds: float) -> None:
        claim = self.one_of_the_newest(data)
        event: Done | Failed | Cancelled = Cancelled(job=self.job.id, iteration=10)
        if kind == "done":
            event = Done(job=self.job.id, iteration=10, files={})
        elif kind != "cancelled":
            event = Failed(job=self.job.id, iteration=10, reason="x")
        fenced = self.fenced(claim)
        finish = self.jobs.finish(claim, event, quarantine=kind == "quarantined", seconds=seconds)
        if claim is self.claims[-1] and (self.state, self.last) == (kind, event):
            self.do(finish)  # said again
            return
        self.attempt(claim, finish)
        if not fenced:
            self.state, self.held, self.last, self.spent = JobState(kind), False, event, self.spent + seconds

    @rule()
    def cancel(self) -> None:
        assert self.do(self.jobs.cancel(self.job.id)) is (self.state in OPEN)
        if self.state is JobState.PAINTING:
            self.cancelled = True
        elif self.state is JobState.QUEUED:
            self.state, self.last = JobState.CANCELLED, Cancelled(job=self.job.id, iteration=0)

    @invariant()
    def agrees(self) -> None:
        fields = self.do(self.jobs.fields(self.job.id))
        assert self.do(self.jobs.outcome(self.job.id)) == self.last
        assert self.do(self.jobs.of_user(self.job.user)) == ([] if self.state is None else [self.job.id])
        for counts in (USERS, flows_key(self.job.guild)):
            count: bytes | None = self.do(self.redis.hget(counts, self.job.user))  # type: ignore[arg-type]
            assert count == (b"1" if self.state in OPEN else None)
        for counts, owner in ((HELD_USERS, self.job.user), (HELD_GUILDS, self.job.guild)):
            assert self.do(self.redis.hget(counts, owner)) == (b"2" if self.held else b"1")  # type: ignore[arg-type]
        days: Any = self.do(self.redis.keys(f"{SPENT}:*"))  # type: ignore[arg-type]  # two, should it be midnight
        for owner in (f"user:{self.job.user}", f"guild:{self.job.guild}"):
            spent = [self.do(self.redis.hget(day, owner)) or b"0" for day in days]  # type: ignore[arg-type]
            assert sum(map(float, spent)) == self.spent
        standing = [s for s in self.do(self.jobs.standing()) if s.job.id == self.job.id]
        assert [(s.job, s.state, s.iteration, bool(s.worker)) for s in standing] == (
            [(self.job, self.state, self.iteration, self.held)] if self.state in OPEN else []
        )
        assert (self.job.id in self.do(self.jobs.open())) is (self.state in OPEN)
        if self.state is None:
            assert fields == {}
            return
        assert fields["state"] == self.state
        assert int(fields["epoch"]) == len(self.claims)
        assert int(fields["iteration"]) == self.iteration
        assert bool(fields["worker"]) is self.held
        assert float(fields["deaths"]) == self.deaths

    def one_of_the_newest(self, data: st.DataObject) -> Claim:
        return data.draw(st.sampled_from(self.claims[-2:][::-1]))


def test_every_order_of_calls_leaves_the_job_as_the_model_says(redis_server: str) -> None:
    class Here(Life):
        url = redis_server

    run_state_machine_as_test(Here, settings=settings(max_examples=60, stateful_step_count=25, database=None))
