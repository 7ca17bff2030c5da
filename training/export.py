"""The student as the engine reads it: safetensors in half precision, as loud as the teacher in every layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from engine.painting.network import vgg
from engine.recipe.layers import NAMES
from training.student import Student
from training.teacher import Teacher


@torch.no_grad()
def levelled(student: Student, teacher: Teacher, crops: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of each layer, scaled so that its mean activation on the crops is that of the teacher's.

    `crops` are (n, 3, side, side) in levels. Each layer is scaled as a whole, filters and biases; rectification and
    pooling pass a factor on, so that nothing else changes. Recipes' weights then mean what they mean with the teacher.
    """
    wanted, features = teacher(crops, list(student.convs)), student(crops)
    convs, before = {}, 1.0
    for name, (weight, bias) in student.tensors().items():
        factor = float(wanted[name].double().mean() / features[name].double().mean())
        convs[name] = (weight * (factor / before), bias * factor)
        before = factor
    return convs


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
