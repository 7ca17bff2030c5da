"""What a network is computed in: on processors with AMX in bfloat16, and what is painted so ends as near."""

from __future__ import annotations

import pytest
import torch
from painting_kit import photo

from engine.painting.network import networks
from engine.painting.painter import Painter
from engine.recipe.presets import preset
from engine.worker.weights.named_weights import STARTER
from engine.worker.weights.weights_file import load_file

CPU = torch.device("cpu")


def test_who_computes_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    assert networks.fastest(CPU, preset("fine")) == torch.bfloat16
    assert networks.fastest(CPU, preset("classic", weights="starter")) == torch.bfloat16
    assert networks.fastest(CPU, preset("fine", weights="random")) == torch.float32
    assert networks.fastest(torch.device("mps"), preset("fine")) == torch.float32
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": False}, raising=False)
    assert networks.fastest(CPU, preset("fine")) == torch.float32


def test_where_torch_does_not_tell_nothing_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert networks.fastest(CPU, preset("fine")) == torch.float32


@pytest.mark.long
@pytest.mark.parametrize("name", ["fine", "gatys", "classic"])
def test_what_is_painted_in_bfloat16_ends_as_near(name: str) -> None:
    """It needs no AMX: without, the same numbers come more slowly."""
    recipe = preset(name, weights="starter", size=64, iterations=40)
    convs = load_file(STARTER, "torchvision").convs
    ends = []
    for dtype in (torch.bfloat16, torch.float32):
        painter = Painter(recipe, photo(64, 48, 1), [photo(64, 64, 2)], convs=convs, dtype=dtype)
        *_, state = painter.paint(painter.begin())
        ends.append(float(state.losses[-1, 0]))
    assert ends[0] == pytest.approx(ends[1], rel=0.1)
