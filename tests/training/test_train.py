"""The training itself, a step of it: what it keeps is the network that was trained, in the engine's own form."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from engine.painting.vgg import VGG19, normalise
from training.network import Trunk, begin_from, folded, whiten
from training.optimisers import Adam, Muon, orthogonal
from training.sources import draw_sources
from training.train import Convs, Plan, read, train, write

CPU = torch.device("cpu")


def test_a_step_keeps_weights_in_half_precision_that_went_through_the_training(tmp_path: Path) -> None:
    sources = draw_sources(1, textures=4, drawings=0)
    kept: list[Convs] = []
    lines = list(train(sources, Plan(1e-9, last="conv2_2", side=16, pairs=9), CPU, kept.append))
    assert len(lines) == len(kept) == 1
    write(kept[0], tmp_path / "weights.safetensors")
    tensors = load_file(tmp_path / "weights.safetensors")
    assert {t.dtype for t in tensors.values()} == {torch.float16}
    assert all(t.isfinite().all() for t in tensors.values())
    assert set(tensors) == {f"conv{n}.{kind}" for n in ("1_1", "1_2", "2_1", "2_2") for kind in ("weight", "bias")}
    again = read(tmp_path / "weights.safetensors")
    torch.testing.assert_close(again["conv2_2"][0], kept[0]["conv2_2"][0], rtol=1e-3, atol=1e-4)


def test_the_folded_network_sees_what_the_trained_one_sees_up_to_one_factor_a_layer() -> None:
    torch.manual_seed(0)
    trunk = Trunk("conv3_1")
    for name in trunk.layers:
        torch.nn.init.uniform_(trunk.at(name)[1].weight, 0.5, 1.5)
        torch.nn.init.normal_(trunk.at(name)[1].bias)
    pixels = torch.rand(1, 3, 48, 48) * 255
    names = ["conv1_1", "conv2_2", "conv3_1"]
    with torch.no_grad():
        trained = trunk(pixels, names)
        network = VGG19(folded(trunk, pixels), pooling="average", device=CPU)
        for name in names:
            relu = name.replace("conv", "relu")
            seen = network(pixels, [relu])[relu]
            assert abs(float(seen.mean()) - 1) < 1e-3
            torch.testing.assert_close(seen, trained[name] / trained[name].mean(), rtol=0.02, atol=0.02)


def test_a_training_can_begin_from_weights_that_were_kept(tmp_path: Path) -> None:
    torch.manual_seed(0)
    pixels = torch.rand(4, 3, 32, 32) * 255
    convs = folded(Trunk("conv2_2"), pixels)
    write(convs, tmp_path / "kept.safetensors")
    trunk = Trunk("conv2_2")
    begin_from(trunk, read(tmp_path / "kept.safetensors"), pixels)
    again = folded(trunk, pixels)
    for name in trunk.layers:
        for one, other in zip(again[name], convs[name], strict=True):
            assert (one - other).norm() < 0.01 * other.norm() + 0.01


def test_the_first_layer_sees_colours_about_as_loudly_as_light() -> None:
    torch.manual_seed(0)
    light, colour = torch.randn(8, 1, 24, 24) * 60, torch.randn(8, 3, 24, 24) * 12  # as little as there is in pictures
    pixels = 128 + light + colour
    trunk = Trunk("conv1_1")
    whiten(trunk, pixels)
    with torch.no_grad():
        conv, _ = trunk.at("conv1_1")
        loud = conv(normalise(128 + light.expand(-1, 3, -1, -1))).var()
        quiet = conv(normalise(128 + colour)).var()
    assert quiet > loud / 4
    assert torch.equal(conv.weight[:32], -conv.weight[32:])


def test_adam_finds_the_bottom_of_a_bowl() -> None:
    at = torch.tensor([3.0, -200.0], requires_grad=True)
    adam = Adam([at])
    for step in range(400):
        at.grad = 2 * (at.detach() - 1) * torch.tensor([1.0, 1e-3])
        adam.step(2.0 * (1 - step / 400))
    assert (at - 1).abs().max() < 1


def test_muon_moves_at_right_angles_and_keeps_the_length() -> None:
    torch.manual_seed(0)
    assert all(0.6 < value < 1.3 for value in torch.linalg.svdvals(orthogonal(torch.randn(12, 40))).tolist())
    weight = torch.randn(8, 4, 3, 3, requires_grad=True)
    before = weight.detach().clone()
    weight.grad = torch.randn(8, 4, 3, 3)
    Muon([weight]).step(0.1)
    assert torch.isclose(weight.norm(), before.norm())
    assert 0.05 < float((weight.detach() - before).norm() / before.norm()) < 0.15
