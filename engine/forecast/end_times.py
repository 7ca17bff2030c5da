"""Equal shares of so many workers, as if work were a fluid: which job ends when.

A tree: all of it, guilds, users, jobs. What a node gets is shared equally among its children that still have work; no
job gets more than one worker, no guild or user more than their jobs that may be held at a time, and what a child cannot
take goes to the others (max-min fairness at each node). From one job's end to the next every pace is constant, so that
the schedule is followed from end to end.

A node that gets no more workers than it has children has none that is too small for an equal share. Its children are
then ordered by how much each is to get until its next job ends, and not looked at before (virtual time, as in Demers,
Keshav, Shenker 1989). Only a node that gets more is looked at child by child, and it has fewer children than there are
workers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heapreplace

_CLOSE = 1e-9
"""Jobs whose ends lie closer together, relative to the time until then, end at once."""


class Work:
    """One job: `due`, its work in seconds of one worker, and its place among jobs that end at once."""

    def __init__(self, name: str, due: float, order: int) -> None:
        self.name, self.due = name, due
        self.order: int = order
        self.jobs = 1

    @property
    def most(self) -> float:
        """The most workers that it can use."""
        return self.jobs

    def serve(self, amount: float) -> None:
        """Give it so many seconds of one worker."""
        self.due -= amount

    def end(self) -> str:
        """Take out the job that ends next; its name."""
        self.jobs = 0
        return self.name

    def parts(self, workers: float) -> Iterator[tuple[Work | Share, float]]:
        """The nodes below that go at one pace until the next end, and their paces in workers."""
        yield self, workers


class Share:
    """What its children share equally, `cap` workers at most, which is at least one.

    Everything as of `Work`; `due` is what it is to get until its next job ends.

    Closed, it has a heap of (what each child is to have got at its next end, order, child, what each had got when this
    one was served). Open, its children are served one by one.
    """

    def __init__(self, children: Sequence[Work | Share], cap: float = math.inf) -> None:
        self._cap = cap
        self.order: int = min(child.order for child in children)
        self._open: list[Work | Share] | None = list(children)
        self._heap: list[tuple[float, int, Work | Share, float]] = []
        self._got = 0.0
        self._jobs, self._usable = 0, 0.0
        self._close()

    @property
    def jobs(self) -> int:
        """How many have not ended."""
        return self._jobs if self._open is None else sum(child.jobs for child in self._open)

    @property
    def most(self) -> float:
        usable = self._usable if self._open is None else sum(child.most for child in self._open)
        return min(self._cap, usable)

    @property
    def size(self) -> int:
        """How many children have work."""
        return len(self._heap) if self._open is None else sum(child.jobs > 0 for child in self._open)

    @property
    def due(self) -> float:
        self._close()
        return (self._heap[0][0] - self._got) * len(self._heap)

    def serve(self, amount: float) -> None:
        self._got += amount / len(self._heap)

    def end(self) -> str:
        due, order, child, before = self._heap[0]
        child.serve(due - before)
        usable = child.most
        name = child.end()
        self._jobs -= 1
        self._usable += child.most - usable
        if child.jobs:
            heapreplace(self._heap, (due + child.due, order, child, due))
        else:
            heappop(self._heap)
        return name

    def parts(self, workers: float) -> Iterator[tuple[Work | Share, float]]:
        if workers <= self.size:
            self._close()
            yield self, workers
        else:
            for child, pace in self.paces(workers):
                yield from child.parts(pace)

    def paces(self, workers: float) -> list[tuple[Work | Share, float]]:
        """Each child with work, and the workers that it gets."""
        if self._open is None:
            for _, _, child, before in self._heap:
                child.serve(self._got - before)
            self._open, self._heap = [entry[2] for entry in self._heap], []
        self._open = sorted((child for child in self._open if child.jobs), key=lambda child: child.most)
        paces, left = [], workers
        for number, child in enumerate(self._open):
            pace = min(child.most, left / (len(self._open) - number))
            paces.append((child, pace))
            left -= pace
        return paces

    def _close(self) -> None:
        if self._open is not None:
            self._jobs, self._usable, self._got = self.jobs, sum(child.most for child in self._open), 0.0
            self._heap = [(child.due, child.order, child, 0.0) for child in self._open if child.jobs]
            heapify(self._heap)
            self._open = None


def follow(root: Share, workers: float) -> Iterator[tuple[float, float, list[str]]]:
    """For each moment at which jobs end: (seconds since the one before, level, names).

    The level is what a child of `root` that could take it all got in between, in workers; infinite where none could.
    """
    while root.jobs:
        level = _level(root, workers)
        parts = list(root.parts(min(workers, root.most)))
        times = [max(0.0, part.due) / share for part, share in parts]
        seconds = min(times)
        ended = []
        for (part, share), due in zip(parts, times, strict=True):
            part.serve(share * seconds)
            if due <= seconds * (1 + _CLOSE):
                ended.append(part.end())
        yield seconds, level, ended


def _level(root: Share, workers: float) -> float:
    if workers <= root.size:
        return workers / root.size
    return max((pace for child, pace in root.paces(workers) if pace < child.jobs), default=math.inf)
