"""`python -m examples.sheets CONTENT:STYLE …`: the preset `fine` with one setting after another, a row each.

By such sheets the defaults of `fine` were chosen; docs/fine.md says what was seen. `--set "a=1 b=2"` makes a row of its
own; without any, the rows are those of `ROWS`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from bot.terminal.option_values import setting
from engine.contract.settings import read_settings
from engine.recipe.presets import STAND_INS, preset
from engine.worker.weights.named_weights import load_weights
from examples.contact import painting, sheet

ROWS = (
    "", "start=patches", "alpha=20", "alpha=200", "total_variation=2", "total_variation=100", "detail=0", "scales=1",
    "pooling=average", "pooling=l2", "padding=zero", "style_scale=0.7", "noise=0.3", "history=5",
    "optimiser=adam step=5 step_end=0.1",
)  # fmt: skip


def row(words: str, pairs: Sequence[tuple[Path, Path]], weights: str, size: int) -> tuple[str, list[Image.Image]]:
    """What it says above it, and a picture for each pair."""
    fields: dict[str, Any] = dict(setting(word) for word in words.split())
    recipe = preset("fine", weights=weights, **{"size": size, **fields})
    convs = load_weights(weights, read_settings().impasto_cache).convs
    made = [painting(recipe, content, style, convs) for content, style in pairs]
    seconds = sum(took for _, took in made) / len(made)
    return f"{words or 'as it is'} ({seconds:.0f} s each)", [picture for picture, _ in made]


def main() -> None:
    """The sheet, written anew after each row."""
    parser = argparse.ArgumentParser(prog="examples.sheets", description=__doc__)
    parser.add_argument("pairs", nargs="+", metavar="CONTENT:STYLE", help="paths of two pictures")
    parser.add_argument("--set", dest="rows", action="append", help="fields of a row, like 'beta=20 alpha=1'")
    parser.add_argument("--weights", choices=STAND_INS, default="starter")
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("-o", "--out", type=Path, default=Path("out/sheet.png"))
    given = parser.parse_args()
    pairs = [(Path(content), Path(style)) for content, style in (pair.split(":", 1) for pair in given.pairs)]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for words in given.rows or ROWS:
        rows.append(row(words, pairs, given.weights, given.size))
        sheet(rows, given.size).save(given.out)
    print(f"Done: {given.out}")


if __name__ == "__main__":
    main()
