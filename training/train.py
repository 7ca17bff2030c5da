"""The training: which picture is this crop of, and which other crop is of the same spot, asked at several depths."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.painting import vgg
from training.augment import crops
from training.network import DEPTHS, Head, Trunk, begin_from, folded, whiten
from training.optimisers import Adam, Muon
from training.sources import Sources

Convs = dict[str, tuple[Tensor, Tensor]]

_TEMPERATURE = 0.1
_ADAM = 4e-3  # its rate at first
_WARM_UP = 30  # steps
_LATER = 2 / 3  # of the time: then crops are larger
_AVERAGE = 0.98  # decay of the average of the weights
_KEPT_EVERY = 300.0  # s


@dataclass(frozen=True)
class Plan:
    """How long and how large."""

    seconds: float
    last: str = "conv4_1"
    """The deepest layer."""
    side: int = 32
    """Px of a crop; in the last third half as much again, since deep layers look further than a small crop."""
    pairs: int = 64
    """Spots in a batch, two crops of each."""
    rate: float = 0.06
    """Share of its own norm by which a convolution's weights move in a step, at first."""
    seed: int = 0
    begin: Convs | None = None
    """Weights to begin with, as they were kept; fresh ones otherwise."""


class Learner(nn.Module):
    """Trunk, a head at each depth, and for each head a direction for every picture."""

    def __init__(self, last: str, pictures: int) -> None:
        super().__init__()
        self.trunk = Trunk(last)
        self.depths = [name for name in DEPTHS if name in self.trunk.layers]
        self.heads = nn.ModuleDict({name: Head(vgg.CHANNELS[name]) for name in self.depths})
        self.pictures = nn.ParameterDict({name: nn.Parameter(torch.randn(pictures, 64)) for name in self.depths})

    def forward(self, pixels: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The losses at each depth, (depths, 2), and how often the other crop was found, (depths,).

        `pixels` are two crops of each spot, the first of each and then the second of each; `pictures` are the spots'.
        The losses are the cross entropy of the picture among all (Exemplar-CNN, Dosovitskiy et al. 2014), and of the
        other crop among the batch (SimCLR, Chen et al. 2020).
        """
        features = self.trunk(pixels, self.depths)
        losses, shares = [], []
        twice, n = pictures.repeat(2), len(pictures)
        other = torch.arange(2 * n, device=pixels.device).roll(n)
        for name in self.depths:
            seen = self.heads[name](features[name])
            told = seen @ F.normalize(self.pictures[name]).T / _TEMPERATURE
            alike = (seen @ seen.T / _TEMPERATURE).fill_diagonal_(-math.inf)
            losses.append(torch.stack([F.cross_entropy(told, twice), F.cross_entropy(alike, other)]))
            shares.append((alike.argmax(1) == other).float().mean())
        return torch.stack(losses), torch.stack(shares).detach()


def train(sources: Sources, plan: Plan, device: torch.device, keep: Callable[[Convs], None]) -> Iterator[str]:
    """Trains for the plan's time and yields a line now and then; `keep` gets the weights every five minutes, and last.

    The weights kept are an average over the last steps (their exponential moving average).
    """
    torch.manual_seed(plan.seed)
    generator = torch.Generator().manual_seed(plan.seed)
    sources = Sources(sources.pictures.to(device), sources.spots)
    learner = Learner(plan.last, len(sources.pictures)).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    _begin(learner.trunk, plan, crops(sources, _some(sources, generator), 2 * plan.side, generator))
    average = copy.deepcopy(learner.trunk)
    optimisers = _optimisers(learner, plan)
    began = kept = time.monotonic()
    step, passed = 0, 0.0
    while passed < 1:
        losses, shares = learner(*_batch(sources, plan, generator, later=passed > _LATER))
        learner.zero_grad()
        losses.sum().backward()
        for optimiser, rate in optimisers:
            optimiser.step(rate * min(1, (step + 1) / _WARM_UP) * (1 - passed))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), learner.trunk.parameters(), strict=True):
                mean.lerp_(now, 1 - _AVERAGE)
        step, passed = step + 1, (time.monotonic() - began) / plan.seconds
        if step % 10 == 1:
            yield _line(step, time.monotonic() - began, learner.depths, losses, shares)
        if time.monotonic() - kept > _KEPT_EVERY or passed >= 1:
            kept = time.monotonic()
            keep(folded(average, crops(sources, _some(sources, generator), 3 * plan.side, generator)))


def _begin(trunk: Trunk, plan: Plan, examples: Tensor) -> None:
    if plan.begin:
        begin_from(trunk, plan.begin, examples)
    else:
        whiten(trunk, examples)


def _optimisers(learner: Learner, plan: Plan) -> list[tuple[Muon | Adam, float]]:
    """Each with its rate at first. The first layer stays as it is."""
    convs = [learner.trunk.at(name)[0].weight for name in learner.trunk.layers]
    convs.pop(0).requires_grad_(False)
    others = [p for p in learner.parameters() if p.requires_grad and all(p is not conv for conv in convs)]
    return [(Muon(convs), plan.rate), (Adam(others), _ADAM)]


def _batch(sources: Sources, plan: Plan, generator: torch.Generator, *, later: bool) -> tuple[Tensor, Tensor]:
    """Two crops of each of some spots, and the spots' pictures."""
    side, pairs = (plan.side * 3 // 2, plan.pairs * 4 // 9) if later else (plan.side, plan.pairs)
    spots = torch.randint(len(sources.spots), (pairs,), generator=generator)
    pixels = crops(sources, spots.repeat(2), side, generator)
    return pixels, sources.spots[spots, 0].long().to(pixels.device)


def _some(sources: Sources, generator: torch.Generator) -> Tensor:
    return torch.randint(len(sources.spots), (16,), generator=generator)


def _line(step: int, seconds: float, depths: Sequence[str], losses: Tensor, shares: Tensor) -> str:
    told = "  ".join(
        f"{name[4:]} {picture:.2f} {pair:.2f} {share:.0%}"
        for name, (picture, pair), share in zip(depths, losses.tolist(), shares.tolist(), strict=True)
    )
    return f"{step:6} {seconds:6.0f} s  {told}"


def read(path: Path) -> Convs:
    """What `write` wrote."""
    tensors = safetensors.torch.load_file(path)
    names = [name for name in vgg.NAMES if f"{name}.weight" in tensors]
    return {name: (tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float()) for name in names}


def write(convs: Convs, path: Path) -> None:
    """The weights as safetensors, in half precision."""
    tensors = {
        f"{name}.{kind}": tensor.half()
        for name, pair in convs.items()
        for kind, tensor in zip(("weight", "bias"), pair, strict=True)
    }
    path.write_bytes(safetensors.torch.save(tensors))
