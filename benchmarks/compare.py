"""`python -m benchmarks.compare WEIGHTS [CONTENT:STYLE …]`: the same pairs painted in several ways, beside each other.

Ours are presets with fields set over them, painted with the network in the file WEIGHTS; peers are others' programs, by
their command. Every picture is measured with that network. Writes `out/compare/`: the pictures, `sheet.png` and
`table.md`; with `--blind` also pictures for a person to choose from. docs/compare.md says what the numbers mean.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from benchmarks import blind_pairs, report
from benchmarks.bench import CONTENT, ROOT, STYLE
from benchmarks.compare_rows import (
    CompareError,
    Contender,
    Network,
    Ours,
    Pair,
    Peer,
    check_names,
    read_pairs,
    read_rows,
    slug,
)
from benchmarks.measures import LAYERS, Measurer, Measures, lacking
from benchmarks.peers import STYLE_LAYERS
from benchmarks.sheet import Column, sheet
from engine.contract.settings import SettingsError, read_settings
from engine.painting.errors import PaintingError
from engine.painting.memory.allocator import keep_memory
from engine.recipe.recipe import RecipeError
from engine.recipe.vgg_layers import named
from engine.worker.weights.named_weights import load_weights
from engine.worker.weights.weights_file import WeightsError

FOLDER = ROOT / "out" / "compare"
COLUMNS = (
    "picture", "content lost", *(f"style missing {layer[4:]}" for layer in STYLE_LAYERS), "grid", "seconds",
)  # fmt: skip
_BLIND_ROW = "fine"
"""The row of ours that peers are shown beside."""


@dataclass
class Painted:
    """A picture, the seconds that it took, and what was measured of it."""

    picture: Image.Image
    seconds: float
    measures: Measures


@dataclass
class Comparison:
    """What was painted so far, and the files that show it."""

    folder: Path
    size: int
    pairs: Sequence[Pair]
    contenders: Sequence[Contender]
    note: str
    painted: dict[tuple[str, str], Painted] = field(default_factory=dict)
    """By the names of pair and contender."""

    def add(self, pair: Pair, contender: Contender, painted: Painted) -> None:
        """Keep a picture, and write everything anew."""
        self.painted[pair.name, contender.name] = painted
        painted.picture.save(self.path(pair, contender, "png"))
        self.sheet().save(self.folder / "sheet.png")
        (self.folder / "table.md").write_text(self.tables(), encoding="utf-8")

    def path(self, pair: Pair, contender: Contender, kind: str) -> Path:
        """The file of this kind for a pair and a contender."""
        return self.folder / f"{slug(pair.name)}.{slug(contender.name)}.{kind}"

    def sheet(self) -> Image.Image:
        """All pictures, labelled."""
        columns = []
        for pair in self.pairs:
            cells = {
                contender.name: (made.picture, _caption(made))
                for contender in self.contenders
                if (made := self.painted.get((pair.name, contender.name)))
            }
            columns.append(Column(pair.name, _opened(pair.content), _opened(pair.style), cells))
        return sheet([contender.name for contender in self.contenders], columns, self.size)

    def tables(self) -> str:
        """A table for each pair, and what it was painted and measured with."""
        head = ["# Comparison", f"{report.machine()['processor']}, {self.size} px. {self.note}"]
        how = "\n".join(f"- {contender.name}: `{contender.how}`" for contender in self.contenders)
        tables = [report.markdown(self._table(pair)) for pair in self.pairs]
        return "\n\n".join([*head, how, *(table.strip() for table in tables)]) + "\n"

    def _table(self, pair: Pair) -> report.Table:
        rows = [
            _row(contender.name, made)
            for contender in self.contenders
            if (made := self.painted.get((pair.name, contender.name)))
        ]
        return report.Table(slug(pair.name), pair.name, COLUMNS, rows, "", None)

    def matches(self) -> list[blind_pairs.Match]:
        """Ours against each peer, for each pair."""
        return [
            blind_pairs.Match(
                pair.name, _BLIND_ROW, self.painted[pair.name, _BLIND_ROW].picture, peer.name,
                self.painted[pair.name, peer.name].picture,
            )
            for pair in self.pairs
            for peer in self.contenders
            if isinstance(peer, Peer)
        ]  # fmt: skip


def compare(options: argparse.Namespace) -> Path:
    """Paint, measure and write; the folder. Raises errors whose text is one sentence."""
    pairs = read_pairs(options.pairs or [f"{CONTENT}:{STYLE}"])
    rows, peers = read_rows(options.rows, options.only), [Peer.parse(text) for text in options.peers]
    check_names([*rows, *peers])
    folder, key = options.out / "blind", options.out / "key.json"
    if options.blind:
        _check_blind(rows, peers, folder, key)
    began = time.monotonic()
    network = _load(options.weights)
    loading = time.monotonic() - began
    for row in rows:
        row.recipe(options.size, network)  # what cannot be painted is told now, not after the others
    note = (
        f"Ours were painted, and all were measured, with the weights {network.weights} ({network.architecture}). "
        f"A peer's seconds are its whole command's; ours leave out the start and the weights, here {loading:.1f} s."
    )
    options.out.mkdir(parents=True, exist_ok=True)
    comparison = Comparison(options.out, options.size, pairs, [*rows, *peers], note)
    _paint(comparison, network)
    if options.blind:
        blind_pairs.write(comparison.matches() * options.blind, folder, key, secrets.randbits(32))
    return comparison.folder


def _paint(comparison: Comparison, network: Network) -> None:
    """All that is to be compared."""
    measure = Measurer(network.convs)
    # Peers first: that a command is wrong is told before ours have painted for long.
    contenders = sorted(comparison.contenders, key=lambda contender: isinstance(contender, Ours))
    for pair in comparison.pairs:
        content, style = _opened(pair.content), _opened(pair.style)
        for contender in contenders:
            if isinstance(contender, Peer):
                picture, seconds = contender.paint(pair, comparison.size, comparison.path(pair, contender, "log"))
            else:
                picture, seconds = contender.paint(pair, comparison.size, network)
            comparison.add(pair, contender, Painted(picture, seconds, measure(picture, content, style)))
            print(f"{pair.name}, {contender.name}: {seconds:.1f} s", flush=True)


def _check_blind(rows: Sequence[Ours], peers: Sequence[Peer], folder: Path, key: Path) -> None:
    if not peers or _BLIND_ROW not in [row.name for row in rows]:
        raise CompareError(f"For --blind there must be the row {_BLIND_ROW} and at least one --peer.")
    if folder.exists() or key.exists():
        raise CompareError(f"{folder} or {key} is there already, with somebody's choices maybe: move both elsewhere.")


def _load(choice: str) -> Network:
    """The weights, which must reach down to all layers that are measured."""
    loaded = load_weights(choice, read_settings().impasto_cache)
    if loaded.convs is None:
        raise WeightsError("random weights measure nothing", "give a file of a trained VGG")
    if missing := lacking(loaded.convs):
        remedy = f"give a file of a whole VGG, which has {', '.join(LAYERS)}"
        raise WeightsError(f"the weights {choice} have no {', '.join(missing)}", remedy)
    architecture = named((name, weight.shape[0]) for name, (weight, _) in loaded.convs.items())
    return Network(loaded.name, architecture, loaded.convs)


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def _caption(painted: Painted) -> str:
    return f"{painted.seconds:.0f} s, content lost {painted.measures.content_lost:.2f}"


def _row(name: str, painted: Painted) -> list[str]:
    measures = painted.measures
    missing = [f"{value:.3f}" for value in measures.style_missing]
    return [name, f"{measures.content_lost:.2f}", *missing, f"{measures.grid:.2f}", f"{painted.seconds:.1f}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 where something cannot be painted or measured, which is told in one sentence."""
    parser = argparse.ArgumentParser(
        "benchmarks.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", metavar="WEIGHTS", help="a file of a trained VGG, or `imagenet`")
    parser.add_argument("pairs", nargs="*", metavar="CONTENT:STYLE", help="paths of two pictures; ours by default")
    parser.add_argument("--size", type=int, default=256, help="longest side, px (256)")
    parser.add_argument("--row", dest="rows", action="append", default=[], metavar="ROW",
                        help='a further row of ours: "name: recipe field=value …"')  # fmt: skip
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="of our rows, only this one")
    parser.add_argument("--peer", dest="peers", action="append", default=[], metavar="NAME=COMMAND",
                        help="another program, as a shell command with {content} {style} {size} {out}")  # fmt: skip
    parser.add_argument("--blind", type=int, default=0, metavar="N",
                        help=f"show `{_BLIND_ROW}` beside each peer, N times, and not which is which")  # fmt: skip
    parser.add_argument("-o", "--out", type=Path, default=FOLDER, help="the folder to write (out/compare)")
    try:
        folder = compare(parser.parse_args(arguments))
    except (CompareError, RecipeError, PaintingError, WeightsError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Written to {folder}.")
    return 0


if __name__ == "__main__":
    keep_memory()
    sys.exit(main())
