"""`python -m training.starter_sheet`: pictures painted with `starter` and with `random`, one above the other."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.painting.network.vgg import Convs
from engine.recipe.presets import preset
from examples.contact import painting, sheet
from training.export import read


def main() -> None:
    """A row for `random` and one for `starter`, a column for each content and style."""
    parser = argparse.ArgumentParser(prog="training.starter_sheet", description="Compare starter and random.")
    parser.add_argument("pairs", nargs="+", metavar="CONTENT:STYLE", help="paths of two pictures")
    parser.add_argument("--weights", type=Path, default=Path("out/starter/starter.safetensors"))
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument(
        "--iterations", type=int, nargs=2, default=(140, 56), help="with random, and with starter (140 56: equal times)"
    )
    parser.add_argument("--scales", type=int, default=4)
    parser.add_argument("-o", "--out", type=Path, default=Path("out/starter/sheet.png"))
    given = parser.parse_args()
    pairs = [pair.split(":", 1) for pair in given.pairs]
    rows = []
    networks: list[tuple[str, Convs | None]] = [("random", None), ("starter", read(given.weights))]
    for (name, convs), iterations in zip(networks, given.iterations, strict=True):
        recipe = preset("fine", weights=name, size=given.size, scales=given.scales, iterations=iterations)
        made = [painting(recipe, Path(content), Path(style), convs) for content, style in pairs]
        seconds = ", ".join(f"{took:.0f}" for _, took in made)
        rows.append((f"{name}, {iterations} iterations, {seconds} s", [p for p, _ in made]))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    sheet(rows, given.size).save(given.out)
    print(f"Done: {given.out}")


if __name__ == "__main__":
    main()
