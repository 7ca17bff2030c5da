"""A sequence of pictures painted without flicker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image

from engine.painting.network import vgg
from engine.painting.painter import Painter
from engine.recipe.recipe import Recipe


def paint_sequence(
    recipe: Recipe, frames: Sequence[Image.Image], styles: Sequence[Image.Image], *, convs: vgg.Convs | None = None,
    device: str = "cpu",
) -> Iterator[Image.Image]:  # fmt: skip
    """Paint one content after the other by a recipe for one; yields each painting.

    The first is painted as the recipe says. Each further one begins with the painting before, and is painted only where
    it moved, coarse to fine in `frame_iterations` (after Ruder, Dosovitskiy, Brox 2016, "Artistic Style Transfer
    for Videos", section 4.1, with what moved in the place of optical flow). Frames of other proportions than the
    first's are cut to them. Raises `RecipeError` and `PaintingError`.
    """
    first, *further = frames
    recipe = recipe.sequence(len(frames))
    painter = Painter(recipe, first, styles, frames=further, convs=convs, device=device)
    for state in painter.paint(painter.begin()):
        if state.iteration in recipe.frame_ends:
            yield painter.picture(state)
