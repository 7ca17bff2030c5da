"""The recipe: everything that decides a picture, and nothing else.

Frozen, hashable, versioned; plain Python, so that programs without torch can hold one. `presets.py` has the three named
ones; every field can be set over a preset.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, get_args

from engine.recipe import vgg_layers

VERSION = 8
"""4: smoothing; 5: start_colours, studies; 6: style_ceiling; 7: variation_ceiling; 8: style_floor."""
OLDEST = 3
"""The oldest that can be painted: before it the losses' weights were in units of the run's own pictures."""

Start = Literal["noise", "content", "style", "picture", "statistics", "patches"]
Colours = Literal["style", "content", "matched"]
StartColours = Literal["content", "style"]
PoolingKind = Literal["average", "max", "l2"]
Padding = Literal["zero", "replicate"]
Statistic = Literal["gram", "covariance", "wasserstein"]
OptimiserName = Literal["adam", "lbfgs"]

MAX_ITERATIONS = 99_900
MIN_SIZE, MAX_SIZE = 32, 4096
MAX_FRAMES = 200


class RecipeError(ValueError):
    """A recipe that cannot be painted; the text is one sentence for the person who asked."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the picture. Pixel quantities are in 8-bit levels (0 to 255).

    The loss is `alpha * content + beta * style + total_variation * TV` (Gatys et al. 2016, eq. 7, plus TV).
    Raises `RecipeError` when a field is out of range.
    """

    name: str = "fine"
    """The preset it came from; a label for people."""
    version: int = VERSION
    weights: str = "imagenet"
    """Identity of the network: `imagenet`, `random`, or `sha256:<16 hex digits>` of a file's tensors."""

    network: str = "vgg19"
    """Architecture of these weights: `vgg19`, `vgg16`, or widths as in `32,32|64,64` (see `vgg_layers.convs`)."""

    size: int = 512
    """Longest side of the picture, px."""
    iterations: int = 500
    """Gradient steps, over all scales and frames and with the extra ones."""
    extra: int = 0
    """How many of the iterations are painted after the plan of the others has ended: on the finest scale, with the
    last step of its schedule. 0 to `iterations - 1`. Until then the run equals the one without them, bit for bit."""
    snapshots: tuple[int, ...] = (10, 30, 100, 300)
    """Iterations to show; those past `iterations` are left out, the last is always shown."""
    seed: int = 0

    start: Start = "content"
    """What the noise is mixed with: the content, the first style, nothing (flat mean colour), a picture that is
    given beside content and styles, noise with the colours and the spectrum of the first style, or the content laid out
    in patches of the styles (see `patches.py`)."""
    start_colours: StartColours = "content"
    """Colours of the content where a painting begins with it, and of the `detail` that its scales add: its own, or
    brought to the style's mean and covariance, so that a light content need not first be painted dark."""
    noise: float = 0.0
    """Share of noise in the start, 0 to 1: start = noise * U(-noise_range, noise_range) + (1 - noise) * picture."""
    noise_range: float = 20.0
    """Half-width of the uniform noise, 8-bit levels around the mean colour."""

    content_layers: tuple[str, ...] = ("relu4_2",)
    style_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    style_layer_weights: tuple[float, ...] = (0.2, 0.2, 0.2, 0.2, 0.2)
    alpha: float = 1.0
    """Weight of the content loss."""
    beta: float = 100.0
    """Weight of the style loss."""
    style_ceiling: float = 0.0
    """The most that a picture without features may lose by a style, before `beta`: one above it, such as ink on white,
    is weighed down to it, so as not to outweigh the content. 0: no ceiling."""
    style_floor: float = 0.0
    """The least that a picture without features may lose by a style, before `beta`: one below it, such as a dark
    painting, is weighed up to it, fourfold at most."""
    style_weights: tuple[float, ...] = (1.0,)
    """Share of each style picture; normalised to sum to one."""
    style_scale: float = 1.0
    """Size of the style pictures relative to the painting: smaller gives smaller strokes."""
    statistic: Statistic = "gram"
    """What is compared: Gram matrices, or mean and covariance: by their difference, or as Gaussians (Wasserstein-2)."""
    octaves: int = 1
    """Style is compared on this many octaves of an antialiased pyramid at every step."""
    pooling: PoolingKind = "average"
    """What 2x2 positions become: their average, maximum, or the root of their mean square (L2)."""
    pooling_gain: float = 1.0
    """Factor on what is pooled. Where a network was trained with maxima, averages come out too small for its biases.
    It makes the activations after each pooling larger, and with them the deep layers' losses."""
    padding: Padding = "zero"
    """What surrounds the picture: zeros, the mean colour, or its own edge. Deeper layers always have the zeros that the
    network was trained with."""
    total_variation: float = 0.0
    """Weight of the mean squared difference of neighbouring pixels, in 8-bit levels squared."""
    variation_ceiling: float = 0.0
    """Styles whose own variation is above it on average, on the scale that is painted, weigh `total_variation` down as
    much, so that a painting may be as fine in detail as they are. 0: no ceiling."""
    match_luminance: bool = False
    """Bring the content's luminance mean and deviation to the style's before painting. Only where the colours are the
    style's; else it is the other way round."""
    colours: Colours = "style"
    """Whose colours the painting has. With `content` only luminance is painted, and shown with the content's chroma
    (Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", section 5.1). With `matched` the
    styles are given the content's mean and covariance of colour before painting (section 5.2). Where none of the
    pictures has any colour, only luminance is painted."""
    networks: int = 1
    """For `random` weights: how many networks take turns, one per iteration."""

    optimiser: OptimiserName = "adam"
    step: float = 2.0
    """Adam's step in 8-bit levels per iteration; for L-BFGS the factor on its direction."""
    step_end: float = 1.0
    """The step falls by cosine to this fraction of itself within each scale; 1 keeps it constant."""
    beta1: float = 0.9
    beta2: float = 0.999
    history: int = 20
    """Pairs that L-BFGS remembers."""
    smoothing: float = 0.0
    """How much L-BFGS' moves are blurred, 0 to 1: what neighbours do not agree on stays out (see `smoothing.py`)."""
    clamp: bool = False
    """Keep pixels within 0 to 255 after every step."""

    scales: int = 1
    """Coarse-to-fine scales, a factor of sqrt(2) apart, ending at `size`."""
    detail: float = 0.0
    """Share of what the content shows at a scale and could not show at the one before, with which the scale begins."""
    average: float = 0.0
    """Decay of the bias-corrected moving average of the iterates that is shown; 0 shows the iterate itself."""

    frames: int = 1
    """How many contents a sequence has, painted one after the other, each further one on from the one before it."""
    frame_iterations: int = 40
    """Iterations of each further frame, over all scales."""

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise RecipeError(problem)

    @property
    def shown(self) -> tuple[int, ...]:
        """The iterations whose picture is promised: the snapshots within the run, and the last."""
        return (*sorted({i for i in self.snapshots if i < self.iterations}), self.iterations)

    def as_dict(self) -> dict[str, Any]:
        """Every field, as JSON can hold it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Recipe:
        """The recipe of `as_dict`, also after a way through JSON."""
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
        return cls(**values)

    @property
    def planned(self) -> int:
        """The iterations of all scales and frames; the extra ones come after."""
        return self.iterations - self.extra

    @property
    def frame_ends(self) -> tuple[int, ...]:
        """The iterations after which each frame is painted."""
        return tuple(accumulate(count for _, count in self.plan()))[self.scales - 1 :: self.scales]

    def frame_of(self, scale: int) -> int:
        """The frame, counted from 0, that a scale of the plan belongs to."""
        return scale // self.scales

    def plan(self) -> list[tuple[int, int]]:
        """Coarse to fine: (longest side in px, number of iterations) of each scale; again for each further frame.

        A frame's scales share its iterations evenly; the extra ones belong to the last of all.
        """
        sides = [max(MIN_SIZE, round(self.size / math.sqrt(2) ** k)) for k in reversed(range(self.scales))]
        further = [self.frame_iterations] * (self.frames - 1)
        counts = [
            planned * (k + 1) // self.scales - planned * k // self.scales
            for planned in (self.planned - sum(further), *further)
            for k in range(self.scales)
        ]
        counts[-1] += self.extra
        return list(zip(sides * self.frames, counts, strict=True))

    def sequence(self, frames: int) -> Recipe:
        """The recipe for so many frames instead of one. Raises `RecipeError`."""
        iterations = self.iterations + (frames - 1) * self.frame_iterations
        return dataclasses.replace(self, frames=frames, iterations=iterations)

    def still(self) -> Recipe:
        """The recipe for the first frame alone."""
        return dataclasses.replace(self, frames=1, iterations=self.frame_ends[0])

    def continued(self, iterations: int) -> Recipe:
        """The recipe with so many iterations more, on the same plan. Raises `RecipeError`."""
        if iterations < 1:
            raise RecipeError("A painting can be continued by one iteration or more.")
        return dataclasses.replace(self, iterations=self.iterations + iterations, extra=self.extra + iterations)

    def check_masks(self, count: int) -> None:
        """Raises `RecipeError` unless there is a mask for each style, or none."""
        styles = len(self.style_weights)
        if count not in (0, styles):
            raise RecipeError(f"There are {styles} styles and {count} masks: give one for each, or none.")

    def enlarged(self) -> Recipe:
        """The recipe at twice the size, whose coarse scales are this one's plan: a draft goes on from its end.

        Raises `RecipeError` where the sizes or counts of the scales do not meet.
        """
        if self.frames > 1:
            raise RecipeError("A film cannot be enlarged: ask for it anew at the larger size.")
        each = self.planned // self.scales
        try:
            larger = dataclasses.replace(
                self, size=2 * self.size, scales=self.scales + 2, iterations=self.planned + 2 * each, extra=0
            )
        except RecipeError as problem:
            raise RecipeError(f"It cannot be painted at twice the size. {problem}") from None
        if larger.plan()[: self.scales] != self.plan():
            raise RecipeError("It cannot be enlarged, since it was gone on with or its scales are uneven: start anew.")
        return larger


def _problems(r: Recipe) -> list[str]:
    bounds = (r.style_ceiling, r.style_floor, r.variation_ceiling)
    weights = (r.alpha, r.beta, r.total_variation, *bounds, *r.style_layer_weights)
    wanted = (*r.content_layers, *r.style_layers)
    deep = [name for name in wanted if name not in vgg_layers.LAYERS]
    architecture = vgg_layers.conv_names(r.network)
    lacking = [name for name in wanted if name not in deep and vgg_layers.conv_of(name) not in architecture]
    checks = {
        f"This recipe is of version {r.version}; this program knows up to version {VERSION}: update it.": r.version
        <= VERSION,
        f"The size must be between {MIN_SIZE} and {MAX_SIZE} px.": MIN_SIZE <= r.size <= MAX_SIZE,
        f"The number of iterations must be between 1 and {MAX_ITERATIONS:,}.": 1 <= r.iterations <= MAX_ITERATIONS,
        "The extra iterations must be at least 0, and fewer than all.": 0 <= r.extra < max(1, r.iterations),
        f"The number of frames must be between 1 and {MAX_FRAMES}.": 1 <= r.frames <= MAX_FRAMES,
        "There must be at least one iteration for each scale.": 1
        <= r.scales
        <= min(12, r.planned - (r.frames - 1) * r.frame_iterations),
        "There must be at least one iteration for each scale of a further frame.": r.frames == 1
        or r.scales <= r.frame_iterations,
        "Snapshots are iterations, from 1 on.": all(i >= 1 for i in r.snapshots),
        f"The seed must be between 0 and {2**63 - 1}.": 0 <= r.seed < 2**63,
        f"The start must be one of {', '.join(get_args(Start))}.": r.start in get_args(Start),
        "The start_colours must be content or style.": r.start_colours in get_args(StartColours),
        "The share of noise must be between 0 and 1.": 0 <= r.noise <= 1,
        "The noise range must be between 0 and 255.": 0 <= r.noise_range <= 255,
        f"There is no layer {', '.join(deep)}; layers are named like relu4_2 or conv2_1.": not deep,
        f"There is no architecture {r.network}: use vgg19, vgg16, or widths such as 32,32|64,64.": bool(architecture),
        f"These weights have no layer {', '.join(lacking)}; they have {', '.join(architecture)}.": not lacking
        or not architecture,
        "A content layer must be named only once.": len(set(r.content_layers)) == len(r.content_layers),
        "At least one content or style layer is needed.": bool(r.content_layers or r.style_layers),
        "The start patches needs a style layer, by which it finds them: name one, or choose another start.": r.start
        != "patches"
        or bool(r.style_layers),
        "Each style layer needs one weight.": len(r.style_layers) == len(r.style_layer_weights),
        "Weights of losses and layers must be finite and not negative.": all(0 <= w < math.inf for w in weights),
        "Style weights must be positive.": bool(r.style_weights) and all(0 < w < math.inf for w in r.style_weights),
        "The style scale must be between 0.1 and 4.": 0.1 <= r.style_scale <= 4,
        f"The statistic must be one of {', '.join(get_args(Statistic))}.": r.statistic in get_args(Statistic),
        "Octaves must be between 1 and 6.": 1 <= r.octaves <= 6,
        f"The colours must be one of {', '.join(get_args(Colours))}.": r.colours in get_args(Colours),
        f"The pooling must be one of {', '.join(get_args(PoolingKind))}.": r.pooling in get_args(PoolingKind),
        "The pooling gain must be between 0.1 and 10.": 0.1 <= r.pooling_gain <= 10,
        "The padding must be zero or replicate.": r.padding in get_args(Padding),
        "Networks must be between 1 and 8, and only random weights can have more than one.": 1 <= r.networks <= 8
        and (r.networks == 1 or r.weights == "random"),
        "The optimiser must be adam or lbfgs.": r.optimiser in get_args(OptimiserName),
        "L-BFGS needs one fixed loss: set networks to 1.": r.optimiser != "lbfgs" or r.networks == 1,
        "The step must be above 0 and at most 255.": 0 < r.step <= 255,
        "step_end must be above 0 and at most 1.": 0 < r.step_end <= 1,
        "The detail must be between 0 and 1.": 0 <= r.detail <= 1,
        "beta1, beta2 and average must be at least 0 and below 1.": all(
            0 <= b < 1 for b in (r.beta1, r.beta2, r.average)
        ),
        "The history must be between 1 and 100.": 1 <= r.history <= 100,
        "The smoothing must be between 0 and 1.": 0 <= r.smoothing <= 1,
    }
    return [sentence for sentence, holds in checks.items() if not holds]
