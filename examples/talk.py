"""`python -m examples.talk WEIGHTS [NAME …]`: the experiments of the talk "Painting, Keras Style", each by one command.

Draws the pictures they begin with into `out/talk`, runs those of these names, or all, there, and writes `docs/talk.md`
with the pictures of all that have ended. WEIGHTS are as for `impasto paint --weights`. All of them take an hour or two
on two cores.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image

from engine.process.child_process import module_command
from engine.recipe.recipe import Recipe
from engine.recipe.studies import STYLE
from examples import patterns
from examples.painted import Painted, digits_of, read_notes, write_notes
from examples.talk_experiments import EXPERIMENTS, SLIDES, Experiment

ROOT = Path(__file__).parents[1]
OUT, DOCS = ROOT / "out" / "talk", ROOT / "docs"
WIDEST = 1400
"""Of a picture in the documents, px."""


HEAD = """\
# The talk, again

"Painting, Keras Style" is the talk that Impasto comes from: a series of experiments with Gatys' way of painting one
picture in the style of another. Here they are again, each by one command, in our own words and with pictures that the
project drew itself; below each stands which weights painted it; FILE stands for the file that holds them.
`make talk WEIGHTS=FILE` runs them all. In Discord content and style are attached.

![A study's card in a channel; in its thread the single pictures, the sheet and the plot](pictures/discord-study.png)

*`/study vary:strength` as members see it, here with the small network `starter` (`make screenshots ARGS=study`).*

| the talk's slide | in the terminal | in Discord | picture |
|---|---|---|---|
{table}
"""


def draw() -> None:
    """The pictures that the experiments begin with."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name in ("harbour", "strokes"):
        (OUT / f"{name}.png").write_bytes((ROOT / "examples" / f"{name}.png").read_bytes())
    for name in ("pears", "glass", "ink", "night", "poster", "hatching"):
        getattr(patterns, name)().save(OUT / f"{name}.png")


def run(experiment: Experiment, weights: str) -> None:
    """In a folder of its own; one that was cut short is gone on with."""
    folder = OUT / experiment.name
    words = shlex.split(with_weights(experiment, weights))
    asked = [words[0], "--resume", folder.name] if folder.exists() else [*words, "-o", folder.name]
    subprocess.run([*module_command("bot.terminal.main"), *asked], cwd=OUT, check=True)


def with_weights(experiment: Experiment, weights: str) -> str:
    """Its command with these weights, unless it says which."""
    command = experiment.command
    return command if "--weights" in shlex.split(command) else f"{command} --weights {shlex.quote(weights)}"


def show(experiment: Experiment) -> list[str]:
    """Copies its pictures to the documents, where it has ended, and notes what painted them; their names there."""
    made = []
    for name in experiment.pictures:
        path = OUT / experiment.name / name
        shown = f"{experiment.name}-{path.stem}.jpg"
        if path.exists():
            with Image.open(path) as opened:
                picture = opened.convert("RGB")
            picture.thumbnail((WIDEST, 10 * WIDEST), Image.Resampling.LANCZOS)
            (DOCS / "talk").mkdir(exist_ok=True)
            picture.save(DOCS / "talk" / shown, quality=82, optimize=True)
        if (DOCS / "talk" / shown).exists():
            made.append(shown)
    record = OUT / experiment.name / ("study.json" if experiment.command.startswith("study ") else "run.json")
    if record.exists():
        run = json.loads(record.read_text(encoding="utf-8"))
        weights, recipe = run["weights"], Recipe.from_dict(run["recipe"])
        noted = Painted(weights["identity"], weights["network"], digits_of(recipe))
        write_notes(DOCS / "talk", read_notes(DOCS / "talk") | {experiment.name: noted})
    return made


def page(shown: Sequence[tuple[Experiment, Sequence[str]]], notes: Mapping[str, Painted]) -> str:
    """The document; of an experiment without pictures there is only the command. `notes` tell what painted them."""
    painted = {one.name: (one, pictures) for one, pictures in shown}
    rows = []
    for slide, name in SLIDES:
        one, pictures = painted[name]
        picture = f"[{one.title}](#{_anchor(one.title)})" if pictures else "not painted yet"
        command = with_weights(one, _named(notes.get(name)))
        rows.append(f"| {slide} | `impasto {command}` | `{in_discord(one)}` | {picture} |")
    parts = [HEAD.format(table="\n".join(rows))]
    for one, pictures in shown:
        note = notes.get(one.name)
        lines = [f"## {one.title}", one.asked, f"    impasto {with_weights(one, _named(note))} -o {one.name}"]
        lines += [f"![{one.title}](talk/{name})" for name in pictures]
        if pictures and note is not None:
            lines.append(f"*Painted with {note.in_words}.*")
        parts.append("\n\n".join([*lines, *([one.seen] if pictures and one.seen else [])]) + "\n")
    return "\n".join(parts)


def _named(note: Painted | None) -> str:
    """As `--weights` is to be told of them."""
    return "FILE" if note is None or note.from_file else note.weights_name


def in_discord(experiment: Experiment) -> str:
    """The command that does the same there, with the pictures attached and the bot's own weights."""
    name, *words = shlex.split(experiment.command)
    given = dict(pairwise(words))
    vary = given.get("--vary")
    command = {"paint": "/stylize", "study": "/gallery" if vary == STYLE else "/study"}[name]
    chosen = {"vary": vary if command == "/study" else None}
    chosen |= {option: given.get(f"--{option}") for option in ("recipe", "iterations", "snapshots", "size")}
    return " ".join([command, *(f"{option}:{value}" for option, value in chosen.items() if value is not None)])


def _anchor(title: str) -> str:
    return "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter == "-")


def main(weights: str, names: Sequence[str]) -> None:
    """Run those of these names, or all, and write the document."""
    draw()
    for experiment in EXPERIMENTS:
        if not names or experiment.name in names:
            run(experiment, weights)
        shown = [(one, show(one)) for one in EXPERIMENTS]
        (DOCS / "talk.md").write_text(page(shown, read_notes(DOCS / "talk")), encoding="utf-8")


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()) if Path(sys.argv[1]).exists() else sys.argv[1], sys.argv[2:])
