"""The student as the engine reads it: safetensors in half precision, with losses as large as the teacher's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import safetensors.torch
import torch
from torch import Tensor, nn

from engine.painting.network import vgg
from engine.recipe.vgg_layers import NAMES
from training.losses import GRAM_LAYERS
from training.student import Learner
from training.teacher import Teacher


@torch.no_grad()
def levelled(learner: Learner, teacher: Teacher, crops: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of each layer, scaled so that losses are as large as with the teacher, with max pooling.

    `crops` are (n, 3, side, side) in levels; what is compared is how much they differ from one another. First each
    filter that a map reads is multiplied by the length of what the map makes of it, so that it weighs in a loss as
    much as it tells of the teacher's features; then each layer as a whole. Rectification and pooling pass a factor on,
    and the next layer's weights take it back, so that nothing else changes.
    """
    names = list(learner.student.convs)
    wanted, features = teacher(crops, names, "max"), learner.student(crops, "max")
    convs, before = {}, torch.ones(3)
    for name, (weight, bias) in learner.student.tensors().items():
        factors = _lengths(learner, name) if name in learner.maps else torch.ones(len(bias))
        own = features[name] * factors.to(crops.device)[:, None, None]
        factors = factors * (loudness(name, wanted[name]) / loudness(name, own))
        convs[name] = (weight * factors[:, None, None, None] / before[:, None, None], bias * factors)
        before = factors
    return convs


def _lengths(learner: Learner, name: str) -> Tensor:
    """Of the map's column for each filter; those of filters that tell next to nothing are a tenth of the median."""
    lengths: Tensor = torch.linalg.vector_norm(
        cast(nn.Conv2d, learner.maps[name]).weight.detach().cpu().flatten(1), dim=0
    )
    return lengths.clamp_min(0.1 * float(lengths.median()))


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
