"""Whose input a file's weights expect: told from their numbers, and Caffe's converted.

No pretrained file can come along, so these are made with the sizes that the published ones have, layer by layer: of
Caffe's VGG16 as its file was measured, of torchvision's as it begins, He's start at random.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import torch
from torch.nn.functional import conv2d
from torchvision_files import saved

from engine.painting.network.vgg import Convs, normalise
from engine.recipe.vgg_layers import NAMES
from engine.worker.weights.input_normalisation import Input, for_torchvision, guess
from engine.worker.weights.named_weights import in_words, load_weights
from engine.worker.weights.weights_file import load_file

WIDTHS = (64, 64, 128, 128, 256, 256, 256)
LAYERS = NAMES[: len(WIDTHS)]
CAFFE_FILTERS = (0.207, 0.0425, 0.0322, 0.0235, 0.0174, 0.0123, 0.0127)
CAFFE_BIASES = (0.60, 0.34, 0.165, 0.19, 0.073, 0.084, 0.087)
"""Root mean squares, conv1_1 to conv3_3."""


def network(filters: tuple[float, ...], biases: tuple[float, ...], widths: tuple[int, ...] = WIDTHS) -> Convs:
    generator, convs, inputs = torch.Generator().manual_seed(1), {}, 3
    for name, width, size, shift in zip(LAYERS, widths, filters, biases, strict=True):
        weight = size * torch.randn(width, inputs, 3, 3, generator=generator)
        convs[name] = weight, shift * torch.randn(width, generator=generator)
        inputs = width
    return convs


def caffe() -> Convs:
    return network(CAFFE_FILTERS, CAFFE_BIASES)


def published() -> Convs:
    """With the biases that Caffe's VGG16 and VGG19 begin with."""
    convs = caffe()
    convs["conv1_1"][1][:4] = torch.tensor((0.730, 0.065, 0.034, 0.826))
    return convs


def times(convs: Convs, factor: float) -> Convs:
    """The same network with all activations multiplied."""
    return {n: (w * factor if n == "conv1_1" else w, b * factor) for n, (w, b) in convs.items()}


def folded(convs: Convs) -> Convs:
    return {**convs, "conv1_1": for_torchvision(*convs["conv1_1"])}


def he(widths: tuple[int, ...] = WIDTHS, *, gain: float = 1.0) -> Convs:
    """Begun at random after He, with biases as torchvision's have; or with another gain."""
    fans = [9 * inputs for inputs in (3, *widths[:-1])]
    return network(tuple(gain * (2 / fan) ** 0.5 for fan in fans), (0.5, *[0.2] * (len(widths) - 1)), widths)


SLIM = tuple(width // 2 for width in WIDTHS)
CASES: dict[str, tuple[Convs, Input]] = {
    "Caffe's": (caffe(), "caffe"),
    "Caffe's, in half precision": ({n: (w.half().float(), b.half().float()) for n, (w, b) in caffe().items()}, "caffe"),
    "Caffe's, trained on": (times(caffe(), 1.1), "caffe"),
    "Caffe's, its first layers alone": (dict(list(published().items())[:2]), "caffe"),
    "Caffe's, activations scaled to one": (times(caffe(), 1 / 22), "caffe"),
    "Caffe's, folded already": (folded(caffe()), "torchvision"),
    "Caffe's, folded, activations as torchvision's": (times(folded(caffe()), 1 / 58), "torchvision"),
    "torchvision's": (he(), "torchvision"),
    "torchvision's, a little smaller": (he(gain=0.75), "torchvision"),
    "slim": (he(SLIM), "torchvision"),
    "slim, as PyTorch begins": (he(SLIM, gain=0.41), "torchvision"),
    "one layer": (dict(list(he().items())[:1]), "torchvision"),
    "nothing": (times(caffe(), 0), "torchvision"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_tell(case: str) -> None:
    convs, expected = CASES[case]
    assert guess(convs) == expected


def test_a_published_name_tells_too_but_not_against_the_numbers() -> None:
    assert guess(he(), "vgg19-d01eb7cb.pth") == guess(he(), "vgg16-00b39a1b.safetensors") == "caffe"
    assert guess(caffe(), "vgg19-dcbb9e9d.pth") == "torchvision"
    assert guess(folded(caffe()), "vgg19-d01eb7cb.pth") == "torchvision"


def test_a_converted_layer_answers_to_torchvisions_input_as_it_did_to_caffes() -> None:
    weight, bias = caffe()["conv1_1"]
    pixels = 255 * torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(2))
    bgr = pixels.flip(1) - torch.tensor((103.939, 116.779, 123.68)).view(1, 3, 1, 1)
    own = conv2d(bgr, weight, bias, padding=1)
    weight, bias = for_torchvision(weight, bias)
    converted = conv2d(normalise(pixels), weight, bias, padding=1)
    inside = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(converted[inside], own[inside], rtol=1e-4, atol=1e-3)
    # Around the picture the zeros stand for another mean colour, half a level away.
    assert float((converted - own).abs().max()) < 0.02 * float(own.abs().max())


def test_a_file_says_what_it_was_taken_for_and_can_be_told(tmp_path: Path) -> None:
    path = saved({f"{n}.{k}": t for n, pair in caffe().items() for k, t in zip(("weight", "bias"), pair, strict=True)},
                 tmp_path / "mine.pth")  # fmt: skip
    taken = load_weights(str(path), tmp_path)
    assert (taken.input, load_file(path).input) == ("caffe", "caffe")
    assert "Caffe's input (BGR, 0 to 255)" in taken.note
    assert "Caffe's input (BGR, 0 to 255)" in in_words(taken)
    assert taken.convs is not None
    assert torch.equal(taken.convs["conv1_1"][0], for_torchvision(*caffe()["conv1_1"])[0])
    assert torch.equal(taken.convs["conv1_2"][0], caffe()["conv1_2"][0])

    told = load_weights(str(path), tmp_path, input_="torchvision")
    assert told.convs is not None
    assert torch.equal(told.convs["conv1_1"][0], caffe()["conv1_1"][0])
    assert "torchvision's input (RGB, normalised)" in told.note
    assert {load_weights(str(path), tmp_path, input_=input_).name for input_ in get_args(Input)} == {
        taken.name,
        told.name,
    }
    assert taken != told
