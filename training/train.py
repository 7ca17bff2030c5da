"""The training: a student learns to foretell a teacher's features, their Gram matrices and their changes."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.painting.network import vgg
from engine.recipe.recipe import PoolingKind
from training.crops import Crops, pairs
from training.losses import change_errors, feature_errors, gram_errors, scales
from training.score import Score, score
from training.student import COMPARED, WIDTHS, Learner, enough
from training.teacher import Teacher

KINDS: tuple[PoolingKind, ...] = ("max", "average")
LATER = 2 / 3  # of the time: then crops are larger, since deep layers look further than a small crop
_WARM_UP = 200  # steps
_LONGEST_GRADIENT = 4.0
_AVERAGE = 0.998  # decay of the average of the weights
_SCORED_CROPS, _SCORED_SIDE = 32, 96
_LINE_EVERY = 60.0  # s


@dataclass(frozen=True)
class Plan:
    """How long, how large and how fast."""

    seconds: float
    """Of training in all, with what was done before it was resumed; the rates fall to zero by a cosine over it."""
    crops: int = 6
    """Crops a step; each is looked at twice, as it is and with a little noise."""
    side: int = 96
    """Px of a crop; in the last third half as much again, and half as many."""
    rate: float = 2e-3
    """AdamW's, of the convolutions; twice as much of the maps."""
    gram: float = 1.0
    """Weight of the Gram matrices' error beside the features'."""
    change: float = 0.5
    """Weight of the error of how features change with the pixels."""
    maximum: float = 0.75
    """Share of the steps with max pooling in both networks, as `fine` and `gatys` have it; the others average."""
    keep_every: float = 240.0
    """Seconds between scores and checkpoints."""
    bfloat16: bool = False
    """Compute in bfloat16: several times faster on GPUs and on processors with AMX."""
    seed: int = 0

    @property
    def later_side(self) -> int:
        """Px of a crop in the last third of the time."""
        return self.side * 3 // 2


@dataclass
class Progress:
    """Where the training is: what must be kept to go on with it."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    units: dict[PoolingKind, dict[str, float]] = field(default_factory=dict)
    """By pooling and layer, what the teacher's features are divided by."""


