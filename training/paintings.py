"""`python -m training.paintings`: short paintings, whose states are pictures to train on.

A painting under way does not look like a photograph: noise, speckles, half-made strokes. A student that never saw such
pictures has features there that tell little, and paints speckles that the teacher would have smoothed away. What a
student paints itself shows where its features are wrong: an optimiser finds such places (as on-policy distillation
does, Agarwal et al. 2024).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from engine.painting.painter import Painter
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from training.export import read
from training.pictures import SMALLEST, drawn_pictures, is_scored, picture_files, read_picture
from training.teacher import in_vgg19s_shape, read_teacher

KEPT = (3, 10, 30, 100)
"""The iterations after which a state is kept."""
_SIDE = 160  # px
_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
# The balance of neural-style-pt, with average and with max pooling, in the engine's units, from one pair of pictures.
_AVERAGE: dict[str, Any] = {"pooling": "average", "style_layer_weights": (0.581, 155.7, 56.8, 0.2, 0.0000034)}
_MAX: dict[str, Any] = {"pooling": "max", "style_layer_weights": (0.0777, 66.2, 70.2, 1.05, 0.00027)}
_STARTS: tuple[dict[str, Any], ...] = (
    {"start": "content", "noise": 0.0}, {"start": "noise", "noise": 1.0}, {"start": "content", "noise": 0.5},
)  # fmt: skip
_OPTIMISERS: tuple[dict[str, Any], ...] = (
    {"optimiser": "adam", "step": 5.0}, {"optimiser": "lbfgs", "step": 1.0}, {"optimiser": "adam", "step": 2.0},
)  # fmt: skip


def recipes(count: int, rng: random.Random) -> Iterator[Recipe]:
    """So many recipes of 160 px, of every start with every optimiser, poolings and balances drawn by `rng`.

    After nine of those nine of `fine`, of 256 px.
    """
    for index in range(count):
        if index % 18 >= 9:
            yield preset("fine", weights="starter", size=256, iterations=KEPT[-1], snapshots=KEPT, seed=index)
            continue
        yield preset(
            "gatys", size=_SIDE, iterations=KEPT[-1], snapshots=KEPT, seed=index, content_layers=("relu4_2",),
            style_layers=_LAYERS, alpha=5.0, beta=rng.choice([30.0, 100.0, 300.0]),
            total_variation=rng.choice([0.0, 0.0, 3.0]), **rng.choice([_AVERAGE, _MAX]),
            **_STARTS[index % 3], **_OPTIMISERS[index // 3 % 3],
        )  # fmt: skip


def states(painter: Painter) -> Iterator[tuple[int, Tensor]]:
    """The iterations of `KEPT`, and the picture (3, height, width), uint8, as it is then."""
    for state in painter.paint(painter.begin()):
        if state.iteration in KEPT and min(state.pixels.shape[2:]) >= SMALLEST:
            yield state.iteration, state.pixels[0].round().clamp(0, 255).to(torch.uint8)


def main() -> None:
    """Contents from the folders, styles from there and from drawn textures; files such as 003-lbfgs-noise-0030.png."""
    parser = argparse.ArgumentParser(prog="training.paintings", description="Keep the states of short paintings.")
    parser.add_argument(
        "network", type=Path, help="VGG16 or VGG19, a PyTorch file with torchvision's names; or a student's safetensors"
    )
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, help="folders of pictures to paint from")
    parser.add_argument("--count", type=int, default=20, help="how many paintings (20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="faster on processors with AMX")
    parser.add_argument("-o", "--out", type=Path, default=Path("out/starter/paintings"))
    given = parser.parse_args()
    rng = random.Random(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    dtype = torch.bfloat16 if given.bfloat16 else None
    own = given.network.suffix == ".safetensors"
    convs = read(given.network) if own else in_vgg19s_shape(read_teacher(given.network))
    files = [path for path in picture_files(given.pictures) if not is_scored(path)]
    photographs = [read_picture(path) for path in rng.sample(files, min(30, len(files)))]
    styles = drawn_pictures(given.seed, 10, 20) + photographs
    for index, recipe in enumerate(recipes(given.count, rng)):
        content, style = read_picture(rng.choice(files)), rng.choice(styles)
        painter = Painter(recipe, _square(content, rng), [_image(style)], convs=convs, dtype=dtype)
        for iteration, pixels in states(painter):
            name = f"{index:03}-{recipe.optimiser}-{recipe.start}-{iteration:04}.png"
            _image(pixels).save(given.out / name)
        print(f"{index + 1} of {given.count}", flush=True)


def _square(pixels: Tensor, rng: random.Random) -> Image.Image:
    """A square piece of the picture, as wide as its shorter side."""
    side = min(pixels.shape[1:])
    y, x = rng.randint(0, pixels.shape[1] - side), rng.randint(0, pixels.shape[2] - side)
    return _image(pixels[:, y : y + side, x : x + side])


def _image(pixels: Tensor) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


if __name__ == "__main__":
    main()
