"""`python -m examples.gallery WEIGHTS [TILE …]`: one small picture for every choice there is; `make gallery WEIGHTS=…`.

Writes `docs/gallery/*.jpg` and `docs/gallery.md`, in some ten minutes on two cores. WEIGHTS are as for
`impasto paint --weights`, best the pretrained ones. Name tiles to paint only those.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from engine.contract.settings import read_settings
from engine.painting.painter import Painter
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from engine.worker.weights.named_weights import Weights, load_weights
from examples.painted import Painted, painted_with, read_notes, write_notes
from examples.patterns import cloth, glass, hatching, ink, night, pears, poster

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
WIDTH = 256  # px of a tile
ITERATIONS = 90  # in three scales; enough to tell one choice from another

CONTENT: dict[str, Callable[[], Image.Image]] = {"harbour": lambda: Image.open(HERE / "harbour.png"), "pears": pears}
STYLES: dict[str, Callable[[], Image.Image]] = {
    "strokes": lambda: Image.open(HERE / "strokes.png"),
    "glass": glass,
    "cloth": cloth,
    "night": night,
    "ink": ink,
    "hatching": hatching,
    "poster": poster,
}

# Each tile: name, what it shows, the content, the styles, the fields over the preset `fine`, masks.
Tile = tuple[str, str, str, tuple[str, ...], dict[str, Any], str]
TILES: list[Tile] = [
    ("plain", "The preset `fine`", "harbour", ("strokes",), {}, ""),
    ("glass", "Another style", "harbour", ("glass",), {}, ""),
    ("cloth", "And another, `--strength 0.02`", "harbour", ("cloth",), {"strength": 0.02}, ""),
    ("pears", "Another content", "pears", ("glass",), {}, ""),
    ("night", "A dark style", "harbour", ("night",), {}, ""),
    ("poster", "A flat one", "harbour", ("poster",), {}, ""),
    ("hatching", "One without colour", "harbour", ("hatching",), {}, ""),
    ("ink", "One on a white ground", "harbour", ("ink",), {}, ""),
    ("two", "Two styles, `style_weights=1,1`", "harbour", ("strokes", "glass"), {}, ""),
    ("weights", "The same, `style_weights=4,1`", "harbour", ("strokes", "glass"), {"style_weights": (4.0, 1.0)}, ""),
    ("small", "`style_scale=0.4`: small strokes", "harbour", ("strokes",), {"style_scale": 0.4}, ""),
    ("large", "`style_scale=1.6`: large strokes", "harbour", ("strokes",), {"style_scale": 1.6}, ""),
    ("luminance", "`colours=content`: only light is painted", "harbour", ("strokes",), {"colours": "content"}, ""),
    ("matched", "`colours=matched`: the style in the content's colours", "harbour", ("strokes",),
     {"colours": "matched"}, ""),
    ("content-masks", "`--content-mask`: a style for each half", "harbour", ("strokes", "glass"), {}, "content"),
    ("style-masks", "`--style-mask`: only the style's left third counts", "harbour", ("strokes",), {}, "style"),
    ("half", "`--strength 0.25`", "harbour", ("strokes",), {"strength": 0.25}, ""),
    ("double", "`--strength 4`", "harbour", ("strokes",), {"strength": 4.0}, ""),
    ("patches", "`start=patches`: the style's colours where its own patches would put them", "harbour", ("strokes",),
     {"start": "patches"}, ""),
    ("noise", "`start=noise`, `alpha=1000`", "harbour", ("strokes",), {"start": "noise", "alpha": 1e3}, ""),
    ("start-style", "`start=style`, `alpha=1000`", "harbour", ("strokes",), {"start": "style", "alpha": 1e3}, ""),
    ("statistics", "`start=statistics`, `alpha=1000`: the style's colours and spectrum", "harbour", ("strokes",),
     {"start": "statistics", "alpha": 1e3}, ""),
    ("picture", "`start=picture`, `alpha=1000`: the pears", "harbour", ("strokes",),
     {"start": "picture", "alpha": 1e3}, ""),
    ("shallow", "`style_layers=relu1_1,relu2_1`: patches of colour", "harbour", ("strokes",),
     {"style_layers": ("relu1_1", "relu2_1"), "style_layer_weights": (1 / 64**2, 1 / 128**2)}, ""),
    ("deep", "`style_layers=relu4_1,relu5_1`: large forms, no paint", "harbour", ("strokes",),
     {"style_layers": ("relu4_1", "relu5_1"), "style_layer_weights": (1 / 512**2, 1 / 512**2)}, ""),
    ("shapes", "`content_layers=relu5_1`, `alpha=6000`: only what it shows", "harbour", ("strokes",),
     {"content_layers": ("relu5_1",), "alpha": 6000.0}, ""),
    ("average", "`pooling=average`", "harbour", ("strokes",), {"pooling": "average"}, ""),
    ("l2", "`pooling=l2`", "harbour", ("strokes",), {"pooling": "l2"}, ""),
    ("covariance", "`statistic=covariance`, `beta=1600000`, layers weighted 0.2, 0.2, 0.2, 0.3, 0.1", "harbour",
     ("strokes",), {"statistic": "covariance", "style_layer_weights": (0.2, 0.2, 0.2, 0.3, 0.1), "beta": 1.6e6}, ""),
    ("adam", "`optimiser=adam`, `step=5`, `step_end=0.1`", "harbour", ("strokes",),
     {"optimiser": "adam", "step": 5.0, "step_end": 0.1}, ""),
    ("variation", "`total_variation=1000`, `variation_ceiling=0`: smooth", "harbour", ("strokes",),
     {"total_variation": 1000.0, "variation_ceiling": 0.0}, ""),
    ("single", "`scales=1`: short strokes", "harbour", ("strokes",), {"scales": 1}, ""),
    ("detail", "`detail=0`: soft", "harbour", ("strokes",), {"detail": 0.0}, ""),
    ("zero", "`padding=zero`, as in the papers", "harbour", ("strokes",), {"padding": "zero"}, ""),
    ("together", "Several at once: two masked styles, matched colours, a little noise", "pears", ("strokes", "glass"),
     {"colours": "matched", "noise": 0.1}, "content"),
]  # fmt: skip

HEAD = f"""# Gallery

