"""What is typed after `impasto paint` and `impasto batch`, and the arguments that come of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import click

from bot.terminal.paint_arguments import PaintArguments, weights_asked
from engine.contract.models import FINAL_FILES
from engine.contract.settings import Settings
from engine.recipe.presets import AUTO, EVERY, PRESETS
from engine.recipe.recipe import Recipe, RecipeError

_NOT_SET = (
    "name",
    "version",
    "weights",
    "network",
    "frames",
)  # of the fields: they follow from options, or are the library's


def numbers(kind: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """For click: a list of such numbers, with commas between them."""

    def parse(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[Any, ...] | None:
        try:
            return None if text is None else tuple(kind(part) for part in text.split(",") if part.strip())
        except ValueError:
            raise click.BadParameter(f"{text} is not a list of numbers like 1,2,3.", param=parameter) from None

    return parse


def _snapshot(text: str) -> int | str:
    words = text.strip()
    return words if words == AUTO or words.startswith(EVERY) else int(words)


_ORIGINAL = "original"
_STARTS = ("patches", "content", "style", "noise", "statistics")


def _size(_: click.Context, parameter: click.Parameter, text: str | None) -> int | str | None:
    if text is None or text == _ORIGINAL:
        return text
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(f"{text} is neither a number nor {_ORIGINAL}.", param=parameter) from None


def _start(_: click.Context, parameter: click.Parameter, text: str | None) -> str | Path | None:
    if text is None or text in _STARTS:
        return text
    if not Path(text).exists():
        raise click.BadParameter(f"{text} is neither a file nor one of {', '.join(_STARTS)}.", param=parameter)
    return Path(text)


_SHARED = (
    click.option("--recipe", type=click.Choice(list(PRESETS)), default="fine", show_default=True),
    click.option("--iterations", type=int, help="How many; up to 99900."),
    click.option("--size", callback=_size, metavar="PX|original", help="Longest side; original: the content's own."),
    click.option(
        "--snapshots", callback=numbers(_snapshot), metavar="N,N…",
        help="Iterations to keep, like 100,300,3300; auto: where it changes; every:50: each fiftieth.",
    ),
    click.option(
        "--start",
        callback=_start,
        metavar="|".join((*_STARTS, "FILE")),
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


def arguments_of(
    content: Path, styles: tuple[Path, ...], options: dict[str, Any], settings: Settings
) -> PaintArguments:
    """The arguments for a painting, of the options that a command has. Raises `RecipeError`."""
    return PaintArguments(
        content, styles, options["recipe"], _fields(options, len(styles)), weights_asked(options["weights"], settings),
        options.get("content_masks", ()), options.get("style_masks", ()), options["fps"], options["still"],
        format=options["format_"], keep_transparency=options["keep_transparency"],
        original_size=options["size"] == _ORIGINAL,
        start=options["start"] if isinstance(options["start"], Path) else None,
    )  # fmt: skip


def _fields(options: dict[str, Any], styles: int) -> dict[str, Any]:
    """The recipe's fields that were asked for."""
    names = ("iterations", "size", "snapshots", "start", "noise", "seed", "style_weights", "strength")
    fields = {name: options[name] for name in names if options.get(name) is not None}
    if fields.get("size") == _ORIGINAL:  # which is seen when the picture is
        del fields["size"]
    if isinstance(fields.get("start"), Path):
        fields["start"] = "picture"
    fields.setdefault("style_weights", (1.0,) * styles)
    return fields | dict(setting(text) for text in options["settings_"])


def setting(text: str) -> tuple[str, Any]:
    """FIELD=VALUE in the field's own type. Raises `RecipeError`."""
    name, separator, value = text.partition("=")
    kinds = {field: kind for field, kind in get_type_hints(Recipe).items() if field not in _NOT_SET}
    if not separator or name not in kinds:
        raise RecipeError(f"--set takes FIELD=VALUE with one of the fields {', '.join(kinds)}.")
    kind = kinds[name]
    try:
        if kind is bool:
            return name, {"true": True, "false": False}[value.lower()]
        if kind in (int, float):
            return name, kind(value)
        if getattr(kind, "__origin__", None) is tuple:
            return name, tuple(kind.__args__[0](part) for part in value.split(",") if part)
    except (ValueError, KeyError):
        raise RecipeError(f"{value} is not a value for {name}.") from None
    return name, value
