"""Two well-known style transfers, written anew from their settings, in the ordinary way: autograd, NCHW, fp32.

Settings are theirs, the code is ours. Both look at the picture through the network that is given, whatever theirs was
trained on: what is compared is the loop.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from engine.painting.network import vgg
from engine.recipe.vgg_layers import NAMES, depth, relu_of, starts_block

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
_ROUNDS = 12  # of Newton-Schulz
_MEAN = torch.tensor(vgg.MEAN).view(1, 3, 1, 1) * 255


class Peer(Protocol):
    """One painting at one scale."""

    def step(self) -> None:
        """One iteration."""

    def shown(self) -> Tensor:
        """What a person would see: (1, 3, height, width) in levels, clipped to 0 to 255."""


class Trunk(nn.Module):
    """VGG19 as `nn` modules to relu5_1; returns the features of the layers that the peers look at."""

    def __init__(
        self, convs: vgg.Convs, *, pooling: Literal["average", "max"], gain: float = 1.0, unit: float = 1.0,
        replicate: bool = False,
    ) -> None:  # fmt: skip
        """`gain` multiplies what was pooled, `unit` all features.

        `replicate` repeats the picture's edge where the first conv pads it.
        """
        super().__init__()
        self._gain, self._unit = gain, unit
        self._stack = nn.ModuleDict()
        for name in NAMES[: depth(STYLE_LAYERS)]:
            weight, bias = convs[name]
            if starts_block(name):
                self._stack[name.replace("conv", "pool")] = nn.AvgPool2d(2) if pooling == "average" else nn.MaxPool2d(2)
            padding: Literal["replicate", "zeros"] = "replicate" if replicate and name == NAMES[0] else "zeros"
            conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1, padding_mode=padding)
            conv.weight, conv.bias = (nn.Parameter(part, requires_grad=False) for part in (weight, bias))
            self._stack[name] = conv
            self._stack[relu_of(name)] = nn.ReLU()

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Features by layer, for pixels in levels."""
        x, features = vgg.normalise(pixels), {}
        for name, module in self._stack.items():
            x = module(x)
            if name.startswith("pool") and self._gain != 1:
                x = x * self._gain
            if name in (CONTENT_LAYER, *STYLE_LAYERS):
                features[name] = x * self._unit
        return features


class Wasserstein:
    """crowsonkb/style-transfer-pytorch: Wasserstein-2 distances of normal distributions, Adam, averaged iterates."""

    _LAYER_WEIGHTS = tuple(weight / 341 for weight in (256, 64, 16, 4, 1))

    def __init__(self, convs: vgg.Convs, content: Tensor, style: Tensor, coarser: Wasserstein | None = None) -> None:
        """Pictures are (1, 3, height, width) in levels, on the convs' device.

        It starts from what a `coarser` painting shows, and with the resized moments of its optimiser; without one,
        from the content.
        """
        self._trunk = Trunk(convs, pooling="average", gain=2.0, replicate=True).to(content.device)
        with torch.no_grad():
            self._content = self._trunk(content)[CONTENT_LAYER]
            features = self._trunk(style)
            self._style = [_Normal(features[layer]) for layer in STYLE_LAYERS]
        start = content if coarser is None else _resized(coarser.shown(), content)
        self._image = (start / 255).clamp(0, 1).requires_grad_()
        self._optimiser = torch.optim.Adam([self._image], lr=0.02, betas=(0.9, 0.99))
        for memory in coarser._optimiser.state.values() if coarser else ():
            mean, square = _resized(memory["exp_avg"], content), _resized(memory["exp_avg_sq"], content).clamp_min(0)
            self._optimiser.state[self._image] = memory | {"exp_avg": mean, "exp_avg_sq": square}
        self._average, self._share = torch.zeros_like(content), 1.0

    def step(self) -> None:
        self._optimiser.zero_grad()
        features = self._trunk(self._image * 255)
        loss = 0.015 * F.mse_loss(features[CONTENT_LAYER], self._content)
        for weight, layer, target in zip(self._LAYER_WEIGHTS, STYLE_LAYERS, self._style, strict=True):
            loss = loss + weight * target.distance(features[layer])
        loss = loss + 2.0 * _squared_variation(self._image)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        with torch.no_grad():
            self._image.clamp_(0, 1)
            self._average.lerp_(self._image * 255, 0.01)
        self._share *= 0.99
        loss.item()  # it prints the loss of every iteration

    def shown(self) -> Tensor:
        return self._average / (1 - self._share) if self._share < 1 else self._image.detach() * 255


