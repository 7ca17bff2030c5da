"""Style transfer in plain PyTorch (Gatys, Ecker and Bethge 2016): read this first.

The engine paints the same picture faster, in less memory, and so that it can be stopped and gone on with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.nn import functional

Convs = Mapping[str, tuple[Tensor, Tensor]]
"""VGG's convolutions in their order, conv1_1 to the deepest that is asked for: weight (N, C, 3, 3) and bias (N)."""

_MEAN, _DEVIATION = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def features(pixels: Tensor, convs: Convs) -> dict[str, Tensor]:
    """What VGG sees in pixels (1, 3, height, width), 0 to 255: by layer, such as relu4_2, (1, N, height, width)."""
    x, seen = (pixels / 255 - _MEAN) / _DEVIATION, dict[str, Tensor]()
    for name, (weight, bias) in convs.items():
        if seen and name.endswith("_1"):
            x = functional.avg_pool2d(x, 2)
        x = functional.relu(functional.conv2d(x, weight, bias, padding=1))
        seen[name.replace("conv", "relu")] = x
    return seen


def gram(layer: Tensor) -> Tensor:
    """F F^T over the M positions of features (1, N, height, width), divided by M (eq. 3)."""
    flat = layer.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def paint(
    convs: Convs, content: Tensor, style: Tensor, start: Tensor, *,
    content_layer: str, style_layers: Mapping[str, float], alpha: float, beta: float, step: float,
) -> Iterator[tuple[Tensor, float]]:  # fmt: skip
    """Without end: the pixels, painted over in place from `start` on, and the loss that they had before this step.

    The pictures are (1, 3, height, width), 0 to 255; `style_layers` holds the weight of each.
    """
    with torch.no_grad():
        photograph = features(content, convs)[content_layer]
        grams = {name: gram(layer) for name, layer in features(style, convs).items() if name in style_layers}

    def loss_of(pixels: Tensor) -> Tensor:
        seen, mse = features(pixels, convs), functional.mse_loss
        content_loss = mse(seen[content_layer], photograph) / 4  # eq. 1, per position and filter
        style_loss = torch.stack([w * mse(gram(seen[name]), grams[name]) / 4 for name, w in style_layers.items()]).sum()
        return alpha * content_loss + beta * style_loss  # eq. 7

    pixels = start.clone().requires_grad_()
    adam = torch.optim.Adam([pixels], lr=step)
    while True:
        adam.zero_grad()
        loss = loss_of(pixels)
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        yield pixels, loss.item()
