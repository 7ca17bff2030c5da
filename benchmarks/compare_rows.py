"""What `benchmarks.compare` paints with: presets of ours with fields set over them, and others' own programs."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from bot.terminal.option_values import setting
from engine.painting.network.vgg import Convs
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from examples.contact import painting

ROWS = (
    "fine: fine",
    "classic: classic iterations=300",
    "gatys: gatys iterations=200 start=content noise=0",
)
"""Ours by default, as `Ours.parse` reads them."""


class CompareError(Exception):
    """What was asked for cannot be compared; the text is one sentence."""


class Network(NamedTuple):
    """The weights that ours paint with: a recipe's name for them, their architecture, and the convolutions."""

    weights: str
    architecture: str
    convs: Convs


@dataclass(frozen=True)
class Pair:
    """A content and a style, by their files."""

    name: str
    content: Path
    style: Path


@dataclass(frozen=True)
class Ours:
    """A row of ours: a preset, and the fields that are set over it; `how` is both as they were written."""

    name: str
    how: str
    preset: str
    fields: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Ours:
        """From `name: preset field=value …`. Raises `CompareError` and `RecipeError`."""
        name, colon, rest = text.partition(":")
        words = rest.split()
        if not (colon and slug(name) and words):
            raise CompareError(f'A row is written "name: recipe field=value …", and not "{text}".')
        return cls(name.strip(), " ".join(words), words[0], dict(setting(word) for word in words[1:]))

    def recipe(self, size: int, network: Network) -> Recipe:
        """The recipe at this size for this network. Raises `RecipeError`."""
        fields = {"size": size, "network": network.architecture, **self.fields}
        return preset(self.preset, weights=network.weights, **fields)

    def paint(self, pair: Pair, size: int, network: Network) -> tuple[Image.Image, float]:
        """The picture, and the seconds of painting; the program was started and the weights loaded before."""
        return painting(self.recipe(size, network), pair.content, pair.style, network.convs)


@dataclass(frozen=True)
class Peer:
    """Another program: `how` is a shell command with {content}, {style}, {size} and {out} in it."""

    name: str
    how: str

    @classmethod
    def parse(cls, text: str) -> Peer:
        """From `NAME=COMMAND`. Raises `CompareError`."""
        name, _, command = text.partition("=")
        if not slug(name) or "{out}" not in command:
            raise CompareError(f'A peer is written "NAME=COMMAND", with {{out}} in the command, and not "{text}".')
        return cls(name.strip(), command.strip())

    def paint(self, pair: Pair, size: int, log: Path) -> tuple[Image.Image, float]:
        """The picture, and the seconds from the command's start to its end; what it says is in `log`.

        It runs in an empty folder, which is deleted. Raises `CompareError` where it leaves no picture.
        """
        with tempfile.TemporaryDirectory() as folder, log.open("wb") as said:
            out = Path(folder) / "out.png"
            began = time.monotonic()
            # As whoever runs this program would type it.
            command = ["sh", "-c", self._filled(pair, size, out)]
            done = subprocess.run(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, check=False
            )
            seconds = time.monotonic() - began
            if done.returncode:
                raise CompareError(f"The peer {self.name} ended with status {done.returncode}: see {log}.")
            try:
                with Image.open(out) as picture:
                    return picture.convert("RGB"), seconds
            except OSError:
                raise CompareError(f"The peer {self.name} left no picture: see {log}.") from None

    def _filled(self, pair: Pair, size: int, out: Path) -> str:
        # By hand and not by `format`, so that a command may have braces of its own.
        values = {"content": pair.content.resolve(), "style": pair.style.resolve(), "size": size, "out": out}
        return re.sub(r"\{(" + "|".join(values) + r")\}", lambda found: shlex.quote(str(values[found[1]])), self.how)


Contender = Ours | Peer


def read_rows(texts: Iterable[str], only: Sequence[str]) -> list[Ours]:
    """`ROWS` and these rows, of which one that is called like one of `ROWS` takes its place; of them those in `only`.

    Raises `CompareError` and `RecipeError`.
    """
    rows = {row.name: row for row in map(Ours.parse, ROWS)}
    rows |= {row.name: row for row in map(Ours.parse, texts)}
    if unknown := [name for name in only if name not in rows]:
        raise CompareError(f"There is no row called {', '.join(unknown)}; there are {', '.join(rows)}.")
    return [row for name, row in rows.items() if not only or name in only]


def read_pairs(texts: Iterable[str]) -> list[Pair]:
    """The pairs CONTENT:STYLE, each with a name of its own. Raises `CompareError`."""
    found: dict[str, Pair] = {}
    for text in texts:
        content, colon, style = text.partition(":")
        if not colon:
            raise CompareError(f"A pair is written CONTENT:STYLE, and not {text}.")
        paths = Path(content), Path(style)
        for path in paths:
            try:
                Image.open(path).close()
            except OSError:
                raise CompareError(f"The picture {path} cannot be read.") from None
        name = first = f"{paths[0].stem} after {paths[1].stem}"
        number = 1
        while slug(name) in found:
            number += 1
            name = f"{first} {number}"
        found[slug(name)] = Pair(name, *paths)
    return list(found.values())


def check_names(contenders: Sequence[Contender]) -> None:
    """Raises `CompareError` where two names would make the same file."""
    slugs = [slug(contender.name) for contender in contenders]
    for contender, name in zip(contenders, slugs, strict=True):
        if slugs.count(name) > 1:
            raise CompareError(f"Two pictures would be called {contender.name}: give each row and peer its own name.")
    if not contenders:
        raise CompareError("There is nothing to compare.")


def slug(name: str) -> str:
    """The name as part of a file's: lower case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
