"""The bench compares like with like: its plain loop and ours have the same losses from the same start."""

from __future__ import annotations

import pytest

from benchmarks.bench import Ours, classic, square_pictures
from benchmarks.reference import Reference


def test_the_plain_loop_does_the_same_work() -> None:
    recipe = classic(32)
    content, style = square_pictures(32)
    ours = Ours(recipe, content, style)
    reference = Reference(recipe, content, style, ours.state.pixels)
    for _ in range(4):
        ours.step()
        reference.step()
    assert reference.losses == pytest.approx(ours.state.losses[:4, 0].tolist(), rel=1e-3)
    assert reference.losses[-1] < reference.losses[0]
