"""What is typed after `impasto paint` and `impasto batch`, and the arguments that come of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from bot.terminal.option_values import ORIGINAL, STARTS, numbers, recipe, setting, size, snapshot, start
from bot.terminal.paint_arguments import WEIGHTS_BY_NAME, PaintArguments, weights_asked
from engine.contract.models import FINAL_FILES
from engine.contract.recipe_code import read_code
from engine.contract.settings import Settings
from engine.recipe.presets import ALIASES, PRESETS
from engine.recipe.recipe import MAX_ITERATIONS

_SHARED = (
    click.option(
        "--recipe", type=click.Choice([*PRESETS, *ALIASES]), callback=recipe, default="fine", show_default=True,
        help="; ".join(f"{alias}: {name}, by another name" for alias, name in ALIASES.items()) + ".",
    ),
    click.option("--iterations", type=int, help=f"How many; up to {MAX_ITERATIONS}."),
    click.option("--size", callback=size, metavar="PX|original", help="Longest side; original: the content's own."),
    click.option(
        "--snapshots", callback=numbers(snapshot), metavar="N,N…",
        help="Iterations to keep, like 100,300,3300; auto: where it changes; every:50: each fiftieth. Of a film also "
        "each frame's painting.",
    ),
    click.option(
        "--start",
        callback=start,
        metavar="|".join((*STARTS, "FILE")),
        help="What to begin with; FILE: a picture of your own.",
    ),
    click.option("--noise", type=float, help="Share of noise in the start, 0 to 1."),
    click.option("--seed", type=int, help="The same seed gives the same picture."),
    click.option("--strength", type=float, help="Style over content: 2 doubles the style's weight."),
    click.option(
        "--weights", metavar="auto|imagenet|starter|random|PATH",
        help="The network's weights.  [default: IMPASTO_WEIGHTS, else auto]",
    ),
    click.option(
        "--weights-input", type=click.Choice(["auto", "torchvision", "caffe"]),
        help="What a file's weights expect.  [default: IMPASTO_WEIGHTS_INPUT, else told from their numbers]",
    ),
    click.option(
        "--format", "format_", type=click.Choice(list(FINAL_FILES)), default="png", show_default=True,
        help="Of the finished picture, beside final.png.",
    ),
    click.option(
        "--film/--no-film", default=True, show_default=True, help="film.webp: its making, with the loss drawing itself."
    ),
    click.option("--keep-transparency", is_flag=True, help="What is transparent in CONTENT is so in the result."),
    click.option("--still", is_flag=True, help="Of an animated CONTENT, or a folder of frames, paint only the first."),
    click.option(
        "--fps", type=click.IntRange(1, 50), default=12, show_default=True, help="Of a folder of frames, a second."
    ),
    click.option(
        "--device", metavar="auto|cpu|mps|cuda[:N]", help="Where to paint.  [default: IMPASTO_DEVICE, else auto]"
    ),
    click.option("--set", "settings_", multiple=True, metavar="FIELD=VALUE", help="Any field of the recipe."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object per event."),
)  # fmt: skip

_Command = TypeVar("_Command", bound=Callable[..., Any])


def shared_options(command: _Command) -> _Command:
    """Give the command the options that `paint` and `batch` have in common."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


def given(name: str) -> bool:
    """Whether the option of this name stands on the command line."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def refuse_device(settings: Settings) -> None:
    """Raises `UsageError` where there is a `--device` that would be passed over in silence."""
    if settings.redis_url and given("device"):
        raise click.UsageError("The workers of REDIS_URL paint, each on its own device: leave out --device.")


def arguments_of(
    content: Path, styles: tuple[Path, ...], options: dict[str, Any], settings: Settings
) -> PaintArguments:
    """The arguments for a painting, of the options that a command has. Raises `RecipeError`."""
    return PaintArguments(
        content, styles, options["recipe"], _fields(options, len(styles)), weights_asked(options["weights"], settings),
        options.get("content_masks", ()), options.get("style_masks", ()), options["fps"], options["still"],
        format=options.get("format_", "png"), keep_transparency=options.get("keep_transparency", False),
        original_size=options["size"] == ORIGINAL, film=options["film"],
        start=options["start"] if isinstance(options["start"], Path) else None,
    )  # fmt: skip


def by_code(content: Path, styles: tuple[Path, ...], options: dict[str, Any], settings: Settings) -> PaintArguments:
    """The arguments that a recipe code decides, with its own weights unless others are given. Raises `RecipeError`."""
    code = read_code(options["recipe_code"])
    own = code.recipe.weights
    known = own if options["weights"] is None and own in WEIGHTS_BY_NAME else options["weights"]
    arguments = arguments_of(content, styles, options | {"weights": known}, settings)
    return dataclasses.replace(arguments, code=code)


def _fields(options: dict[str, Any], styles: int) -> dict[str, Any]:
    """The recipe's fields that were asked for. Raises `UsageError` where two options ask for one, or `RecipeError`."""
    names = ("iterations", "size", "snapshots", "start", "noise", "seed", "style_weights", "strength")
    fields = {name: options[name] for name in names if options.get(name) is not None}
    further: dict[str, Any] = {}
    for name, value in map(setting, options["settings_"]):
        if name in further:
            raise click.UsageError(f"--set {name}=… is given twice: leave one of them out.")
        further[name] = value
    for name in sorted(fields.keys() & further.keys()):
        raise click.UsageError(f"--{name.replace('_', '-')} and --set {name}=… set one field: leave one of them out.")
    if fields.get("size") == ORIGINAL:  # which is seen when the picture is
        del fields["size"]
    if isinstance(fields.get("start"), Path):
        fields["start"] = "picture"
    fields.setdefault("style_weights", (1.0,) * styles)
    return fields | further
