"""Iterations within the memory that there is: of a whole picture or in strips, recorded as a graph where possible."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.painting.cuda.graphs import Graph, Graphs, Unrecordable
from engine.painting.cuda.step_table import StepTable
from engine.painting.errors import TooLittleMemory
from engine.painting.input_pictures import Sources
from engine.painting.iteration import Iteration
from engine.painting.memory import budget
from engine.painting.memory.allocator import arrange_memory
from engine.painting.memory.strips import LEAST_ROWS
from engine.painting.network.vgg import VGG
from engine.painting.objective import Objective
from engine.painting.state import State
from engine.recipe.recipe import Recipe
from engine.recipe.schedule import Schedule


class Stepper:
    """Holds what one scale's iterations look up, and gives it up where another scale needs the memory."""

    def __init__(
        self, recipe: Recipe, sources: Sources, networks: Sequence[VGG], *, device: torch.device, graphs: Graphs
    ) -> None:
        self._recipe, self._sources, self._networks = recipe, sources, networks
        self._device, self._graphs = device, graphs
        self._schedule = Schedule(recipe)
        self._iteration: tuple[int, int | None, Iteration] | None = None
        self._graph: Graph | None = None
        self._table: StepTable | None = None

    def step(self, state: State) -> Tensor:
        """Move the state on; the terms of the loss before that. In narrower strips where memory is less than planned.

        Raises `torch.OutOfMemoryError` where even the narrowest do not fit.
        """
        if self._table is None or not self._table.fits(state):
            self._table = StepTable(state, self._schedule)
        factors, turn = self._table.at(state.iteration), state.iteration % self._recipe.networks
        while True:
            try:
                state.optimiser.prepare(state.pixels)
                return self._fastest(state)(state, turn, factors)
            except Unrecordable as why:
                self.put_graph_away(keep=False)
                self._graphs.give_up(why)
            except torch.OutOfMemoryError:
                self.put_graph_away(keep=False)
                if not self._graphs.drop() and not self._narrow(state):
                    raise
            self._free()

    def empty_loss(self, state: State) -> float:
        """At the state's scale, the loss of a picture without any features."""
        return self.iteration(state).empty_loss

    def plan_rows(self, state: State) -> int | None:
        """Rows of the strips that the state's new scale is to be painted in, by the memory that is free now.

        Raises `TooLittleMemory` where no strips are narrow enough.
        """
        self._iteration = None  # what the scale before took is free, but for its graph
        rows = self._fitting(state)
        if rows is not None and self._graphs.drop():
            self._free()
            rows = self._fitting(state)
        return rows

    def put_graph_away(self, *, keep: bool = True) -> None:
        """The painting ends here, or goes on at another scale; the graph is for others, unless it is not to be kept."""
        if self._graph is not None:
            self._graphs.give_back(self._graph, keep=keep)
        self._graph = None

    def iteration(self, state: State) -> Iteration:
        """What an iteration at the state's scale does, in its strips."""
        if self._iteration is None or self._iteration[:2] != (state.scale, state.rows):
            self._iteration = None
            if self._device.type == "cpu":
                arrange_memory(short=state.rows is not None)
            side, frame = self._recipe.plan()[state.scale][0], self._recipe.frame_of(state.scale)
            content, styles = self._sources.at(side, frame)
            masks = self._sources.masks(content, styles)
            moved = self._sources.moved(state.pixels.shape[2:], frame) if frame else None
            device = self._device
            objective = Objective(
                self._recipe, self._networks, content.to(device), [style.to(device) for style in styles],
                rows=state.rows, masks=masks.to(device),
            )  # fmt: skip
            iteration = Iteration(
                self._recipe, objective, grey=self._sources.grey, where=None if moved is None else moved.to(device)
            )
            self._iteration = (state.scale, state.rows, iteration)
        return self._iteration[2]

    def _fastest(self, state: State) -> Iteration | Graph:
        """What moves the state on: on CUDA a graph, where the whole picture is looked at."""
        iteration = self.iteration(state)
        if self._graph is not None and not self._graph.serves(state):
            self.put_graph_away()
        # Eigenvalues are looked at by the host: they cannot be recorded.
        if self._graph is None and state.rows is None and self._recipe.statistic != "wasserstein":
            self._graph = self._graphs.borrow(iteration, state)
        return self._graph or iteration

    def _narrow(self, state: State) -> bool:
        """Go over to strips of half the rows; False where those would be too few."""
        height = state.pixels.shape[2]
        rows = min(state.rows or height, height) // 2
        if rows < LEAST_ROWS:
            return False
        self._iteration, state.rows = None, rows
        return True

    def _fitting(self, state: State) -> int | None:
        height, width = state.pixels.shape[2:]
        # What the state has already is not free, but need not be found again.
        own = sum(tensor.nbytes for tensor in state.tensors().values() if tensor.device == state.pixels.device)
        free = budget.free_memory(self._device) + own
        # A processor's system would end the process; other devices refuse by themselves.
        if self._device.type == "cpu" and not budget.fits(self._recipe, width, height, free):
            raise TooLittleMemory(
                f"{width} x {height} px need more memory than is free here, even in strips: ask for a smaller size."
            )
        return budget.rows_for(self._recipe, width, height, free)

    def _free(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
