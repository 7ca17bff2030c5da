"""Recorded iterations: the same as unrecorded ones to the last bit, whoever used the graph before.

A processor records nothing. What stands here for a CUDA graph is as strict in what counts: it works on the tensors that
it was recorded with and on no others, and gives the same tensors each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from painting_kit import assert_same, last, photo, quick, restored, saved, until
from torch import Tensor

from engine.painting.cuda.graphs import Graphs, Unrecordable
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.recipe.recipe import Recipe

RECIPES = {
    "adam": quick(clamp=True, average=0.9),
    "scales": quick(size=48, iterations=11, scales=2, average=0.8, step_end=0.2),
    "networks take turns": quick(networks=3),
    "covariance, octaves": quick(statistic="covariance", octaves=2, total_variation=2.0, size=64),
    "bounds": quick(total_variation=2.0, variation_ceiling=5.0, style_floor=8.0, style_ceiling=9.0),
    "the content's colours": quick(colours="content"),
    "rolled back": quick(step=255.0, iterations=40),
    "lbfgs": quick(optimiser="lbfgs", step=1.0, start="noise", noise=1.0, average=0.5),
    "lbfgs, rolled back": quick(iterations=14, step=20.0, snapshots=(1, 5), optimiser="lbfgs"),
    "two styles": quick(style_weights=(1.0, 2.0)),
}
recipes = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


class Recorder:
    """Notes how often it recorded."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        self.count += 1
        work()
        found = work()
        fixed = found if isinstance(found, tuple) else (found,)

        def replay() -> None:
            again = work()
            again = again if isinstance(again, tuple) else (again,)
            for own, new in zip(fixed, again, strict=True):
                own.copy_(new)

        return replay, found


def painter(recipe: Recipe, seed: int = 1, graphs: Graphs | None = None, **more: Any) -> Painter:
    styles = [photo(30, 44, 10 * seed + i) for i in range(len(recipe.style_weights))]
    return Painter(recipe, photo(40, 30, seed), styles, graphs=graphs, **more)


@recipes
def test_recorded_it_is_the_same_to_the_last_bit(recipe: Recipe) -> None:
    recorder = Recorder()
    assert_same(last(painter(recipe, graphs=Graphs(recorder))), last(painter(recipe)))
    assert recorder.count == recipe.networks * recipe.scales


@recipes
def test_another_painting_of_the_same_kind_uses_what_was_recorded(recipe: Recipe) -> None:
    recorder = Recorder()
    graphs = Graphs(recorder)
    last(painter(recipe, graphs=graphs))
    recorded = recorder.count
    other = Recipe.from_dict(
        recipe.as_dict()
        | {"seed": 7, "beta": 2 * recipe.beta, "name": "other", "iterations": recipe.iterations + 2, "step": 1.5}
        | {"start": "style", "noise": 0.2, "match_luminance": recipe.colours == "style", "snapshots": (3,)}
        | {name: getattr(recipe, name) / 2 for name in ("style_floor", "style_ceiling", "variation_ceiling")}
    )
    assert_same(last(painter(other, seed=2, graphs=graphs)), last(painter(other, seed=2)))
    assert recorder.count == recorded


def test_sequences_too() -> None:
    recipe = quick(size=48, iterations=6, scales=2, frame_iterations=4).sequence(3)
    frames = [photo(48, 36, 1) for _ in range(3)]
    for number, picture in enumerate(frames):
        picture.paste((230, 40, 20), (2 + 8 * number, 4, 8 + 8 * number, 10))
    first, *further = frames
    one, other = (
        last(Painter(recipe, first, [photo(30, 44, 10)], frames=further, graphs=graphs))
        for graphs in (Graphs(Recorder()), None)
    )
    assert_same(one, other)


@pytest.mark.parametrize(
    "fields", [{"size": 48}, {"total_variation": 1.0}, {"average": 0.5}, {"pooling": "max"}], ids=str
)
def test_a_painting_of_another_kind_does_not(fields: dict[str, Any]) -> None:
    recorder = Recorder()
    graphs = Graphs(recorder)
    last(painter(quick(), graphs=graphs))
    assert_same(last(painter(quick(**fields), graphs=graphs)), last(painter(quick(**fields))))
    assert recorder.count == 2


