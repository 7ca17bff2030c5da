"""The bench compares like with like: its plain loop and ours have the same losses from the same start."""

from __future__ import annotations

import pytest

from benchmarks.bench import Ours, classic, plain_loop, square_pictures


@pytest.mark.long
def test_the_plain_loop_does_the_same_work() -> None:
    recipe = classic(32)
    content, style = square_pictures(32)
    ours = Ours(recipe, content, style)
    plain = plain_loop(recipe, content, style, ours.state.pixels)
    losses = [next(plain) for _ in range(4)]
    for _ in range(4):
        ours.step()
    assert losses == pytest.approx(ours.state.losses[:4, 0].tolist(), rel=1e-3)
    assert losses[-1] < losses[0]
