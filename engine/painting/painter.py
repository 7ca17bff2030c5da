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
from engine.painting.cuda.graphs import Graphs
from engine.painting.cuda.readback import Readback
from engine.painting.errors import PaintingError
from engine.painting.flatness import GOO, spread, spread_of
from engine.painting.input_pictures import Sources
from engine.painting.network import vgg
from engine.painting.network.networks import CALIBRATION_SIDE, networks_of
from engine.painting.objective import columns
from engine.painting.optimisers import OPTIMISERS
from engine.painting.state import State
from engine.painting.stepper import Stepper
from engine.recipe.recipe import OLDEST, Recipe, RecipeError
from engine.recipe.schedule import Schedule

EXPLOSION = 10.0
"""A loss this many times the larger of the last good one and that of a picture without features has exploded."""
ROLLBACKS = 3
REASONS = ("the loss was no longer a number", "the loss exploded")
"""Why a painting goes back to its last good picture: its loss is not finite, or finite and too large."""


def paint(
    recipe: Recipe, content: Image.Image, styles: Sequence[Image.Image], start: State | None = None,
    stop: int | None = None, *, canvas: Image.Image | None = None, content_masks: Sequence[Image.Image] = (),
    style_masks: Sequence[Image.Image] = (), convs: vgg.Convs | None = None, device: str = "cpu",
) -> Iterator[State]:  # fmt: skip
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
        self, recipe: Recipe, content: Image.Image, styles: Sequence[Image.Image], *,
        frames: Sequence[Image.Image] = (), canvas: Image.Image | None = None,
        content_masks: Sequence[Image.Image] = (), style_masks: Sequence[Image.Image] = (),
        convs: vgg.Convs | None = None, device: str = "cpu", dtype: torch.dtype | None = None,
        graphs: Graphs | None = None, fast: bool = True,
    ) -> None:  # fmt: skip
        """Pictures, masks and weights are as for `paint`; `frames` are the contents after the first.

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
        self._least_spread = GOO * min(map(spread_of, (content, *styles)))
        seen = self._sources.at(min(recipe.size, CALIBRATION_SIDE)) if recipe.weights == "random" else None
        self._networks = networks_of(recipe, convs, seen, device=self.device, dtype=dtype)
        graphs = Graphs.on(self.device) if graphs is None else graphs
        self._stepper = Stepper(recipe, self._sources, self._networks, device=self.device, graphs=graphs)

    def begin(self) -> State:
        """The state before the first iteration. Noise is drawn on the CPU, so that every device starts alike."""
        recipe = self.recipe
        pixels = self._sources.start(recipe.plan()[0][0], self._networks[0], self.device).to(self.device)
        state = State(
            iteration=0, scale=0, pixels=pixels, average=torch.zeros_like(pixels), averaged=0,
            optimiser=OPTIMISERS[recipe.optimiser](recipe), good=pixels.clone(),
            losses=torch.zeros(recipe.iterations, len(columns(recipe)), device=self.device),
        )  # fmt: skip
        state.rows = self._stepper.plan_rows(state)
        return state

    def paint(self, state: State, stop: int | None = None) -> Iterator[State]:
        """Yields `state` after each further iteration up to `stop`, or the recipe's last."""
        schedule = Schedule(self.recipe)
        stop = self.recipe.iterations if stop is None else min(stop, self.recipe.iterations)
        try:
            for iteration in range(state.iteration, stop):
                if schedule.scale(iteration) != state.scale:
                    self._begin_scale(state, schedule.scale(iteration))
                before = state.pixels.clone() if schedule.inspects(iteration + 1) else None
                # Features, losses, gradient, and the optimiser's step along it.
                state.losses[iteration] = self._stepper.step(state)
                state.optimiser.steps += 1
                state.averaged += 1
                state.iteration = iteration + 1
                if before is not None:
                    self._inspect(state, before, schedule.first(state.scale), keep=schedule.keeps(iteration + 1))
                yield state
        finally:
            self._stepper.put_graph_away()

    def picture(self, state: State) -> Image.Image:
        """What the state shows, at the size of the finished painting."""
        return self.readback(state).read().picture

    def levels(self, state: State) -> Tensor:
        """A finished painting in levels before they are rounded, (1, 3, height, width), float32 on the CPU."""
        shown = state.shown(self.recipe.average).detach().cpu()
        if self.recipe.colours != "content":
            return shown
        content = self._sources.content(self.recipe.size, self.recipe.frame_of(state.scale))
        return pictures.with_chroma(shown, pictures.to_tensor(content))

    def readback(self, state: State) -> Readback:
        """What the state shows now, and the last loss, to be read while the painting goes on."""
        frame = self.recipe.frame_of(state.scale)
        loss = state.losses[max(0, state.iteration - 1), 0]
        return Readback(state.shown(self.recipe.average), loss, lambda picture: self._finished(picture, frame))

    def best_readback(self, state: State) -> Readback | None:
        """The best iterate so far and its loss, to be read while the painting goes on; None where none is kept."""
        if state.best is None:
            return None
        frame = self.recipe.frame_of(state.scale)
        loss = torch.tensor(state.best_loss, device=state.best.device)
        return Readback(state.best, loss, lambda picture: self._finished(picture, frame))

    def is_goo(self, state: State) -> bool:
        """Whether what is shown is nearly of one colour, where none of its pictures is."""
        return spread(state.shown(self.recipe.average)) < self._least_spread

    def _finished(self, picture: Image.Image, frame: int) -> Image.Image:
        """The picture at the size of the finished painting, and in its colours."""
        if picture.size != self.size:
            picture = picture.resize(self.size, Image.Resampling.LANCZOS)
        if self.recipe.colours != "content":
            return picture
        return pictures.coloured(picture, self._sources.content(self.recipe.size, frame))

    def _begin_scale(self, state: State, scale: int) -> None:
        """Go on at the next scale, or with the next frame, from what is shown.

        On the CPU: the result must not depend on a device's order of additions.
        """
        self._stepper.put_graph_away()
        side, frame = self.recipe.plan()[scale][0], self.recipe.frame_of(scale)
        pixels, further = state.shown(self.recipe.average).cpu(), frame != self.recipe.frame_of(state.scale)
        if further:
            state.painted = pixels.round().clamp(0, 255)
        pixels = self._sources.grown(pixels, side, frame, state.painted, further=further)
        state.scale = scale
        state.pixels = pixels.to(self.device)
        state.average, state.averaged = torch.zeros_like(state.pixels), 0
        state.good, state.good_loss = state.pixels.clone(), math.inf
        state.best, state.best_loss, state.best_at = None, math.inf, 0
        state.optimiser.resize(*pixels.shape[2:])
        state.rows = self._stepper.plan_rows(state)

    def _inspect(self, state: State, before: Tensor, first: int, *, keep: bool) -> None:
        """Remember good pixels (where `keep`); go back to the last ones, with half the step, when the loss is lost.

        `before` are the pixels whose loss is looked at, those before the last step, and `first` is the scale's first
        iteration. The iteration counts on: what was promised for an iteration is shown once.
        """
        loss = float(state.losses[state.iteration - 1, 0])
        finite = math.isfinite(loss) and bool(torch.isfinite(state.pixels).all())
        known = state.good_loss if math.isfinite(state.good_loss) else float(state.losses[first, 0])
        if finite and loss <= EXPLOSION * max(known, self._stepper.empty_loss(state)):
            if keep:
                state.good, state.good_loss = before, loss
                self._keep_best(state, before, loss)
            return
        reason = REASONS[finite]
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

    def _keep_best(self, state: State, before: Tensor, loss: float) -> None:
        """Remember what is shown where its loss is the least of this scale so far."""
        shown = before if self.recipe.average == 0 else state.shown(self.recipe.average)
        if loss < state.best_loss and spread(shown) >= self._least_spread:
            state.best, state.best_loss, state.best_at = shown, loss, state.iteration