class Training:
    """A learner, its teacher and its pictures."""

    def __init__(
        self,
        teacher: Teacher,
        crops: Crops,
        held_out: Crops,
        plan: Plan,
        device: torch.device,
        *,
        widths: Mapping[str, int] = WIDTHS,
        begin: vgg.Convs | None = None,
    ) -> None:
        """`held_out`: crops of pictures that `crops` never takes; `widths`: the student's filters in each layer.

        `begin`: weight and bias by layer of an earlier, slimmer student to begin with.
        """
        torch.manual_seed(plan.seed)
        self.plan, self._crops, self._device = plan, crops, device
        self.teacher = teacher
        self._generator = torch.Generator().manual_seed(plan.seed)
        seen = self._crops(64, 96, self._generator).to(device)
        features = {kind: teacher(seen, COMPARED, kind) for kind in KINDS}
        units = {kind: scales(features[kind]) for kind in KINDS}
        self.progress = Progress(units=units)
        self.learner = Learner(teacher.widths, widths).to(device)
        if begin is not None:
            self.learner.student.widen(begin, seen)
            self.learner.fit(seen, {name: x / units["max"][name] for name, x in features["max"].items()})
        self.average = copy.deepcopy(self.learner)
        self._optimiser = torch.optim.AdamW([
            {"params": self.learner.student.parameters(), "factor": 1.0},
            {"params": self.learner.maps.parameters(), "factor": 2.0},
        ], lr=plan.rate, fused=True)  # fmt: skip
        fixed = torch.Generator().manual_seed(0)
        self._pairs = pairs(held_out(_SCORED_CROPS, _SCORED_SIDE, fixed), fixed).to(device)
        self.scored = self._pairs[:_SCORED_CROPS]
        self._answers = self._true()

    def run(self, keep: Callable[[Score, bool], None]) -> Iterator[str]:
        """Trains to the end of the plan's time and yields a line now and then.

        `keep` gets the score of the averaged weights and whether it is the best so far, now and then and at the end.
        """
        progress, before = self.progress, self.progress.seconds
        began = told = kept = time.monotonic()
        while progress.seconds < self.plan.seconds:
            errors = self._step()
            now = time.monotonic()
            progress.step, progress.seconds = progress.step + 1, before + now - began
            last = progress.seconds >= self.plan.seconds
            if now - told > _LINE_EVERY or progress.step <= 3:
                told = now
                yield f"{progress.step:6} {progress.seconds:6.0f} s  {_line(errors)}"
            if now - kept > self.plan.keep_every or last:
                kept = now
                result = self._score()
                better = result.mean < progress.best
                progress.best = min(result.mean, progress.best)
                keep(result, better)
                yield f"{progress.step:6} {progress.seconds:6.0f} s  {result}{'  best' if better else ''}"

    def _step(self) -> dict[str, Tensor]:
        plan, passed = self.plan, self.progress.seconds / self.plan.seconds
        rate = plan.rate * min(1, (self.progress.step + 1) / _WARM_UP) * (1 + math.cos(math.pi * min(1, passed))) / 2
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        kind = self._kind()
        pixels = self._batch(later=passed > LATER)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=plan.bfloat16):
            answers = self._ask(pixels, kind)
            foretold = self.learner(pixels, kind, factors=self._factors(kind), part=True)
            told, grams = feature_errors(foretold, answers), gram_errors(foretold, answers)
            changes = change_errors(foretold, answers)
        kinds = ((1.0, told), (plan.gram, grams), (plan.change, changes))
        loss = torch.stack([weight * error for weight, errors in kinds for error in errors.values()]).sum()
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        # The Gram error of a crop on which the teacher sees next to nothing would fill AdamW's memory for long.
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), _LONGEST_GRADIENT)
        self._optimiser.step()
        self._follow()
        told |= {f"{kind} {n}": e for kind, errors in (("Gram", grams), ("change", changes)) for n, e in errors.items()}
        return {name: error.detach() for name, error in told.items()}

    @torch.no_grad()
    def _follow(self) -> None:
        """The average of the weights: of all at first, then of the last thousand or so."""
        decay = min(_AVERAGE, (1 + self.progress.step) / (10 + self.progress.step))
        for average, learnt in zip(self.average.parameters(), self.learner.parameters(), strict=True):
            average.lerp_(learnt, 1 - decay)

    def _factors(self, kind: PoolingKind) -> dict[str, float]:
        """From what the maps foretell, which is in the units of the first pooling, to this one's units."""
        units = self.progress.units
        return {name: units[KINDS[0]][name] / unit for name, unit in units[kind].items()}

    def _kind(self) -> PoolingKind:
        """How this step pools."""
        return KINDS[0] if float(torch.rand((), generator=self._generator)) < self.plan.maximum else KINDS[1]

    def _batch(self, *, later: bool) -> Tensor:
        """Pixels (2n, 3, side, side) of n crops, and of the same with a little noise."""
        plan = self.plan
        count, side = (max(1, plan.crops // 2), plan.later_side) if later else (plan.crops, plan.side)
        return pairs(self._crops(count, side, self._generator), self._generator).to(self._device)

    def _ask(self, pixels: Tensor, kind: PoolingKind) -> dict[str, Tensor]:
        """The teacher's features, in their units."""
        features = enough(self.teacher(pixels, self.learner.compared, kind))
        return {name: x.div_(self.progress.units[kind][name]) for name, x in features.items()}

    def _true(self) -> dict[PoolingKind, dict[str, Tensor]]:
        """The teacher's features that the score is taken by."""
        seen = {kind: self.teacher(self._pairs, self.learner.compared, kind) for kind in KINDS}
        units = self.progress.units
        return {kind: {name: x / units[kind][name] for name, x in features.items()} for kind, features in seen.items()}

    @torch.no_grad()
    def _score(self) -> Score:
        """Of the averaged weights, with the pooling that most steps have."""
        kind = KINDS[self.plan.maximum < 1 / 2]
        foretold = self.average(self._pairs, kind, factors=self._factors(kind))
        return score(foretold, self._answers[kind])

    def save(self, path: Path) -> None:
        """All that is needed to go on; the file is whole at every moment."""
        state = {
            "learner": self.learner.state_dict(), "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(), "generator": self._generator.get_state(),
            "progress": vars(self.progress),
        }  # fmt: skip
        draft = path.with_name(path.name + ".part")
        torch.save(state, draft)
        draft.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        self.learner.load_state_dict(state["learner"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._generator.set_state(state["generator"].cpu())
        self.progress = Progress(**state["progress"])
        self._answers = self._true()


def _line(errors: dict[str, Tensor]) -> str:
    return "  ".join(f"{name.replace('conv', '')} {float(error):.3f}" for name, error in errors.items())
