"""The student as the engine reads it: safetensors in half precision, with losses as large as the teacher's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from engine.painting import vgg
from engine.painting.layers import NAMES
from training.losses import GRAM_LAYERS
from training.student import Student
from training.teacher import Teacher


@torch.no_grad()
def levelled(student: Student, teacher: Teacher, crops: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of each layer, scaled so that losses are as large as with the teacher, with max pooling.

    `crops` are (n, 3, side, side) in levels; what is compared is how much they differ from one another. Each layer is
    scaled as a whole, filters and biases; rectification and pooling pass a factor on, so that nothing else changes.
    Recipes' weights then mean what they mean with the teacher.
    """
    wanted, features = teacher(crops, list(student.convs), "max"), student(crops, "max")
    convs, before = {}, 1.0
    for name, (weight, bias) in student.tensors().items():
        factor = loudness(name, wanted[name]) / loudness(name, features[name])
        convs[name] = (weight * (factor / before), bias * factor)
        before = factor
    return convs


def loudness(name: str, features: Tensor) -> float:
    """By what factor the features (n, filters, h, w) of a layer are larger than those whose losses are of size one.

    In layers that styles are compared in the loss grows with the factor's fourth power (Gram matrices), else with its
    square (content). The loss is that of each crop compared with the next one.
    """
    x = features.double().flatten(2)
    if name not in GRAM_LAYERS:
        return float((x - x.roll(1, 0)).square().mean() ** (1 / 2))
    grams = x @ x.transpose(1, 2) / x.shape[2]
    return float((grams - grams.roll(1, 0)).square().mean() ** (1 / 4))


def write(convs: vgg.Convs, path: Path, metadata: Mapping[str, str]) -> None:
    """`conv1_1.weight`, `conv1_1.bias` and so on in half precision; the file is whole at every moment."""
    tensors = {
        f"{name}.{kind}": tensor.half().contiguous()
        for name, pair in convs.items()
        for kind, tensor in zip(("weight", "bias"), pair, strict=True)
    }
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise ValueError("A weight does not fit half precision.")
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(safetensors.torch.save(tensors, dict(metadata)))
    draft.replace(path)


def read(path: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """What `write` wrote, in float32."""
    tensors = safetensors.torch.load_file(path)
    names = [name for name in NAMES if f"{name}.weight" in tensors]
    return {name: (tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float()) for name in names}
