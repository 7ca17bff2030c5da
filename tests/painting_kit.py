"""Pictures, weights and recipes small enough to paint within milliseconds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.painting.network import vgg
from engine.painting.painter import Painter
from engine.painting.pictures import pixels_sha256, to_tensor
from engine.painting.state import State
from engine.recipe import vgg_layers
from engine.recipe.recipe import Recipe


def photo(width: int, height: int, seed: int) -> Image.Image:
    """Soft coloured blobs."""
    blobs = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(blobs).resize((width, height), Image.Resampling.BICUBIC)


def levels(width: int, height: int, seed: int) -> Tensor:
    """The same as a tensor (1, 3, height, width)."""
    return to_tensor(photo(width, height, seed))


def random_weights(layers: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> dict[str, tuple[Tensor, Tensor]]:
    """Convs that keep the size of activations, `layers` deep; nothing of the engine's own random weights."""
    generator = torch.Generator().manual_seed(seed)
    convs, channels = {}, 3
    for name, _, width, _ in vgg_layers.convs("vgg19")[:layers]:
        weight = torch.randn(width, channels, 3, 3, generator=generator) * (2 / (9 * channels)) ** 0.5
        bias = torch.randn(width, generator=generator) * 0.1
        convs[name] = (weight.to(dtype), bias.to(dtype))
        channels = width
    return convs


def quick(**fields: Any) -> Recipe:
    """A recipe of three shallow layers at 32 px."""
    shallow: dict[str, Any] = {
        "weights": "random", "size": 32, "iterations": 12, "snapshots": (),
        "content_layers": ("relu2_1",), "style_layers": ("relu1_1", "relu2_1"), "style_layer_weights": (1.0, 2.0),
    }  # fmt: skip
    return Recipe(**(shallow | fields))


def painter(recipe: Recipe, convs: vgg.Convs | None = None, canvas: Image.Image | None = None) -> Painter:
    styles = [photo(30, 44, 10 + i) for i in range(len(recipe.style_weights))]
    return Painter(recipe, photo(40, 30, 1), styles, convs=convs, canvas=canvas)


def last(painter: Painter, state: State | None = None) -> State:
    """The finished painting."""
    return until(painter, None, state)


def until(painter: Painter, stop: int | None, state: State | None = None) -> State:
    """The painting after `stop` iterations."""
    state = state or painter.begin()
    for _ in painter.paint(state, stop):
        pass
    return state


def painted_sha256(recipe: Recipe) -> str:
    own = painter(recipe)
    return pixels_sha256(own.picture(last(own)))


def saved(state: State) -> tuple[dict[str, Tensor], str]:
    """What a checkpoint holds: copies of the tensors, and the numbers as JSON."""
    return {name: tensor.clone() for name, tensor in state.tensors().items()}, json.dumps(state.numbers())


def restored(recipe: Recipe, checkpoint: tuple[dict[str, Tensor], str]) -> State:
    tensors, numbers = checkpoint
    copies = {name: tensor.clone() for name, tensor in tensors.items()}
    return State.restore(recipe, copies, json.loads(numbers), torch.device("cpu"))


def assert_same(one: State, other: State) -> None:
    """Equal in every number and in every bit of every tensor."""
    (tensors, numbers), (other_tensors, other_numbers) = saved(one), saved(other)
    assert numbers == other_numbers
    assert tensors.keys() == other_tensors.keys()
    for name, tensor in tensors.items():
        assert tensor.shape == other_tensors[name].shape, name
        assert tensor.numpy().tobytes() == other_tensors[name].numpy().tobytes(), name
