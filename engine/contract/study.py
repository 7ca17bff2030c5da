"""Studies: paintings that differ in one thing, as one job; and pictures as they lie in the store."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, PositiveInt

from engine.recipe.recipe import Recipe
from engine.recipe.studies import file_name

Value = bool | int | float | str
"""What a recipe's field may hold."""


class StoredPicture(BaseModel):
    """A clean picture in the store: RGB PNG, upright, sRGB; sizes in px."""

    model_config = ConfigDict(frozen=True)

    key: str
    name: str
    width: PositiveInt
    height: PositiveInt
    spoiler: bool = False
    """Whether it is to be covered wherever it is shown."""


class Tile(NamedTuple):
    """One of the pictures that a study is about: what the job shows after `iteration`."""

    iteration: int
    label: str
    note: str
    file: str
    """The name of its file."""


class Part(BaseModel):
    """One of a study's paintings."""

    model_config = ConfigDict(frozen=True)

    label: str
    note: str = ""
    recipe: Recipe
    content: StoredPicture
    styles: tuple[StoredPicture, ...]
    content_masks: tuple[StoredPicture, ...] = ()
    style_masks: tuple[StoredPicture, ...] = ()


class Study(BaseModel):
    """Paintings that differ in one thing, painted one after the other."""

    model_config = ConfigDict(frozen=True)

    vary: str
    """One of `engine.recipe.studies.KINDS`."""
    fields: dict[str, Value | tuple[Value, ...]] = {}
    """The recipe's fields that were set over the preset, to ask for the same again."""
    parts: tuple[Part, ...]

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """Each painting's last picture; or, where there is one painting alone, all that it shows."""
        ends = accumulate(part.recipe.iterations for part in self.parts)
        told = [(end, part.label, part.note) for end, part in zip(ends, self.parts, strict=True)]
        if len(self.parts) == 1:
            told = [(i, f"{i:,} iteration{'s' * (i > 1)}", "") for i in self.parts[0].recipe.shown]
        return tuple(Tile(*about, file_name(number, about[1])) for number, about in enumerate(told, 1))
