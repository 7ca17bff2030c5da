"""What must be equal, asked of the device at hand: to the bit where we promise that, else to a stated distance.

`EQUALITIES` is the list: a name, how far apart the two may be, and the function that measures how far apart they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from benchmarks.bench import given, square_pictures, stand_in
from benchmarks.report import Table, seconds
from engine.painting.cuda.graphs import Graphs
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe


@dataclass(frozen=True)
class Equality:
    """`distance` of a device and a size in px: 0 where all bits are equal; it holds up to `most`."""

    name: str
    most: float
    distance: Callable[[str, int], float]


@dataclass(frozen=True)
class Verdict:
    """What came of one equality."""

    name: str
    holds: bool
    row: list[str]


def recipes(side: int) -> Mapping[str, Recipe]:
    """Every kind of loop, for a few iterations."""
    few: dict[str, Any] = {"side": side, "snapshots": (3,)}
    return {
        "classic": given("classic", iterations=12, **few),
        "gatys": given("gatys", iterations=12, **few),
        "fine": given("fine", iterations=15, **few),
        "fine, random weights": preset("fine", weights="random", size=side, iterations=12, snapshots=(3,)),
        "fine, the content's colours": given("fine", iterations=10, colours="content", **few),
    }


def equalities(device: str, side: int, deadline: float = float("inf")) -> tuple[Table, bool]:
    """The table, and whether all that was asked held; nothing more is asked past `deadline` (`time.monotonic`)."""
    asked, left_out = [], 0
    for equality in EQUALITIES:
        if time.monotonic() > deadline:
            left_out += 1
        else:
            asked.append(_ask(equality, device, side))
    note = "Distances: of pictures and states, the largest difference of any number; of gradients and losses, relative."
    if left_out:
        note += f" {left_out} more were not asked: the time was up."
    columns = ("equality", "holds", "distance", "at most", "took")
    rows, data = [verdict.row for verdict in asked], {verdict.name: verdict.holds for verdict in asked}
    table = Table("equalities", f"What is equal ({device}, {side} px)", columns, rows, note, data)
    return table, all(verdict.holds for verdict in asked)


def _ask(equality: Equality, device: str, side: int) -> Verdict:
    """An equality that cannot even be asked does not hold; the others are asked all the same."""
    began = time.monotonic()
    try:
        distance = equality.distance(device, side)
        holds, found = distance <= equality.most, f"{distance:.2g}"
    except Exception as error:  # whatever a new machine may say, the report goes on
        holds, found = False, f"{type(error).__name__}: {error}".replace("\n", " ").replace("|", "/")[:200]
    most = "every bit" if equality.most == 0 else f"{equality.most:.2g}"
    return Verdict(equality.name, holds, [
        equality.name, "yes" if holds else "NO", found, most, seconds(time.monotonic() - began)
    ])  # fmt: skip


def painter(
    recipe: Recipe,
    device: str,
    dtype: torch.dtype | None = None,
    graphs: Graphs | None = None,
    *,
    swapped: bool = False,
) -> Painter:
    """Of the example pictures, or these `swapped`; the network in `dtype`, by itself as the painter chooses."""
    content, style = square_pictures(recipe.size)
    if swapped:
        content, style = style, content
    return Painter(recipe, content, [style], convs=stand_in(), device=device, dtype=dtype, graphs=graphs)


def painted(painter: Painter, state: State | None = None, stop: int | None = None) -> State:
    """The painting after `stop` iterations, or at its end."""
    state = state or painter.begin()
    for _ in painter.paint(state, stop):
        pass
    return state


def apart(one: State, other: State) -> float:
    """The largest difference of any number of two states; infinite where they differ in kind."""
    own, others = one.tensors(), other.tensors()
    if own.keys() != others.keys() or one.numbers() != other.numbers():
        return float("inf")
    return max(float((own[name] - others[name]).abs().max()) for name in own if own[name].numel())


def _same_again(name: str, device: str, side: int) -> float:
    recipe = recipes(side)[name]
    return apart(*(painted(painter(recipe, device)) for _ in range(2)))


def _resumed(name: str, device: str, side: int) -> float:
    """Cut in the middle of a scale, and gone on with from what a checkpoint keeps, by another painter."""
    recipe = recipes(side)[name]
    uncut = painted(painter(recipe, device))
    half = painted(painter(recipe, device), stop=recipe.iterations // 2 + 1)
    tensors = {name: tensor.to("cpu", copy=True) for name, tensor in half.tensors().items()}
    numbers = json.loads(json.dumps(half.numbers()))
    restored = State.restore(recipe, tensors, numbers, torch.device(device))
    return apart(uncut, painted(painter(recipe, device), restored))


def _in_strips(name: str, device: str, side: int) -> float:
    """Of the first gradient, to its largest number."""
    recipe = recipes(side)[name]
    whole, strips = (_first_gradient(recipe, device, rows) for rows in (None, side // 3))
    return float((whole - strips).abs().max() / whole.abs().max())


def _recorded(name: str, device: str, side: int) -> float:
    """By graphs that a painting of other pictures has recorded, and uses once more in between."""
    recipe, graphs = recipes(side)[name], Graphs.on(torch.device(device))
    other, own = (painter(recipe, device, graphs=graphs, swapped=swapped) for swapped in (True, False))
    before = painted(other, stop=recipe.iterations // 3)
    half = painted(own, stop=recipe.iterations // 2)
    painted(other, before)
    one = painted(own, half)
    return apart(one, painted(painter(recipe, device, graphs=Graphs(None))))


def _first_gradient(recipe: Recipe, device: str, rows: int | None) -> torch.Tensor:
    """As the optimiser remembers it, up to a factor; looked at in strips of `rows` px, or whole.

    At the finest scale: the coarsest may be lower than one strip.
    """
    own = painter(replace(recipe, scales=1), device, torch.float32)
    state = own.begin()
    state.rows = rows
    remembered = painted(own, state, stop=1).optimiser.tensors
    return remembered["gradient" if recipe.optimiser == "lbfgs" else "mean"]


def _as_on_the_cpu(name: str, device: str, side: int) -> float:
    return _first_losses_apart(recipes(side)[name], (device, torch.float32), ("cpu", torch.float32))


def _in_its_own_type(name: str, device: str, side: int) -> float:
    """As the painter chooses, bfloat16 where that is fast, against float32."""
    return _first_losses_apart(recipes(side)[name], (device, None), (device, torch.float32))


def _first_losses_apart(recipe: Recipe, *ways: tuple[str, torch.dtype | None]) -> float:
    one, other = (float(painted(painter(recipe, *way), stop=1).losses[0, 0]) for way in ways)
    return abs(one - other) / abs(other)


_NAMES = tuple(recipes(64))
EQUALITIES: tuple[Equality, ...] = (
    *(Equality(f"same seed, same painting: {name}", 0, partial(_same_again, name)) for name in _NAMES),
    *(Equality(f"resumed as uncut: {name}", 0, partial(_resumed, name)) for name in _NAMES),
    *(Equality(f"in strips as whole: {name}", 2e-3, partial(_in_strips, name)) for name in _NAMES),
    *(Equality(f"graph, used again, as eager: {name}", 0, partial(_recorded, name)) for name in _NAMES),
    *(
        Equality(f"first loss in bf16 where that is used: {name}", 3e-2, partial(_in_its_own_type, name))
        for name in _NAMES
    ),
    *(Equality(f"first loss as on the CPU: {name}", 2e-3, partial(_as_on_the_cpu, name)) for name in _NAMES),
)