One picture for each choice, made by `make gallery WEIGHTS=…` with {{weights}}, from pictures in `examples/`, which
the project drew itself. `impasto paint CONTENT STYLE -o DIR --set FIELD=VALUE` takes every field named here; masks
are given by `--content-mask` and `--style-mask`, once for each style.

Every tile is the preset `fine` with {ITERATIONS} iterations at {WIDTH} px, and what stands below it. Where it starts
from what does not show the content, that has to be made heavier (`alpha`), or so short a run does not find it.
"""


def recipe_of(tile: Tile, weights: str, network: str) -> Recipe:
    """What paints the tile with the weights of this name and architecture."""
    _, _, _, styles, fields, _ = tile
    usual: dict[str, Any] = {"size": WIDTH, "iterations": ITERATIONS, "style_weights": (1.0,) * len(styles)}
    return preset("fine", weights=weights, **({"network": network} | usual | fields))


def paint(tile: Tile, recipe: Recipe, weights: Weights) -> Image.Image:
    """The tile's picture."""
    _, _, content, styles, _, masks = tile
    left = Image.new("L", (300, 10))
    left.paste(255, (0, 0, 100 if masks == "style" else 150, 10))
    painter = Painter(
        recipe, CONTENT[content](), [STYLES[style]() for style in styles], canvas=pears(),
        content_masks=[left, ImageOps.invert(left)] if masks == "content" else [],
        style_masks=[left] if masks == "style" else [], convs=weights.convs,
    )  # fmt: skip
    state = painter.begin()
    for _ in painter.paint(state):
        pass
    return painter.picture(state)


def page(notes: Mapping[str, Painted]) -> str:
    """The gallery in markdown, three tiles to a row; `notes` tell what painted them."""
    weights = " and ".join(dict.fromkeys(note.in_words for note in notes.values()))
    rows = ["| | | |", "|---|---|---|"]
    for at in range(0, len(TILES), 3):
        row = TILES[at : at + 3]
        cells = [f"![{text}](gallery/{name}.jpg)<br>{text}" for name, text, *_ in row]
        rows.append("| " + " | ".join(cells) + " |")
    return HEAD.format(weights=weights) + "\n" + "\n".join(rows) + "\n"


def main(choice: str, names: Sequence[str]) -> None:
    """Paint the tiles of these names, or all, and write the page."""
    weights = load_weights(choice, read_settings().impasto_cache)
    folder = DOCS / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for tile in TILES:
        if not names or tile[0] in names:
            recipe = recipe_of(tile, weights.name, weights.network)
            paint(tile, recipe, weights).save(folder / f"{tile[0]}.jpg", quality=85, optimize=True)
            write_notes(folder, read_notes(folder) | {tile[0]: painted_with(weights, recipe)})
            print(tile[0], flush=True)
    (DOCS / "gallery.md").write_text(page(read_notes(folder)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
