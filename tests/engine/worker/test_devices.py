"""Devices as people name them."""

from __future__ import annotations

import pytest
import torch

from engine.recipe.recipe import RecipeError
from engine.worker.device import choose_device


def test_the_processor_is_always_there() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("toaster", "There is no device toaster"),
        ("meta", "There is no device meta"),
        ("cuda:77", "CUDA devices are usable here"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(wanted: str, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        choose_device(wanted)


def test_an_apple_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(RecipeError, match="no Apple GPU"):
        choose_device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == "mps"
