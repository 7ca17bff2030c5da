"""On CUDA: an evaluation of the objective as one graph, so that small pictures do not wait for hundreds of launches.

What is captured is all the work of an iteration but the step itself (features, moments, losses, gradient); the
optimiser's few launches follow it eagerly, by the same code as on every other device.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from engine.painting.objective import Objective

_WARM_UP = 2  # evaluations before the capture, in which libraries choose their algorithms and allocate


class Graph:
    """Called as the objective, with the same result; for pixels of one size. `turns` networks take turns."""

    def __init__(self, objective: Objective, turns: int) -> None:
        self._objective, self._turns = objective, turns
        self.scale = objective.scale
        self._pixels: Tensor | None = None
        self._captured: dict[int, tuple[torch.cuda.CUDAGraph, tuple[Tensor, Tensor]]] = {}
        self._eager = False

    def __call__(self, pixels: Tensor, iteration: int) -> tuple[Tensor, Tensor]:
        """(terms, gradient), which the next call of the same turn overwrites."""
        turn = iteration % self._turns
        if turn not in self._captured and not self._eager:
            self._capture(pixels, turn)
        if self._eager:
            return self._objective(pixels, iteration)
        assert self._pixels is not None  # noqa: S101 - the capture has made them
        self._pixels.copy_(pixels)
        graph, found = self._captured[turn]
        graph.replay()
        return found

    def _capture(self, pixels: Tensor, turn: int) -> None:
        """A device or driver that refuses costs speed, not the painting. Raises `torch.OutOfMemoryError`."""
        if self._pixels is None:
            self._pixels = pixels.clone()
        try:
            graph = torch.cuda.CUDAGraph()
            beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                for _ in range(_WARM_UP):
                    self._objective(self._pixels, turn)
            torch.cuda.current_stream().wait_stream(beside)
            with torch.cuda.graph(graph):
                found = self._objective(self._pixels, turn)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            warnings.warn(f"No CUDA graph could be captured, so it is painted without: {error}", stacklevel=2)
            self._eager, self._captured = True, {}
        else:
            self._captured[turn] = (graph, found)
