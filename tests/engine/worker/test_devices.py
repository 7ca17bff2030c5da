"""Devices as people name them."""

from __future__ import annotations

import pytest
import torch

from engine.contract.settings import SettingsError
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
    ],
)
def test_what_is_no_device_is_a_wrong_setting(wanted: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        choose_device(wanted)


def test_a_gpu_may_come_back_where_pytorch_can_use_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    with pytest.raises(RecipeError, match="CUDA devices are usable here"):
        choose_device("cuda:77")
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    with pytest.raises(SettingsError, match="PyTorch was built without CUDA here"):
        choose_device("cuda:77")


def test_an_apple_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="no Apple GPU"):
        choose_device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == "mps"
