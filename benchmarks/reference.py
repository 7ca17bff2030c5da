"""The same objective written the ordinary way: `nn.Sequential`, autograd, `torch.optim.Adam`.

Layer weights are those that `engine.painting.objective` documents: a layer with mean activation u weighs 1 / u^2 in the
content loss and 1 / u^4 in the style loss.
"""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor, nn

from engine.painting import pictures
from engine.painting.network import vgg
from engine.painting.network.calibration import calibrated
from engine.painting.network.random_weights import random_convs
from engine.recipe.recipe import Recipe
from engine.recipe.vgg_layers import depth, starts_block

_CALIBRATED_AT = 256  # px, as the painter's random network


class Trunk(nn.Module):
    """VGG19 in NCHW up to the deepest layer asked for; returns the features of the layers asked for."""

    def __init__(self, convs: vgg.Convs, layers: tuple[str, ...]) -> None:
        super().__init__()
        self.layers = layers
        self.stack = nn.Sequential()
        for name, (weight, bias) in convs.items():
            if starts_block(name):
                self.stack.add_module(name.replace("conv", "pool"), nn.AvgPool2d(2))
            conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
            conv.weight, conv.bias = (nn.Parameter(part, requires_grad=False) for part in (weight, bias))
            self.stack.add_module(name, conv)
            self.stack.add_module(name.replace("conv", "relu"), nn.ReLU())

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Features by layer, for pixels in levels."""
        x, features = vgg.normalise(pixels), {}
        for name, module in self.stack.named_children():
            x = module(x)
            if name in self.layers:
                features[name] = x
        return features


class Reference:
    """A plain style transfer of one picture at one scale; `losses` holds the total before each step."""

    def __init__(self, recipe: Recipe, content: Image.Image, style: Image.Image, start: Tensor) -> None:
        layers = (*recipe.content_layers, *recipe.style_layers)
        side = min(recipe.size, _CALIBRATED_AT)
        calibration = [pictures.to_tensor(pictures.fit(picture, side)) for picture in (content, style)]
        with torch.no_grad():
            self._trunk = Trunk(calibrated(random_convs(0, depth(layers), calibration)), layers)
            targets = [
                self._trunk(pictures.to_tensor(pictures.fit(picture, recipe.size))) for picture in (content, style)
            ]
        self._content = {name: (recipe.alpha, f) for name, f in targets[0].items() if name in recipe.content_layers}
        self._style = {
            name: (recipe.beta * weight, gram(targets[1][name]))
            for name, weight in zip(recipe.style_layers, recipe.style_layer_weights, strict=True)
        }
        self._pixels = start.clone().requires_grad_()
        self._optimiser = torch.optim.Adam([self._pixels], lr=recipe.step, betas=(recipe.beta1, recipe.beta2))
        self.losses: list[float] = []

    def step(self) -> None:
        """One iteration."""
        self._optimiser.zero_grad()
        features = self._trunk(self._pixels)
        content = sum(weight * nn.functional.mse_loss(features[name], f) / 4
                      for name, (weight, f) in self._content.items())  # fmt: skip
        style = sum(weight * nn.functional.mse_loss(gram(features[name]), g) / 4
                    for name, (weight, g) in self._style.items())  # fmt: skip
        loss = torch.as_tensor(content + style)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self.losses.append(loss.item())


def gram(features: Tensor) -> Tensor:
    """F F^T over the positions."""
    flat = features.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]
