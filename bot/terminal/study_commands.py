"""The commands `study` and `gallery`: the options of `paint`, and what is to be varied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from bot.terminal.option_values import setting
from bot.terminal.paint_arguments import MOST_TILES
from engine.recipe.studies import FLICKER, KINDS, STYLE, fields_set

_OF_PAINTINGS_ALONE = {"pictures", "output", "draft", "finished", "recipe_code", "dry", "format_", "keep_transparency"}

_WITHOUT_MASKS = {"swap": ("content_masks", "style_masks"), "white": ("style_masks",)}
"""By what is varied, the masks that do not fit what is painted in: swapped, trimmed, or masked by the study itself."""
_VARY = f"What differs from painting to painting; iterations: one painting, of which {MOST_TILES} moments at most."

Paint = Callable[[tuple[Path, ...], Path | None, str | None, dict[str, Any]], NoReturn]
"""Paint the pictures in the folder; what is varied, if it is a study; the other options."""


def study_commands(paint: Paint, options: Sequence[click.Parameter]) -> tuple[click.Command, ...]:
    """The commands `study` and `gallery`; `options` are those of `paint`."""
    shared = [option for option in options if option.name not in _OF_PAINTINGS_ALONE]

    @click.command("study", params=_own("CONTENT STYLE [STYLE …]", vary=True, options=shared))
    def study(pictures: tuple[Path, ...], vary: str | None, output: Path | None, **given: Any) -> None:
        """Paint CONTENT in the style of STYLE several times, and vary one thing: a sheet of them all, films and plots.

        All else is as for `paint`, and held. Ctrl-C stops and keeps what there is; --resume DIR goes on.
        """
        if given["resumed"] is None and vary is None:
            raise click.UsageError(f"What is to be varied? --vary {'|'.join(KINDS)}.")
        paint(pictures, output, vary, given)

    of_styles = [option for option in shared if option.name not in fields_set(STYLE)]

    @click.command("gallery", params=_own("CONTENT STYLE STYLE […]", vary=False, options=of_styles))
    def gallery(pictures: tuple[Path, ...], output: Path | None, **given: Any) -> None:
        """Paint CONTENT in each STYLE, up to eight, and show them in one sheet: a study of styles."""
        paint(pictures, output, STYLE, given)

    return study, gallery


def refuse_what_it_sets(vary: str, options: Mapping[str, Any]) -> None:
    """Raises `UsageError` where something is asked for that the study would pass over in silence, or `RecipeError`."""
    given = {name: f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None}
    given |= {text.partition("=")[0]: f"--set {text}" for text in options["settings_"]}
    for field in sorted(fields_set(vary) & given.keys()):
        raise click.UsageError(f"A study of {vary} sets the field {field} by itself: leave out {given[field]}.")
    for masks in _WITHOUT_MASKS.get(vary, ()):
        if options[masks]:
            option = f"--{masks[:-1].replace('_', '-')}"
            raise click.UsageError(f"A study of {vary} has no use for these masks: leave out {option}.")
    noise = dict(map(setting, options["settings_"])).get("noise", options["noise"])
    if vary == FLICKER and noise == 0:
        raise click.UsageError("A study of flicker has noise in the start: give a --noise above 0, or leave it out.")


def _own(pictures: str, *, vary: bool, options: Sequence[click.Parameter]) -> list[click.Parameter]:
    path = click.Path(path_type=Path)
    found: list[click.Parameter] = [click.Argument(["pictures"], nargs=-1, metavar=pictures, type=path)]
    if vary:
        kinds = click.Choice(list(KINDS))
        found.append(click.Option(["--vary"], type=kinds, help=_VARY))
    found.append(click.Option(["-o", "--output"], type=path, metavar="DIR", help="Folder to paint in."))
    return [*found, *options]