class NeuralStyle:
    """ProGamerGov/neural-style-pt, after jcjohnson/neural-style: Gram matrices, max pooling, a grey start."""

    def __init__(
        self, convs: vgg.Convs, content: Tensor, style: Tensor, optimiser: Literal["adam", "lbfgs"], seed: int = 0
    ) -> None:
        """Pictures are (1, 3, height, width) in levels, on the convs' device."""
        # Its network takes levels, not levels over their deviation: all its features are so many times larger.
        self._trunk = Trunk(convs, pooling="max", unit=255 * vgg.DEVIATION[1]).to(content.device)
        with torch.no_grad():
            self._content = self._trunk(content)[CONTENT_LAYER]
            features = self._trunk(style)
            self._style = {layer: _gram(features[layer]) for layer in STYLE_LAYERS}
        noise = torch.randn(content.shape, generator=torch.Generator().manual_seed(seed)) * 0.001
        self._image = (noise + _MEAN).to(content.device).requires_grad_()
        self._optimiser: torch.optim.Optimizer
        if optimiser == "adam":
            self._optimiser = torch.optim.Adam([self._image], lr=1.0)
        else:
            # Stopped after each iteration; what it remembers stays, and so does the way it takes.
            self._optimiser = torch.optim.LBFGS(
                [self._image], max_iter=1, history_size=100, tolerance_change=-1, tolerance_grad=-1
            )

    def step(self) -> None:
        self._optimiser.step(self._loss)

    def _loss(self) -> float:
        self._optimiser.zero_grad()
        features = self._trunk(self._image)
        loss = 5.0 * F.mse_loss(features[CONTENT_LAYER], self._content)
        for layer, target in self._style.items():
            loss = loss + 100.0 * F.mse_loss(_gram(features[layer]), target)
        down, right = self._image.diff(dim=2), self._image.diff(dim=3)
        loss = loss + 1e-3 * (down.abs().sum() + right.abs().sum())
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def shown(self) -> Tensor:
        return self._image.detach().clamp(0, 255)


class _Normal:
    """A layer's features as samples of a normal distribution."""

    def __init__(self, features: Tensor) -> None:
        self._mean, self._covariance = _statistics(features)
        values, vectors = torch.linalg.eigh(self._covariance)
        self._root = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T

    def distance(self, features: Tensor) -> Tensor:
        """Wasserstein-2, squared, a filter: |m - m'|^2 + tr(C + C' - 2 (C'^(1/2) C C'^(1/2))^(1/2)), over N."""
        mean, covariance = _statistics(features)
        root: Tensor = _Root.apply(self._root @ covariance @ self._root)
        spread = (covariance + self._covariance - 2 * root).diagonal().mean()
        return (mean - self._mean).square().mean() + spread


class _Root(torch.autograd.Function):
    """A symmetric matrix' square root by Newton-Schulz, its gradient by the like for the Lyapunov equation.

    Lin & Maji (2017), "Improved Bilinear Pooling with CNNs", sections 3.1 and 3.2.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        norm = matrix.norm()
        one = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
        y, z = matrix / norm, one
        for _ in range(_ROUNDS):
            t = (3 * one - z @ y) / 2
            y, z = y @ t, t @ z
        root: Tensor = y * norm.sqrt()
        ctx.save_for_backward(root)
        return root

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (root,) = ctx.saved_tensors
        norm = root.norm()
        three = 3 * torch.eye(len(root), dtype=root.dtype, device=root.device)
        a, q = root / norm, gradient / norm
        for _ in range(_ROUNDS):
            square = a @ a
            q = (q @ (three - square) - a.T @ (a.T @ q - q @ a)) / 2
            a = a @ (three - square) / 2
        result: Tensor = q / 2
        return result


def _statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the filters over the positions; a little is added to keep it positive."""
    flat = features.flatten(2)[0]
    mean = flat.mean(1)
    centred = flat - mean[:, None]
    return mean, centred @ centred.T / flat.shape[1] + 1e-4 * torch.eye(len(flat), device=flat.device)


def _gram(features: Tensor) -> Tensor:
    """F F^T / (N M)."""
    flat = features.flatten(2)[0]
    gram: Tensor = flat @ flat.T / flat.numel()
    return gram


def _squared_variation(image: Tensor) -> Tensor:
    padded = F.pad(image, (0, 1, 0, 1), mode="replicate")
    down = padded[..., 1:, :-1] - padded[..., :-1, :-1]
    right = padded[..., :-1, 1:] - padded[..., :-1, :-1]
    return (down.square() + right.square()).mean()


def _resized(image: Tensor, like: Tensor) -> Tensor:
    resized: Tensor = F.interpolate(image, like.shape[2:], mode="bicubic", align_corners=False)
    return resized