def test_two_paintings_side_by_side_do_not_touch_each_other() -> None:
    graphs, recipe = Graphs(Recorder()), quick()
    ours = [painter(recipe, seed, graphs=graphs) for seed in (1, 2)]
    states = [own.begin() for own in ours]
    loops = [own.paint(state) for own, state in zip(ours, states, strict=True)]
    for _ in range(recipe.iterations):
        for loop in loops:
            next(loop)
    for loop in loops:
        assert next(loop, None) is None
    for seed, state in enumerate(states, 1):
        assert_same(state, last(painter(recipe, seed)))


def test_two_states_of_one_painter_do_not_touch_each_other() -> None:
    own, recipe = painter(quick(), graphs=Graphs(Recorder())), quick()
    states = [own.begin(), own.begin()]
    loops = [own.paint(state) for state in states]
    for _ in range(recipe.iterations):
        for loop in loops:
            next(loop)
    for state in states:
        assert_same(state, last(painter(recipe)))


def test_a_painting_that_was_stopped_keeps_its_own() -> None:
    graphs, recipe = Graphs(Recorder()), quick(average=0.9)
    stopped = until(painter(recipe, graphs=graphs), 5)
    before = saved(stopped)
    last(painter(recipe, seed=2, graphs=graphs))
    assert_same(stopped, restored(recipe, before))
    assert_same(last(painter(recipe, graphs=graphs), stopped), last(painter(recipe)))


@pytest.mark.parametrize(
    "recipe",
    [quick(), quick(weights="random", networks=2), quick(size=48, iterations=12, scales=2), RECIPES["lbfgs"]],
    ids=["shared weights", "weights for its pictures", "scales", "lbfgs"],
)
def test_a_painter_goes_on_although_another_one_used_its_graph(recipe: Recipe) -> None:
    """As a worker's warm sessions do, whose jobs take turns."""
    graphs = Graphs(Recorder())
    ours = [painter(recipe, seed, graphs=graphs) for seed in (1, 2)]
    states = [own.begin() for own in ours]
    for stop in (3, 5, 8, None):
        for own, state in zip(ours, states, strict=True):
            for _ in own.paint(state, stop):
                pass
    for seed, state in enumerate(states, 1):
        assert_same(state, last(painter(recipe, seed)))


def test_pictures_that_only_the_targets_cannot_tell_apart_have_graphs_of_their_own() -> None:
    """Thirty rows and thirty-one are fifteen in the second block."""
    recipe, recorder = (
        quick(content_layers=("relu2_1",), style_layers=("relu2_1",), style_layer_weights=(1.0,)),
        Recorder(),
    )
    graphs = Graphs(recorder)
    for rows in (30, 31):
        pair = photo(32, rows, 1), [photo(30, 44, 10)]
        assert_same(last(Painter(recipe, *pair, graphs=graphs)), last(Painter(recipe, *pair)))
    assert recorder.count == 2


def test_a_device_that_refuses_costs_no_painting() -> None:
    def refuse(_: Callable[[], Any]) -> Any:
        raise Unrecordable("on order")

    with pytest.warns(UserWarning, match="painted without: on order"):
        state = last(painter(quick(), graphs=Graphs(refuse)))
    assert_same(state, last(painter(quick())))


def test_recordings_give_their_memory_for_a_painting_that_needs_it() -> None:
    """And only then is that painted in strips."""
    recorder, asked = Recorder(), list[int]()

    def record(work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        asked.append(1)
        if len(asked) == 2:
            raise torch.OutOfMemoryError("on order")
        return recorder(work)

    graphs = Graphs(record)
    last(painter(quick(), graphs=graphs))
    state = last(painter(quick(size=48), graphs=graphs))
    assert (len(asked), state.rows) == (3, None)
    assert_same(state, last(painter(quick(size=48))))


@pytest.mark.long
def test_what_does_not_fit_even_then_is_painted_in_strips() -> None:
    def short(_: Callable[[], Any]) -> Any:
        raise torch.OutOfMemoryError("on order")

    recipe = quick(size=256, iterations=4)
    state = last(painter(recipe, graphs=Graphs(short)))
    assert state.rows == 96
    torch.testing.assert_close(state.losses, last(painter(recipe)).losses, rtol=1e-3, atol=1e-5)


def test_losses_are_those_of_their_own_iteration() -> None:
    """A recording gives the same tensor each time: what it held must have been copied."""
    state: State = last(painter(quick(), graphs=Graphs(Recorder())))
    totals: Tensor = state.losses[:, 0]
    assert len(set(totals.tolist())) == len(totals)
