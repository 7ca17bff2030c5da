"""Paints one small picture for every choice there is: `docs/gallery/*.jpg` and `docs/gallery.md`; `make gallery`.

With the `random` stand-in weights, which need no download; a few minutes on two cores. Name tiles to paint only those.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from engine.painting.painter import Painter
from engine.painting.presets import preset
from examples.patterns import cloth, glass, pears

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
WIDTH = 256  # px of a tile
ITERATIONS = 60
# Longer steps than the preset's make up for so few iterations; with its edges the tile on edges would show nothing.
USUAL: dict[str, Any] = {
    "size": WIDTH, "iterations": ITERATIONS, "step": 7.65, "total_variation": 8.0, "padding": "zero"
}  # fmt: skip

CONTENT: dict[str, Callable[[], Image.Image]] = {"harbour": lambda: Image.open(HERE / "harbour.png"), "pears": pears}
STYLES: dict[str, Callable[[], Image.Image]] = {
    "strokes": lambda: Image.open(HERE / "strokes.png"),
    "glass": glass,
    "cloth": cloth,
}

# Each tile: name, what it shows, the content, the styles, the fields over the preset `fine`, masks.
Tile = tuple[str, str, str, tuple[str, ...], dict[str, Any], str]
TILES: list[Tile] = [
    ("plain", "The preset `fine`", "harbour", ("strokes",), {}, ""),
    ("glass", "Another style", "harbour", ("glass",), {}, ""),
    ("cloth", "And another", "harbour", ("cloth",), {}, ""),
    ("pears", "Another content", "pears", ("glass",), {}, ""),
    ("two", "Two styles, `style_weights=1,1`", "harbour", ("strokes", "glass"), {}, ""),
    ("weights", "The same, `style_weights=4,1`", "harbour", ("strokes", "glass"), {"style_weights": (4.0, 1.0)}, ""),
    ("small", "`style_scale=0.4`: small strokes", "harbour", ("strokes",), {"style_scale": 0.4}, ""),
    ("large", "`style_scale=1.6`: large strokes", "harbour", ("strokes",), {"style_scale": 1.6}, ""),
    ("luminance", "`colours=content`: only light is painted", "harbour", ("strokes",), {"colours": "content"}, ""),
    ("matched", "`colours=matched`: the style in the content's colours", "harbour", ("strokes",),
     {"colours": "matched"}, ""),
    ("content-masks", "`--content-mask`: a style for each half", "harbour", ("strokes", "glass"), {}, "content"),
    ("style-masks", "`--style-mask`: only the style's left third counts", "harbour", ("strokes",), {}, "style"),
    ("noise", "`start=noise`, `alpha=40`", "harbour", ("strokes",),
     {"start": "noise", "noise": 1.0, "alpha": 40.0}, ""),
    ("start-style", "`start=style`, `alpha=40`", "harbour", ("strokes",), {"start": "style", "alpha": 40.0}, ""),
    ("statistics", "`start=statistics`, `alpha=40`: the style's colours and spectrum", "harbour", ("strokes",),
     {"start": "statistics", "alpha": 40.0}, ""),
    ("picture", "`start=picture`, `alpha=40`: the pears", "harbour", ("strokes",),
     {"start": "picture", "alpha": 40.0}, ""),
    ("max", "`pooling=max`", "harbour", ("strokes",), {"pooling": "max"}, ""),
    ("l2", "`pooling=l2`, `pooling_gain=1.5`", "harbour", ("strokes",), {"pooling": "l2", "pooling_gain": 1.5}, ""),
    ("variation", "`total_variation=60`: smooth", "harbour", ("strokes",), {"total_variation": 60.0}, ""),
    ("gram", "`statistic=gram`", "harbour", ("strokes",), {"statistic": "gram"}, ""),
    ("wasserstein", "`statistic=wasserstein`", "harbour", ("strokes",), {"statistic": "wasserstein"}, ""),
    ("layers", "`style_layer_weights=1,0,0`: the first layer only", "harbour", ("strokes",),
     {"style_layer_weights": (1.0, 0.0, 0.0)}, ""),
    ("iterate", "`average=0`: the last iterate as it is", "harbour", ("strokes",), {"average": 0.0}, ""),
    ("replicate", "`padding=replicate`", "harbour", ("strokes",), {"padding": "replicate"}, ""),
    ("together", "Several at once: two masked styles, matched colours, Wasserstein, L2 pooling, replicated edges",
     "pears", ("strokes", "glass"),
     {"colours": "matched", "statistic": "wasserstein", "pooling": "l2", "pooling_gain": 1.5, "padding": "replicate",
      "noise": 0.1}, "content"),
]  # fmt: skip

HEAD = f"""# Gallery

One picture for each choice, all made by `make gallery` with the `random` stand-in weights, not the pretrained network,
from pictures in `examples/`. `impasto paint CONTENT STYLE -o DIR --set FIELD=VALUE` takes every field named here; masks
are given by `--content-mask` and `--style-mask`, once for each style.

Where it starts from something else than the content, the content has to be made heavier (`alpha`), or a run this short
does not find it. With these weights `colours=content`, `colours=matched` and `pooling=max` have grain and
checkerboards; `total_variation`, `average`, `padding` and `pooling=l2` make little difference at this size. The plain
`fine` compares covariances here.

Every tile is the preset `fine` with {ITERATIONS} iterations at {WIDTH} px, `step=7.65`, `total_variation=8`,
`padding=zero`, and what stands below it: with the preset's own shorter steps so few iterations would show less of each
choice.
"""


def paint(tile: Tile) -> Image.Image:
    """The tile's picture."""
    _, _, content, styles, fields, masks = tile
    recipe = preset("fine", weights="random", **(USUAL | {"style_weights": (1.0,) * len(styles)} | fields))
    left = Image.new("L", (300, 10))
    left.paste(255, (0, 0, 100 if masks == "style" else 150, 10))
    painter = Painter(
        recipe, CONTENT[content](), [STYLES[style]() for style in styles], canvas=pears(),
        content_masks=[left, ImageOps.invert(left)] if masks == "content" else [],
        style_masks=[left] if masks == "style" else [],
    )  # fmt: skip
    state = painter.begin()
    for _ in painter.paint(state):
        pass
    return painter.picture(state)


def page() -> str:
    """The gallery in markdown, three tiles to a row."""
    rows = ["| | | |", "|---|---|---|"]
    for at in range(0, len(TILES), 3):
        row = TILES[at : at + 3]
        cells = [f"![{text}](gallery/{name}.jpg)<br>{text}" for name, text, *_ in row]
        rows.append("| " + " | ".join(cells) + " |")
    return HEAD + "\n" + "\n".join(rows) + "\n"


def main(names: list[str]) -> None:
    """Paint the tiles of these names, or all, and write the page."""
    folder = DOCS / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for tile in TILES:
        if not names or tile[0] in names:
            paint(tile).save(folder / f"{tile[0]}.jpg", quality=85, optimize=True)
            print(tile[0], flush=True)
    (DOCS / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
