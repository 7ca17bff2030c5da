"""Stand-in weights that need no download: random orthogonal filters, calibrated on the pictures themselves.

He, Wang, Hopcroft (2016) and Ustyuzhaninov et al. (2016) paint with random networks; the calibration of each layer
to zero mean and unit variance per channel is LSUV's (Mishkin & Matas 2016).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.network import vgg
from engine.recipe.vgg_layers import convs, starts_block

_SEED = 1511  # any fixed number: the networks belong to the recipe, not to a picture's seed


def random_convs(index: int, layers: int, pictures: Sequence[Tensor]) -> vgg.Convs:
    """Network number `index`, `layers` conv layers deep, on the CPU.

    `pictures` are (1, 3, height, width) in levels; each conv's outputs over all of them get zero mean and unit
    variance per channel.
    """
    generator = torch.Generator().manual_seed(_SEED + index)
    inputs = [vgg.normalise(picture) for picture in pictures]
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for name, _, width, _ in convs("vgg19")[:layers]:
        if starts_block(name):
            inputs = [F.avg_pool2d(x, 2) for x in inputs]
        weight = torch.empty(width, inputs[0].shape[1], 3, 3)
        torch.nn.init.orthogonal_(weight, generator=generator)
        outputs = [F.conv2d(x, weight, padding=1) for x in inputs]
        positions = torch.cat([x.flatten(2) for x in outputs], dim=2)
        scale = 1 / positions.std(dim=(0, 2)).clamp_min(1e-4)
        bias = -positions.mean(dim=(0, 2)) * scale
        found[name] = (weight * scale.view(-1, 1, 1, 1), bias)
        inputs = [F.relu(x * scale.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)) for x in outputs]
    return found
