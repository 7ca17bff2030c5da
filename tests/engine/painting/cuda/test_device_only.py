"""What the GPU's way of painting rests on, as far as a processor can tell: nothing asked of the host, and bfloat16."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from painting_kit import assert_same, last, levels, painter, photo, quick, random_weights, until
from torch.utils._python_dispatch import TorchDispatchMode

from engine.painting.cuda.step_table import StepTable
from engine.painting.network.vgg import VGG
from engine.painting.objective import Objective
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.recipe.recipe import Recipe
from engine.recipe.schedule import Schedule

CPU = torch.device("cpu")
PIXELS = levels(64, 52, 4)
VARIANTS: dict[str, dict[str, Any]] = {
    "gram": {"style_layers": ("relu1_1", "conv2_1", "relu3_1"), "style_layer_weights": (1.0, 1.0, 1.0)},
    "covariance, octaves, variation": {"statistic": "covariance", "octaves": 2, "total_variation": 3.0},
    "max": {"pooling": "max"},
}


def objective(recipe: Recipe, dtype: torch.dtype = torch.float32) -> Objective:
    network = VGG(random_weights(5), pooling=recipe.pooling, device=CPU, dtype=dtype)
    return Objective(recipe, [network], levels(64, 52, 1), [levels(50, 60, 2)])


class AsksNothing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Stops at whatever brings numbers from the device to the host or back: a CUDA graph cannot hold it."""

    _asking = ("_local_scalar_dense", "lift_fresh", "nonzero", "masked_select", "is_nonzero")

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in self._asking:
            raise AssertionError(f"{name} asks the host")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_evaluation_asks_nothing_of_the_host(variant: str) -> None:
    look = objective(quick(**VARIANTS[variant]))
    expected = look(PIXELS, 0)  # and what is made once is made
    with AsksNothing():  # type: ignore[no-untyped-call]
        found = look(PIXELS, 0)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


def test_a_whole_iteration_with_adam_asks_nothing_of_the_host() -> None:
    recipe = quick(clamp=True, average=0.9, colours="content")
    own = painter(recipe)
    state = until(own, 1)
    iteration, numbers = own._stepper.iteration(state), StepTable(state, Schedule(recipe)).at(1)
    with AsksNothing():  # type: ignore[no-untyped-call]
        iteration(state, 0, numbers)
    assert_same(_counted(state), until(painter(recipe), 2))


def _counted(state: State) -> State:
    """What the host does beside."""
    state.iteration, state.averaged, state.optimiser.steps = 2, 2, 2
    state.losses[1] = until(painter(quick(clamp=True, average=0.9, colours="content")), 2).losses[1]
    return state


def test_asking_is_noticed() -> None:
    with pytest.raises(AssertionError, match="asks the host"), AsksNothing():  # type: ignore[no-untyped-call]
        float(PIXELS.sum())


@pytest.mark.parametrize("variant", VARIANTS)
def test_bfloat16_is_near_float32_in_terms_and_gradient(variant: str) -> None:
    """Features keep eight bits of mantissa; moments, losses and pixels are float32. A maximum may be another one."""
    recipe = quick(**VARIANTS[variant])
    terms, gradient = objective(recipe)(PIXELS, 0)
    near_terms, near_gradient = objective(recipe, torch.bfloat16)(PIXELS, 0)
    assert near_terms.dtype == near_gradient.dtype == torch.float32
    torch.testing.assert_close(near_terms, terms, rtol=0.02, atol=1e-6)
    assert float((near_gradient - gradient).norm() / gradient.norm()) < (0.25 if recipe.pooling == "max" else 0.05)


@pytest.mark.long
def test_a_painting_in_bfloat16_is_near_that_in_float32() -> None:
    """Within four levels of 255 on average, and its loss within five in a hundred."""
    recipe = quick(size=96, iterations=40, step=4.0, step_end=0.1, clamp=True)
    exact, near = (
        last(Painter(recipe, photo(40, 30, 1), [photo(30, 44, 10)], dtype=dtype))
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert float((near.pixels - exact.pixels).abs().mean()) < 4
    torch.testing.assert_close(near.losses[-1, 0], exact.losses[-1, 0], rtol=0.05, atol=0)
    assert not torch.equal(near.pixels, exact.pixels)
