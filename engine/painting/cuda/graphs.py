"""On CUDA: an iteration as one graph, so that small pictures do not wait for hundreds of launches.

A graph always works on the same tensors, its own. What a painting's hold is carried over to those when it begins to use
the graph, and back when it ends; so the graph serves every painting of the same size and kind of recipe.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor

from engine.painting.iteration import Iteration
from engine.painting.state import State

_WARM_UP = 2  # runs before the capture, in which libraries choose their algorithms and allocate
_KEPT = 16

Record = Callable[[Callable[[], Any]], tuple[Callable[[], None], Any]]
"""Takes work that is to be done again and again; gives what does it, and the result, the same tensors each time."""


class Unrecordable(Exception):
    """The device or its driver refuses to record; the text says why."""


class Graph:
    """An iteration recorded, called as `Iteration` is; of L-BFGS, which asks the host, loss and gradient alone."""

    def __init__(self, iteration: Iteration, state: State, record: Record) -> None:
        self.key = _key(iteration, state)
        self._iteration, self._record = copy.deepcopy(iteration), record
        self._whole = not state.optimiser.asks_the_host
        self._own = _twin(state, whole=self._whole)
        self._factors = state.pixels.new_zeros(2)
        self._recorded: dict[int, tuple[Callable[[], None], Any]] = {}
        self._guest: State | None = None

    def take_over(self, iteration: Iteration, state: State) -> None:
        """Work for this painting from now on: its tensors become the graph's, with what they hold."""
        for own, given in zip(self._iteration.tensors, iteration.tensors, strict=True):
            own.copy_(given)
        for own, given in zip(_moving(self._own, whole=self._whole), _moving(state, whole=self._whole), strict=True):
            own.copy_(given)
        _share(state, self._own, whole=self._whole)
        self._guest = state

    def serves(self, state: State) -> bool:
        """Whether the graph works for this painting."""
        return self._guest is state

    def let_go(self) -> None:
        """Give the painting tensors of its own again."""
        if self._guest is not None:
            _share(self._guest, _twin(self._guest, whole=self._whole), whole=self._whole)
        self._guest = None

    def __call__(self, state: State, turn: int, factors: Tensor) -> Tensor:
        """Move the state on as `Iteration` does; the next call of the same turn overwrites the result.

        Raises `Unrecordable` too.
        """
        self._factors.copy_(factors)
        if turn not in self._recorded:
            self._recorded[turn] = self._record_turn(turn)
        replay, found = self._recorded[turn]
        replay()
        if self._whole:
            terms: Tensor = found
            return terms
        terms, gradient = found
        self._iteration.move(state, gradient, factors)
        return terms

    def _record_turn(self, turn: int) -> tuple[Callable[[], None], Any]:
        own, before = self._own, [tensor.clone() for tensor in _moving(self._own, whole=self._whole)]

        def work() -> Any:
            return (
                self._iteration(own, turn, self._factors) if self._whole else self._iteration.evaluate(own.pixels, turn)
            )

        try:
            return self._record(work)
        finally:  # what was done to find out how is undone
            for tensor, saved in zip(_moving(own, whole=self._whole), before, strict=True):
                tensor.copy_(saved)


class Graphs:
    """The graphs that a process has recorded, the newest last; each is used by one painting at a time."""

    def __init__(self, record: Record | None) -> None:
        """Without `record` nothing is recorded."""
        self._record, self._idle = record, list[Graph]()

    @property
    def records(self) -> bool:
        """Whether anything is recorded; no more once a device has refused."""
        return self._record is not None

    @classmethod
    def on(cls, device: torch.device) -> Graphs:
        """The graphs for a device: on all but CUDA nothing is recorded."""
        return cls(_CudaRecorder(device) if device.type == "cuda" else None)

    def borrow(self, iteration: Iteration, state: State) -> Graph | None:
        """A graph that has taken the painting over; None where nothing is recorded."""
        if self._record is None:
            return None
        key = _key(iteration, state)
        graph = next((idle for idle in reversed(self._idle) if idle.key == key), None)
        if graph is None:
            graph = Graph(iteration, state, self._record)
        else:
            self._idle.remove(graph)
        graph.take_over(iteration, state)
        return graph

    def give_back(self, graph: Graph, *, keep: bool) -> None:
        """Take back a graph whose painting ends or changes scale; `keep` it for another painting, else drop it."""
        if keep:
            graph.let_go()
            self._idle = [*self._idle, graph][-_KEPT:]

    def drop(self) -> bool:
        """Forget the graphs that nobody uses, for their memory; whether there were any."""
        had, self._idle = bool(self._idle), []
        return had

    def give_up(self, why: Unrecordable) -> None:
        """Record nothing more: a device or driver that refuses costs speed, not the painting."""
        warnings.warn(f"No CUDA graph could be recorded, so it is painted without: {why}", stacklevel=2)
        self._record, self._idle = None, []


class _CudaRecorder:
    """Records CUDA graphs that share one pool of memory: no two of them run at a time, and none leaves anything there
    that another one needs."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool: Any = None

    def __call__(self, work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        """Raises `torch.OutOfMemoryError` and `Unrecordable`."""
        try:
            with torch.cuda.device(self._device):
                return self._recorded(work)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise Unrecordable(str(error)) from error

    def _recorded(self, work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        try:
            with torch.cuda.stream(beside):
                for _ in range(_WARM_UP):
                    work()
        finally:  # whatever went wrong, what was begun there must end before it is undone
            torch.cuda.current_stream().wait_stream(beside)
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        # Other threads may be fetching pictures: what they ask of the device is no part of the recording, nor an error.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            found = work()
        return graph.replay, found


def _key(iteration: Iteration, state: State) -> Hashable:
    return iteration.key, state.pixels.shape


def _moving(state: State, *, whole: bool) -> list[Tensor]:
    """The tensors of a state that recorded work reads or writes."""
    return [state.pixels, state.average, *state.optimiser.tensors.values()] if whole else [state.pixels]


def _twin(state: State, *, whole: bool) -> State:
    """The state with copies of its moving tensors."""
    twin = copy.copy(state)
    twin.pixels = state.pixels.clone()
    if whole:
        twin.average, twin.optimiser = state.average.clone(), copy.copy(state.optimiser)
        twin.optimiser.tensors = {name: tensor.clone() for name, tensor in state.optimiser.tensors.items()}
    return twin


def _share(state: State, other: State, *, whole: bool) -> None:
    """Let the state have the moving tensors of `other`."""
    state.pixels = other.pixels
    if whole:
        state.average, state.optimiser.tensors = other.average, dict(other.optimiser.tensors)
