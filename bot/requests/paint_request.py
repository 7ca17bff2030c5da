"""What a member asks for, and what is to be painted for it: pictures, and the recipe in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from engine.contract.jobs import Jobs
from engine.contract.models import Asked, StoredPicture
from engine.contract.study import Study
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe


@dataclass(frozen=True)
class AttachedPicture:
    """A picture that lies with Discord: size in bytes and type as it tells them."""

    name: str
    url: str
    size: int | None = None
    kind: str | None = None
    spoiler: bool = False
    """Whether its sender covers it: then it is covered wherever it is shown, and its name is told to nobody."""


class StyleName(NamedTuple):
    """A style that is saved under that name."""

    name: str


@dataclass(frozen=True)
class AskedStudy:
    """A study whose pictures are still to come."""

    vary: str
    fields: Mapping[str, Any]
    """The recipe's fields that were set over the preset."""


@dataclass(frozen=True)
class PaintRequest:
    """Pictures as uploads, or as they lie in the store from an earlier job; and how to paint them."""

    recipe: Recipe
    content: AttachedPicture | StoredPicture
    styles: tuple[AttachedPicture | StoredPicture, ...]
    parent: str | None = None
    checkpoint: str | None = None
    """Key of the checkpoint to go on from."""
    reached: int = 0
    """The checkpoint's iteration."""
    start: AttachedPicture | StoredPicture | None = None
    """The picture to begin with."""
    content_masks: tuple[AttachedPicture | StoredPicture, ...] = ()
    """For each style where in the painting it applies (white), or none."""
    style_masks: tuple[AttachedPicture | StoredPicture, ...] = ()
    """For each style which part of it counts (white), or none."""
    mention: bool = False
    animate: bool = False
    """Whether every picture of the content is painted, where it is an animation."""
    iterations_chosen: bool = True
    """Whether somebody chose the iterations; else a film too long for the limit has fewer for its first picture."""
    draft_of: Asked | None = None
    """What it is a draft of, if it is one."""
    film: bool = True
    """Whether a film of the making is made."""
    study: AskedStudy | Study | None = None
    """What is varied, where it is a study; or its paintings, where it comes from one that was accepted before."""


Style = AttachedPicture | StoredPicture | StyleName
"""What a member gives as a style."""


def chosen(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without those that nobody chose, which are None."""
    return {field: value for field, value in fields.items() if value is not None}


def pictures_alone(styles: Sequence[Style]) -> tuple[AttachedPicture | StoredPicture, ...]:
    """The styles, once `with_saved_styles` has made each name a picture."""
    assert not any(isinstance(style, StyleName) for style in styles)  # noqa: S101 - see above
    return tuple(style for style in styles if not isinstance(style, StyleName))


class Network(NamedTuple):
    """What paints: weights by name, and their architecture, as in a recipe's fields `weights` and `network`."""

    weights: str
    architecture: str | None = None
    """The network's architecture; None: the one that these weights usually have."""

    def recipe(self, name: str, fields: Mapping[str, Any]) -> Recipe:
        """The preset of this name for this network, with these fields set over it. Raises `RecipeError`."""
        own = {} if self.architecture is None else {"network": self.architecture}
        return preset(name, weights=self.weights, **{**fields, **own})


class MemberRequest(Protocol):
    """What a member asks for. The recipe depends on the network that will paint it."""

    async def resolve(self, network: Network, jobs: Jobs) -> PaintRequest:
        """What is to be painted for it. Raises `UserError` or `RecipeError`."""
