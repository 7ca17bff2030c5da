"""The loop of Gatys et al. (2016), on one page: `for state in paint(...)`.

The caller decides what to look at, save and plot, and when to stop; it stops within one iteration. A run that is cut
anywhere and resumed on the same kind of device equals the uncut run bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
import torch.utils.deterministic
from PIL import Image
from torch import Tensor

from engine.painting import pictures, plan, vgg
from engine.painting.frames import Frames, resized
from engine.painting.graph import Graph
from engine.painting.networks import CALIBRATION_SIDE, make_networks
from engine.painting.objective import Objective, columns
from engine.painting.optimisers import OPTIMISERS
from engine.painting.recipe import Recipe, RecipeError
from engine.painting.schedule import Schedule
from engine.painting.state import State
from engine.painting.strips import LEAST
from engine.painting.targets import Masks

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
    `convs` are VGG19's weights; none for recipes with `random` weights. Raises `RecipeError` and `PaintingError`.
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
    ) -> None:
        """As for `paint`; `frames` are the contents after the first of a recipe with several frames.

        The network is computed in `dtype`; by itself the fastest that the recipe bears.
        """
        if len(styles) != len(recipe.style_weights):
            raise RecipeError(f"The recipe weighs {len(recipe.style_weights)} styles, but {len(styles)} were given.")
        if 1 + len(frames) != recipe.frames:
            raise RecipeError(f"The recipe is for {recipe.frames} frames, but {1 + len(frames)} were given.")
        if recipe.start == "picture" and canvas is None:
            raise RecipeError("This recipe starts from a picture, which was not given.")
        for masks in (content_masks, style_masks):
            recipe.check_masks(len(masks))
            if not all(mask.convert("L").getbbox() for mask in masks):
                raise RecipeError("A mask is black all over: paint white where its style is to apply.")
        torch.set_deterministic_debug_mode("error")  # as use_deterministic_algorithms, without its 3 s import
        # Every buffer is written before it is read: no need to fill it first.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        self.recipe = recipe
        self.device = torch.device(device)
        self.size = pictures.fitted_size(content.size, recipe.size)
        self._styles, self._canvas = list(styles), canvas
        self._frames = Frames([content, *frames], recipe.size)
        self._masks = content_masks, style_masks
        self._grey = recipe.colours == "content"
        look = self._pictures(min(recipe.size, CALIBRATION_SIDE)) if recipe.weights == "random" else None
        self._networks = make_networks(recipe, convs, look, device=self.device, dtype=dtype)
        self._objective: tuple[int, int | None, Objective | Graph] | None = None
        self._moved: tuple[int, Tensor] | None = None

    def begin(self) -> State:
        """The state before the first iteration. Noise is drawn on the CPU, so that every device starts alike."""
        recipe = self.recipe
        content, styles = self._pictures(recipe.plan()[0][0])
        mean = torch.tensor(vgg.MEAN).view(1, 3, 1, 1) * 255
        generator = torch.Generator().manual_seed(recipe.seed)
        noise = (torch.rand(content.shape, generator=generator) * 2 - 1) * recipe.noise_range
        base = {
            "content": lambda: content,
            "style": lambda: _stretched(styles[0], content),
            "noise": lambda: mean.expand_as(content),
            "statistics": lambda: pictures.random_phase(_stretched(styles[0], content), generator),
            "picture": lambda: self._begun(content.shape[3], content.shape[2]),
        }[recipe.start]()
        pixels = mean + recipe.noise * noise + (1 - recipe.noise) * (base - mean)
        pixels = (pictures.grey(pixels) if self._grey else pixels).to(self.device)
        return State(
            iteration=0, scale=0, pixels=pixels, average=torch.zeros_like(pixels), averaged=0,
            optimiser=OPTIMISERS[recipe.optimiser](recipe), good=pixels.clone(),
            losses=torch.zeros(recipe.iterations, len(columns(recipe)), device=self.device),
            rows=self._plan(pixels),
        )  # fmt: skip

    def paint(self, state: State, stop: int | None = None) -> Iterator[State]:
        """Yields `state` after each further iteration up to `stop`, or the recipe's last."""
        recipe = self.recipe
        schedule = Schedule(recipe)
        stop = recipe.iterations if stop is None else min(stop, recipe.iterations)
        for iteration in range(state.iteration, stop):
            if schedule.scale(iteration) != state.scale:
                self._go_on(state, schedule.scale(iteration))
            terms, gradient = self._weigh(state, iteration)
            state.losses[iteration] = terms
            if self._grey:  # what is grey stays grey
                gradient = gradient.mean(1, keepdim=True).expand(-1, 3, -1, -1).contiguous()
            before = state.pixels.clone() if schedule.inspects(iteration + 1) else None
            step = schedule.step(iteration) * state.step_factor
            state.optimiser.move(state.pixels, gradient, step, self._moved_at(state))
            if recipe.clamp:
                state.pixels.clamp_(0, 255)
            state.average.mul_(recipe.average).add_(state.pixels, alpha=1 - recipe.average)
            state.averaged += 1
            state.iteration = iteration + 1
            if before is not None:
                self._inspect(state, before, schedule.first(state.scale), keep=schedule.keeps(iteration + 1))
            yield state

    def picture(self, state: State) -> Image.Image:
        """What the state shows, at the size of the finished painting."""
        picture = pictures.to_picture(state.shown(self.recipe.average))
        if picture.size != self.size:
            picture = picture.resize(self.size, Image.Resampling.LANCZOS)
        if not self._grey:
            return picture
        content = self._frames.pictures[self._frame(state.scale)]
        return pictures.coloured(picture, pictures.fit(content, self.recipe.size))

    def _weigh(self, state: State, iteration: int) -> tuple[Tensor, Tensor]:
        """The terms of the loss, and the gradient; in narrower strips where the device has less memory than planned."""
        while True:
            try:
                return self._objective_of(state)(state.pixels, iteration)
            except torch.OutOfMemoryError:
                height = state.pixels.shape[2]
                rows = min(state.rows or height, height) // 2
                if rows < LEAST:
                    raise
                self._objective, state.rows = None, rows
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _plan(self, pixels: Tensor) -> int | None:
        """Rows of the strips that a scale with these pixels is painted in, by the memory that is free now."""
        self._objective = None  # what the scale before took is free
        return plan.rows_for(self.recipe, pixels.shape[3], pixels.shape[2], plan.free_memory(self.device))

    def _go_on(self, state: State, scale: int) -> None:
        """Go on at the next scale, or with the next frame, from what is shown.

        On the CPU: the result must not depend on a device's order of additions.
        """
        side, frame = self.recipe.plan()[scale][0], self._frame(scale)
        pixels = state.shown(self.recipe.average).cpu()
        if frame != self._frame(state.scale):
            state.painted = pixels.round().clamp(0, 255)
            content, _ = self._pictures(self.recipe.size, frame)
            pixels = self._frames.begun(state.painted, content, frame, coarse=self.recipe.size / side)
        width, height = pictures.fitted_size(self._frames.pictures[0].size, side)
        pixels = resized(pixels, (height, width)).clamp(0, 255)
        if state.painted is not None:  # what has not moved stays
            moved = self._frames.moved(frame, (height, width))
            pixels = torch.where(moved > 0, pixels, resized(state.painted, (height, width)))
        state.scale = scale
        state.pixels = pixels.to(self.device)
        state.average, state.averaged = torch.zeros_like(state.pixels), 0
        state.good, state.good_loss = state.pixels.clone(), math.inf
        state.optimiser.resize(height, width)
        state.rows = self._plan(pixels)

    def _frame(self, scale: int) -> int:
        """The frame that the scale belongs to, counted from 0."""
        return scale // self.recipe.scales

    def _moved_at(self, state: State) -> Tensor | None:
        """Where it is to be painted: of a further frame only where it has moved."""
        if not self._frame(state.scale):
            return None
        if self._moved is None or self._moved[0] != state.scale:
            moved = self._frames.moved(self._frame(state.scale), state.pixels.shape[2:])
            self._moved = (state.scale, moved.to(self.device))
        return self._moved[1]

    def _inspect(self, state: State, before: Tensor, first: int, *, keep: bool) -> None:
        """Remember good pixels (where `keep`); go back to the last ones, with half the step, when the loss is lost.

        `before` are the pixels whose loss is looked at, those before the last step, and `first` is the scale's first
        iteration. The iteration counts on: what was promised for an iteration is shown once.
        """
        loss = float(state.losses[state.iteration - 1, 0])
        finite = math.isfinite(loss) and bool(torch.isfinite(state.pixels).all())
        known = state.good_loss if math.isfinite(state.good_loss) else float(state.losses[first, 0])
        if finite and loss <= EXPLOSION * max(known, self._objective_of(state).scale):
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
        state.pixels = state.good.clone()
        state.average, state.averaged = torch.zeros_like(state.pixels), 0
        state.optimiser = OPTIMISERS[self.recipe.optimiser](self.recipe)

    def _objective_of(self, state: State) -> Objective | Graph:
        if self._objective is None or self._objective[:2] != (state.scale, state.rows):
            self._objective = None
            content, styles = self._pictures(self.recipe.plan()[state.scale][0], self._frame(state.scale))
            on_device = [style.to(self.device) for style in styles]
            objective = Objective(
                self.recipe, self._networks, content.to(self.device), on_device, rows=state.rows,
                masks=self._masks_for(content, styles),
            )  # fmt: skip
            # Eigenvalues are looked at by the host: they cannot be captured.
            captured = self.device.type == "cuda" and state.rows is None and self.recipe.statistic != "wasserstein"
            self._objective = (
                state.scale, state.rows, Graph(objective, len(self._networks)) if captured else objective
            )  # fmt: skip
        return self._objective[2]

    def _pictures(self, side: int, frame: int = 0) -> tuple[Tensor, list[Tensor]]:
        """A frame's content, and the styles, for a scale of `side` px, on the CPU."""
        styles = [
            pictures.to_tensor(pictures.fit(style, max(1, round(side * self.recipe.style_scale))))
            for style in self._styles
        ]
        content = pictures.to_tensor(pictures.fit(self._frames.pictures[frame], side))
        if self._grey:
            content = pictures.grey(content)
            styles = [pictures.match_luminance(pictures.grey(style), content) for style in styles]
        elif self.recipe.colours == "matched":
            styles = [pictures.match_colours(style, content) for style in styles]
        elif self.recipe.match_luminance:
            content = pictures.match_luminance(content, styles[0])
        return content, styles

    def _masks_for(self, content: Tensor, styles: Sequence[Tensor]) -> Masks:
        """Every mask as large as its picture, on the device."""
        over, of = (
            [
                pictures.mask_to_tensor(mask, (picture.shape[3], picture.shape[2])).to(self.device)
                for mask, picture in zip(masks, like, strict=False)  # where there are no masks, there are none
            ]
            for masks, like in zip(self._masks, ([content] * len(styles), styles), strict=True)
        )
        return Masks(over, of)

    def _begun(self, width: int, height: int) -> Tensor:
        """The canvas as it is begun with, on the CPU."""
        assert self._canvas is not None  # noqa: S101 - checked when the painter was made
        return pictures.to_tensor(pictures.cut_to(self._canvas, (width, height)))


def _stretched(style: Tensor, content: Tensor) -> Tensor:
    return F.interpolate(style, content.shape[2:], mode="bilinear", antialias=True)
