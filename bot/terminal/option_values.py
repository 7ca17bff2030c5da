"""What the text of an option of `impasto paint` means."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_origin, get_type_hints

import click
from pydantic import TypeAdapter, ValidationError

from engine.recipe.presets import ALIASES, AUTO, EVERY
from engine.recipe.recipe import Recipe, RecipeError

ORIGINAL = "original"
STARTS = ("patches", "content", "style", "noise", "statistics")
_NOT_SET = ("name", "version", "weights", "network", "frames")
"""Fields that follow from other options, or that only the library sets."""


def numbers(kind: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Values with commas between them."""

    def parse(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[Any, ...] | None:
        try:
            return None if text is None else tuple(kind(part) for part in text.split(",") if part.strip())
        except ValueError:
            raise click.BadParameter(f"{text} is not a list of numbers like 1,2,3.", param=parameter) from None

    return parse


def snapshot(text: str) -> int | str:
    """An iteration, or a rule that chooses some."""
    words = text.strip()
    return words if words == AUTO or words.startswith(EVERY) else int(words)


def recipe(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """A preset by its own name."""
    return ALIASES.get(name, name)


def size(_: click.Context, parameter: click.Parameter, text: str | None) -> int | str | None:
    """Pixels, or the content's own."""
    if text is None or text == ORIGINAL:
        return text
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(f"{text} is neither a number nor {ORIGINAL}.", param=parameter) from None


def start(_: click.Context, parameter: click.Parameter, text: str | None) -> str | Path | None:
    """One of the kinds of start, or a picture's file."""
    if text is None or text in STARTS:
        return text
    if not os.path.lexists(text):  # unlike `Path.exists`, it raises nothing
        raise click.BadParameter(f"{text} is neither a file nor one of {', '.join(STARTS)}.", param=parameter)
    return Path(text)


def setting(text: str) -> tuple[str, Any]:
    """FIELD=VALUE in the field's own type. Raises `RecipeError`."""
    name, separator, value = text.partition("=")
    kinds = {field: kind for field, kind in get_type_hints(Recipe).items() if field not in _NOT_SET}
    if not separator or name not in kinds:
        raise RecipeError(f"--set takes FIELD=VALUE with one of the fields {', '.join(kinds)}.")
    kind = kinds[name]
    if get_origin(kind) is Literal:
        return name, value  # the recipe says which there are
    values = [part for part in value.split(",") if part] if get_origin(kind) is tuple else value
    try:
        return name, TypeAdapter(kind).validate_python(values)
    except ValidationError:
        raise RecipeError(f"{value} is not a value for {name}.") from None
