"""What a painter paints from: contents, styles and masks as pictures, brought to the size of a scale; on the CPU."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.painting import patches, pictures
from engine.painting.motion import ContentFrames, resized
from engine.painting.network import vgg
from engine.painting.smoothing import smooth
from engine.painting.targets import Masks
from engine.recipe.recipe import Recipe, RecipeError


class Sources:
    """Pictures are (1, 3, height, width) in levels, sizes the longest side in px, frames counted from 0."""

    def __init__(
        self, recipe: Recipe, contents: Sequence[Image.Image], styles: Sequence[Image.Image], *,
        canvas: Image.Image | None, masks: tuple[Sequence[Image.Image], Sequence[Image.Image]],
    ) -> None:  # fmt: skip
        """`masks`: of the content, and of the styles. Raises `RecipeError` where they do not suit the recipe."""
        if len(styles) != len(recipe.style_weights):
            raise RecipeError(f"The recipe weighs {len(recipe.style_weights)} styles, but {len(styles)} were given.")
        if len(contents) != recipe.frames:
            raise RecipeError(f"The recipe is for {recipe.frames} frames, but {len(contents)} were given.")
        if recipe.start == "picture" and canvas is None:
            raise RecipeError("This recipe starts from a picture, which was not given.")
        for part in masks:
            recipe.check_masks(len(part))
            if not all(mask.convert("L").getbbox() for mask in part):
                raise RecipeError("A mask is black all over: paint white where its style is to apply.")
        self._recipe, self._styles, self._canvas = recipe, list(styles), canvas
        self._frames = ContentFrames(contents, recipe.size)
        self._masks = masks
        self.grey = recipe.colours == "content" or self._is_colourless()
        """Whether only luminance is painted: the network leaves coloured fringes where no picture has any colour."""

    def size(self, side: int) -> tuple[int, int]:
        """(width, height) of the painting."""
        return pictures.fitted_size(self._frames.pictures[0].size, side)

    def content(self, side: int, frame: int = 0) -> Image.Image:
        """A frame of the content as it came, before its light and colours are matched."""
        return pictures.fit(self._frames.pictures[frame], side)

    def at(self, side: int, frame: int = 0) -> tuple[Tensor, list[Tensor]]:
        """A frame and the styles, in the light and colours that they are looked at in."""
        styles = [
            pictures.to_tensor(pictures.fit(style, max(1, round(side * self._recipe.style_scale))))
            for style in self._styles
        ]
        content = pictures.to_tensor(self.content(side, frame))
        if self.grey:
            content, styles = pictures.grey(content), [pictures.grey(style) for style in styles]
        masks: Sequence[Tensor | None] = _fitted(self._masks[1], styles) or [None] * len(styles)
        masked = list(zip(styles, masks, strict=True))
        if self._recipe.colours == "content":
            styles = [pictures.match_luminance(style, content, weight=mask) for style, mask in masked]
        elif self._recipe.colours == "matched":
            styles = [pictures.match_colours(style, content, weight=mask) for style, mask in masked]
        elif self._recipe.match_luminance:
            content = pictures.match_luminance(content, styles[0], like_weight=masks[0])
        return content, styles

    def _is_colourless(self) -> bool:
        """Whether nothing that gives the painting its colours has any."""
        begun = [self._canvas] if self._canvas is not None and self._recipe.start == "picture" else []
        styles = [] if self._recipe.colours == "matched" else self._styles
        return all(map(pictures.is_colourless, (*self._frames.pictures, *styles, *begun)))

    def masks(self, content: Tensor, styles: Sequence[Tensor]) -> Masks:
        """Every mask as large as its picture."""
        over, of = self._masks
        return Masks(_fitted(over, [content] * len(styles)), _fitted(of, styles))

    def start(self, side: int, network: vgg.VGG, device: torch.device) -> Tensor:
        """What the painting begins with. Noise is drawn on the CPU, so that every device starts alike.

        `network`, on `device`, is what looks for patches.
        """
        recipe = self._recipe
        content, styles = self.at(side)
        mean = torch.tensor(vgg.MEAN).view(1, 3, 1, 1) * 255
        generator = torch.Generator().manual_seed(recipe.seed)
        noise = (torch.rand(content.shape, generator=generator) * 2 - 1) * recipe.noise_range
        base = {
            "content": lambda: smooth(self._in_start_colours(content, styles), recipe.smoothing / 2),
            "style": lambda: _stretched(styles[0], content),
            "noise": lambda: mean.expand_as(content),
            "statistics": lambda: pictures.random_phase(_stretched(styles[0], content), generator),
            "picture": lambda: self._begun(content.shape[3], content.shape[2]),
            "patches": lambda: resized(self._patchwork(side, network, device, generator), _size(content)),
        }[recipe.start]()
        pixels = mean + recipe.noise * noise + (1 - recipe.noise) * (base - mean)
        return pictures.grey(pixels) if self.grey else pixels

    def moved(self, size: Sequence[int], frame: int) -> Tensor:
        """Where a further frame is to be painted: 1 there, 0 elsewhere; (1, 1, height, width) of that size."""
        return self._frames.moved(frame, size)

    def grown(self, pixels: Tensor, side: int, frame: int, painted: Tensor | None, *, further: bool) -> Tensor:
        """What a scale begins with, where the one before showed `pixels`.

        `painted` is the painting of the frame before, if there is one; `further` says that this is the frame's first
        scale, and `pixels` that painting.
        """
        if painted is not None and further:
            content = self._in_start_colours(*self.at(self._recipe.size, frame))
            pixels = self._frames.begun(painted, content, frame, coarse=self._recipe.size / side)
        width, height = self.size(side)
        size = (height, width)
        if self._recipe.detail and not further:
            content = self._in_start_colours(*self.at(side, frame))
            finer = content - resized(resized(content, _size(pixels)), size)
            pixels = resized(pixels, size) + self._recipe.detail * smooth(finer, self._recipe.smoothing / 2)
        pixels = resized(pixels, size).clamp(0, 255)
        if painted is None:
            return pixels
        moved = self.moved(size, frame)  # what has not moved stays
        return torch.where(moved > 0, pixels, resized(painted, size))

    def _in_start_colours(self, content: Tensor, styles: Sequence[Tensor]) -> Tensor:
        """The content in the colours that a painting begins with: of each style in its share, by place if masked."""
        if self._recipe.start_colours == "content":
            return content
        over, of = self.masks(content, styles)
        everywhere = torch.ones(1, 1, 1, 1)
        blend, total = torch.zeros_like(content), torch.zeros_like(content)
        for at, (style, weight) in enumerate(zip(styles, self._recipe.style_weights, strict=True)):
            share = weight * (over[at] if over else everywhere)
            blend += share * pictures.transport_colours(content, style, of[at] if of else None)
            total += share
        return torch.where(total > 0, blend / total, content)

    def _patchwork(self, side: int, network: vgg.VGG, device: torch.device, generator: torch.Generator) -> Tensor:
        """The content laid out in patches of the styles."""
        content, styles = self.at(min(side, patches.LARGEST))
        content, styles = content.to(device), [style.to(device) for style in styles]
        with torch.no_grad():
            masks = self.masks(content, styles).to(device)
            made = patches.patchwork(
                network, self._recipe.style_layers, content, styles, masks=masks, generator=generator
            )
            return made.cpu()

    def _begun(self, width: int, height: int) -> Tensor:
        """The canvas as it is begun with."""
        assert self._canvas is not None  # noqa: S101 - checked when they were made
        return pictures.to_tensor(pictures.cut_to(self._canvas, (width, height)))


def _fitted(masks: Sequence[Image.Image], like: Sequence[Tensor]) -> list[Tensor]:
    """Each mask as large as the picture that it is of; where there are no masks, there are none."""
    return [
        pictures.mask_to_tensor(mask, (picture.shape[3], picture.shape[2]))
        for mask, picture in zip(masks, like, strict=False)
    ]


def _stretched(style: Tensor, content: Tensor) -> Tensor:
    return F.interpolate(style, content.shape[2:], mode="bilinear", antialias=True)


def _size(picture: Tensor) -> tuple[int, int]:
    """(height, width) of the picture."""
    return picture.shape[2], picture.shape[3]
