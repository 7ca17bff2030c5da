"""The loop of Gatys et al. (2016), on one page: `for state in paint(...)`.

The caller decides what to look at, save and plot, and when to stop; it stops within one iteration. A run that is cut
anywhere and resumed on the same kind of device equals the uncut run bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.utils.deterministic
from PIL import Image
from torch import Tensor

from engine.painting import pictures
from engine.painting.cuda.graphs import Graph, Graphs, Unrecordable
from engine.painting.cuda.readback import Exposure
from engine.painting.cuda.step_table import Numbers
from engine.painting.iteration import Iteration
from engine.painting.memory import budget
from engine.painting.memory.allocator import arrange_memory
from engine.painting.memory.strips import LEAST
from engine.painting.network import vgg
from engine.painting.network.networks import CALIBRATION_SIDE, make_networks
from engine.painting.objective import Objective, columns
from engine.painting.optimisers import OPTIMISERS
from engine.painting.sources import Sources
from engine.painting.state import State
from engine.painting.targets import Masks
from engine.recipe.recipe import OLDEST, Recipe, RecipeError
from engine.recipe.schedule import Schedule

EXPLOSION = 10.0
"""A loss this many times the larger of the last good one and that of a picture without features has exploded."""
ROLLBACKS = 3


class PaintingError(Exception):
    """The painting cannot go on; the text is one sentence for the person who asked."""


def paint(
    recipe: Recipe,
    content: Image.Image,
    styles: Sequence[Image.Image],
    start: State | None = None,
    stop: int | None = None,
    *,
    canvas: Image.Image | None = None,
    content_masks: Sequence[Image.Image] = (),
    style_masks: Sequence[Image.Image] = (),
    convs: vgg.Convs | None = None,
    device: str = "cpu",
) -> Iterator[State]:
    """Paint `content` in the style of `styles`, from `start` (default: the recipe's own) to iteration `stop`.

    Yields the state after each iteration; it is changed in place by the next. A `stop` past the recipe's last
    iteration is that. `canvas` is the picture that recipes with the start `picture` begin with. Masks, grey
    pictures, one for each style or none: where in the painting it applies, and which part of it counts (white).
    `convs` are the network's weights; none for recipes with `random` weights. Raises `RecipeError` and `PaintingError`.
    """
    painter = Painter(
        recipe, content, styles, canvas=canvas, content_masks=content_masks, style_masks=style_masks, convs=convs,
        device=device,
    )  # fmt: skip
    yield from painter.paint(start or painter.begin(), stop)


class Painter:
    """A recipe and its pictures, ready to paint: what does not change from one iteration to the next."""

    def __init__(
        self,
        recipe: Recipe,
        content: Image.Image,
        styles: Sequence[Image.Image],
        *,
        frames: Sequence[Image.Image] = (),
        canvas: Image.Image | None = None,
        content_masks: Sequence[Image.Image] = (),
        style_masks: Sequence[Image.Image] = (),
        convs: vgg.Convs | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
        graphs: Graphs | None = None,
        fast: bool = True,
    ) -> None:
        """As for `paint`; `frames` are the contents after the first of a recipe with several frames.

        The network is computed in `dtype`; by itself the fastest that the recipe bears. `graphs` are shared by painters
        that follow each other on one device. Without `fast` nothing is recorded, and all is computed in float32.
        """
        if not fast:
            graphs, dtype = Graphs(None), torch.float32
        torch.set_deterministic_debug_mode("error")  # as use_deterministic_algorithms, without its 3 s import
        # Every buffer is written before it is read: no need to fill it first.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        if recipe.version < OLDEST:
            raise RecipeError("An older version of Impasto began it, and weighed losses otherwise: start anew.")
        self.recipe = recipe
        self.device = torch.device(device)
        masks = (content_masks, style_masks)
        self._sources = Sources(recipe, [content, *frames], styles, canvas=canvas, masks=masks)
        self.size = self._sources.size(recipe.size)
        look = self._sources.at(min(recipe.size, CALIBRATION_SIDE)) if recipe.weights == "random" else None
        self._networks = make_networks(recipe, convs, look, device=self.device, dtype=dtype)
        self._graphs = Graphs.on(self.device) if graphs is None else graphs
        self._iteration: tuple[int, int | None, Iteration] | None = None
        self._graph: Graph | None = None
        self._numbers: Numbers | None = None

    def begin(self) -> State:
        """The state before the first iteration. Noise is drawn on the CPU, so that every device starts alike."""
        recipe = self.recipe
        pixels = self._sources.start(recipe.plan()[0][0]).to(self.device)
        state = State(
            iteration=0, scale=0, pixels=pixels, average=torch.zeros_like(pixels), averaged=0,
            optimiser=OPTIMISERS[recipe.optimiser](recipe), good=pixels.clone(),
            losses=torch.zeros(recipe.iterations, len(columns(recipe)), device=self.device),
        )  # fmt: skip
        state.rows = self._plan(state)
        return state

    def paint(self, state: State, stop: int | None = None) -> Iterator[State]:
        """Yields `state` after each further iteration up to `stop`, or the recipe's last."""
        schedule = Schedule(self.recipe)
        stop = self.recipe.iterations if stop is None else min(stop, self.recipe.iterations)
        try:
            for iteration in range(state.iteration, stop):
                if schedule.scale(iteration) != state.scale:
                    self._go_on(state, schedule.scale(iteration))
                before = state.pixels.clone() if schedule.inspects(iteration + 1) else None
                state.losses[iteration] = self._iterate(state, schedule)
                state.optimiser.steps += 1
                state.averaged += 1
                state.iteration = iteration + 1
                if before is not None:
                    self._inspect(state, before, schedule.first(state.scale), keep=schedule.keeps(iteration + 1))
                yield state
        finally:
            self._put_graph_away()

    def picture(self, state: State) -> Image.Image:
        """What the state shows, at the size of the finished painting."""
        return self.expose(state).develop().picture

    def expose(self, state: State) -> Exposure:
        """The same, and the last loss, to be developed while the painting goes on."""
        frame = self._frame(state.scale)
        loss = state.losses[max(0, state.iteration - 1), 0]
        return Exposure(state.shown(self.recipe.average), loss, lambda picture: self._finished(picture, frame))

    def _finished(self, picture: Image.Image, frame: int) -> Image.Image:
        """At the size of the finished painting, and in its colours."""
        if picture.size != self.size:
            picture = picture.resize(self.size, Image.Resampling.LANCZOS)
        if self.recipe.colours != "content":
            return picture
        return pictures.coloured(picture, self._sources.content(self.recipe.size, frame))

    def _iterate(self, state: State, schedule: Schedule) -> Tensor:
        """Move the state on; the terms of the loss. In narrower strips where there is less memory than planned."""
        if self._numbers is None or not self._numbers.fit(state):
            self._numbers = Numbers(state, schedule)
        numbers, turn = self._numbers.at(state.iteration), state.iteration % self.recipe.networks
        while True:
            try:
                state.optimiser.prepare(state.pixels)
                return self._step_of(state)(state, turn, numbers)
            except Unrecordable as why:
                self._put_graph_away(keep=False)
                self._graphs.give_up(why)
            except torch.OutOfMemoryError:
                self._put_graph_away(keep=False)
                if not self._graphs.drop() and not self._narrow(state):
                    raise
            self._free()

    def _narrow(self, state: State) -> bool:
        """To strips of half the rows; whether they are not too few."""
        height = state.pixels.shape[2]
        rows = min(state.rows or height, height) // 2
        if rows < LEAST:
            return False
        self._iteration, state.rows = None, rows
        return True

    def _plan(self, state: State) -> int | None:
        """Rows of the strips that the state's new scale is painted in, by the memory that is free now."""
        self._iteration = None  # what the scale before took is free, but for its graph
        rows = self._fitting(state)
        if rows is not None and self._graphs.drop():
            self._free()
            rows = self._fitting(state)
        return rows

    def _fitting(self, state: State) -> int | None:
        height, width = state.pixels.shape[2:]
        # What the state has already is not free, but need not be found again.
        own = sum(tensor.nbytes for tensor in state.tensors().values() if tensor.device == state.pixels.device)
        free = budget.free_memory(self.device) + own
        # A processor's system would end the process; other devices refuse by themselves.
        if self.device.type == "cpu" and not budget.fits(self.recipe, width, height, free):
            raise PaintingError(
                f"{width} x {height} px need more memory than is free here, even in strips: ask for a smaller size."
            )
        return budget.rows_for(self.recipe, width, height, free)

    def _free(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _put_graph_away(self, *, keep: bool = True) -> None:
        if self._graph is not None:
            self._graphs.give_back(self._graph, keep=keep)
        self._graph = None

    def _go_on(self, state: State, scale: int) -> None:
        """Go on at the next scale, or with the next frame, from what is shown.

        On the CPU: the result must not depend on a device's order of additions.
        """
        self._put_graph_away()
        side, frame = self.recipe.plan()[scale][0], self._frame(scale)
        pixels, further = state.shown(self.recipe.average).cpu(), frame != self._frame(state.scale)
        if further:
            state.painted = pixels.round().clamp(0, 255)
        pixels = self._sources.grown(pixels, side, frame, state.painted, further=further)
        state.scale = scale
        state.pixels = pixels.to(self.device)
        state.average, state.averaged = torch.zeros_like(state.pixels), 0
        state.good, state.good_loss = state.pixels.clone(), math.inf
        state.optimiser.resize(*pixels.shape[2:])
        state.rows = self._plan(state)

    def _frame(self, scale: int) -> int:
        """The frame that the scale belongs to, counted from 0."""
        return scale // self.recipe.scales

    def _inspect(self, state: State, before: Tensor, first: int, *, keep: bool) -> None:
        """Remember good pixels (where `keep`); go back to the last ones, with half the step, when the loss is lost.

        `before` are the pixels whose loss is looked at, those before the last step, and `first` is the scale's first
        iteration. The iteration counts on: what was promised for an iteration is shown once.
        """
        loss = float(state.losses[state.iteration - 1, 0])
        finite = math.isfinite(loss) and bool(torch.isfinite(state.pixels).all())
        known = state.good_loss if math.isfinite(state.good_loss) else float(state.losses[first, 0])
        if finite and loss <= EXPLOSION * max(known, self._iteration_of(state).scale):
            if keep:
                state.good, state.good_loss = before, loss
            return
        reason = "the loss exploded" if finite else "the loss was no longer a number"
        state.rollbacks.append((state.iteration, reason))
        if len(state.rollbacks) > ROLLBACKS:
            raise PaintingError(
                f"The painting broke off at iteration {state.iteration}: {reason}, even after {ROLLBACKS} smaller "
                "steps; try a smaller step or a lower strength."
            )
        state.step_factor /= 2
        state.pixels.copy_(state.good)
        state.average.zero_()
        state.averaged = 0
        state.optimiser.forget()

    def _step_of(self, state: State) -> Iteration | Graph:
        """What moves the state on: on CUDA a graph, where the whole picture is looked at."""
        iteration = self._iteration_of(state)
        # Eigenvalues are looked at by the host: they cannot be recorded.
        if self._graph is not None and not self._graph.serves(state):
            self._put_graph_away()
        if self._graph is None and state.rows is None and self.recipe.statistic != "wasserstein":
            self._graph = self._graphs.borrow(iteration, state)
        return self._graph or iteration

    def _iteration_of(self, state: State) -> Iteration:
        if self._iteration is None or self._iteration[:2] != (state.scale, state.rows):
            self._iteration = None
            if self.device.type == "cpu":
                arrange_memory(short=state.rows is not None)
            side, frame = self.recipe.plan()[state.scale][0], self._frame(state.scale)
            content, styles = self._sources.at(side, frame)
            masks = self._sources.masks(content, styles)
            moved = self._sources.moved(state.pixels.shape[2:], frame) if frame else None
            objective = Objective(
                self.recipe, self._networks, content.to(self.device), [style.to(self.device) for style in styles],
                rows=state.rows, masks=Masks(*([mask.to(self.device) for mask in part] for part in masks)),
            )  # fmt: skip
            iteration = Iteration(self.recipe, objective, where=None if moved is None else moved.to(self.device))
            self._iteration = (state.scale, state.rows, iteration)
        return self._iteration[2]
