"""How soon a given picture is reached: Gatys et al.'s loss of what each contender shows, against seconds of painting.

The loss is always that of the recipe `gatys`, whatever the contender itself minimises, and the clock stands still while
it is looked at.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from benchmarks.bench import given, settle, square_pictures, stand_in, torch_as_it_comes
from benchmarks.peers import NeuralStyle, Wasserstein
from benchmarks.report import Table, seconds
from engine.painting import pictures
from engine.painting.network import vgg
from engine.painting.objective import Objective
from engine.painting.painter import Painter
from engine.recipe.recipe import Recipe

ITERATIONS = 500
"""Of L-BFGS at one scale: what it shows in the end is to be reached."""
_TURNS = 25
_SHARE = 0.25
"""Seconds that each of the others gets for one of L-BFGS."""
_OWN, _OTHERS = "gatys", ("style-transfer-pytorch", "neural-style-pt, Adam", "neural-style-pt, L-BFGS")

Show = Callable[[], Image.Image]
"""Draws what a painting shows just now."""


@dataclass
class Curve:
    """Of one contender: seconds of painting, and the loss after them."""

    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def reached(self, loss: float) -> float | None:
        """Seconds until a loss no larger was seen; None if never."""
        return next((s for s, own in zip(self.seconds, self.losses, strict=True) if own <= loss), None)


def target(side: int, device: str = "cpu", deadline: float = math.inf, iterations: int = ITERATIONS) -> Table:
    """The table, with the curves behind it."""
    curves = race(side, device, deadline, iterations)
    own = curves[_OWN]
    goal, whole = own.losses[-1], own.seconds[-1]
    if len(own.losses) < min(_TURNS, iterations):
        iterations = len(own.losses) * max(1, iterations // _TURNS)  # the time was up
    rows = []
    for name, curve in curves.items():
        reached = curve.reached(goal)
        rows.append([
            name, f"{curve.losses[-1] / goal:.3g}", seconds(curve.seconds[-1]),
            "not reached" if reached is None else seconds(reached),
            "" if reached is None else f"{reached / whole:.2f}",
        ])  # fmt: skip
    return Table(
        "target",
        f"To the loss of {iterations} iterations of L-BFGS at one scale ({side} px, {device}, one random network)",
        ("contender", "last loss / L-BFGS'", "painted for", "there after", "share of L-BFGS' time"),
        rows,
        "The loss is that of `gatys`, of the picture shown, rounded to 8 bits; `fine` itself minimises another one "
        "(more style, and variation), `fine, gatys' loss` this one. Contenders take turns; the clock runs only while "
        f"they paint, and the others get {_SHARE} s for each second of L-BFGS. With this network the peers' weights "
        "mean little: their loops are theirs, the balance is not what it was tuned for.",
        {name: asdict(curve) for name, curve in curves.items()},
    )


def race(side: int, device: str, deadline: float, iterations: int) -> dict[str, Curve]:
    """The contenders' curves; L-BFGS paints so many iterations, unless it is past `deadline` (`time.monotonic`)."""
    gatys = given(_OWN, side, iterations=iterations, snapshots=())
    loss = _Loss(gatys, device)
    paintings = _paintings(gatys, device)
    curves = {name: Curve() for name in paintings}
    for number in range(_TURNS):
        if number and time.monotonic() > deadline:
            break
        allowed = math.inf
        for name, painting in paintings.items():
            curve, free = curves[name], torch_as_it_comes() if name in _OTHERS else nullcontext()
            with free:
                spent, show = _turn(painting, max(1, iterations // _TURNS) if name == _OWN else None, allowed)
            if name == _OWN:
                allowed = spent * _SHARE
            if show is not None:
                curve.seconds.append(spent + sum(curve.seconds[-1:]))
                curve.losses.append(loss(show()))
    return curves


def _turn(painting: Iterator[Show], most: int | None, allowed: float) -> tuple[float, Show | None]:
    """Paint on, for at most so many iterations and about so many seconds: the seconds taken, and what it shows now.

    None where it had ended before.
    """
    show, count, began = None, 0, time.perf_counter()
    while count != most and time.perf_counter() - began < allowed:
        now = next(painting, None)
        if now is None:
            break
        settle()
        show, count = now, count + 1
    return time.perf_counter() - began, show


class _Loss:
    """Gatys et al.'s, of a picture of any size."""

    def __init__(self, gatys: Recipe, device: str) -> None:
        content, style = _tensors(gatys.size, device)
        network = vgg.VGG(stand_in(), pooling=gatys.pooling, device=torch.device(device))
        self._device, self._size = device, (content.shape[3], content.shape[2])
        self._objective = Objective(gatys, [network], content, [style])

    def __call__(self, picture: Image.Image) -> float:
        shown = picture.resize(self._size, Image.Resampling.LANCZOS)
        return float(self._objective(pictures.to_tensor(shown).to(self._device), 0)[0][0])


def _paintings(gatys: Recipe, device: str) -> dict[str, Iterator[Show]]:
    """Gatys' own first; they begin when they are first asked, so that all that they prepare counts."""
    fine = given("fine", gatys.size, snapshots=())
    same_loss = replace(
        fine, alpha=gatys.alpha, beta=gatys.beta, style_layer_weights=gatys.style_layer_weights, total_variation=0.0
    )
    return {
        _OWN: _ours(gatys, device),
        "classic": _ours(given("classic", gatys.size, snapshots=()), device),
        "fine": _ours(fine, device),
        "fine, gatys' loss": _ours(same_loss, device),
        _OTHERS[0]: _wasserstein(gatys.size, device),
        _OTHERS[1]: _neural_style(gatys.size, device, "adam"),
        _OTHERS[2]: _neural_style(gatys.size, device, "lbfgs"),
    }


def _ours(recipe: Recipe, device: str) -> Iterator[Show]:
    content, style = square_pictures(recipe.size)
    painter = Painter(recipe, content, [style], convs=stand_in(), device=device)
    for state in painter.paint(painter.begin()):
        yield lambda state=state: painter.picture(state)  # type: ignore[misc]


def _wasserstein(side: int, device: str) -> Iterator[Show]:
    """Coarse to fine from 128 px, a factor of sqrt(2) apart: 1000 iterations at the first scale, 500 at each other."""
    sides = [side]
    while round(sides[0] / 2**0.5) >= 128:
        sides.insert(0, round(sides[0] / 2**0.5))
    peer = None
    for scale in sides:
        peer = Wasserstein(_convs(device), *_tensors(scale, device), coarser=peer)
        for _ in range(1000 if scale == sides[0] else 500):
            peer.step()
            yield lambda peer=peer: pictures.to_picture(peer.shown())  # type: ignore[misc]


def _neural_style(side: int, device: str, optimiser: Literal["adam", "lbfgs"]) -> Iterator[Show]:
    peer = NeuralStyle(_convs(device), *_tensors(side, device), optimiser)
    for _ in range(1000):
        peer.step()
        yield lambda: pictures.to_picture(peer.shown())


def _tensors(side: int, device: str) -> tuple[Tensor, Tensor]:
    content, style = (pictures.to_tensor(picture).to(device) for picture in square_pictures(side))
    return content, style


def _convs(device: str) -> vgg.Convs:
    return {name: (weight.to(device), bias.to(device)) for name, (weight, bias) in stand_in().items()}


def write_curves(table: Table, folder: Path) -> Path:
    """`target.csv`, a line for each look at each contender; `python -m benchmarks.plots` draws it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "target.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("contender", "seconds", "loss"))
        for name, curve in table.data.items():
            writer.writerows((name, *point) for point in zip(curve["seconds"], curve["losses"], strict=True))
    return path
