"""What the person at the terminal asked for, and the recipe that comes of it: one place for check, dry run and run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bot.intake import Picture, Wanted
from bot.requests.study_parts import recipe_maker
from bot.requests.study_parts import recipes as study_recipes
from bot.terminal.local_stack import shared_worker
from bot.terminal.weights_check import inspect_weights
from engine.contract.models import Asked, Format
from engine.contract.recipe_code import RecipeCode
from engine.contract.settings import Settings
from engine.contract.workers import Worker
from engine.recipe.draft import WEIGHTS, draft_recipe, finishing
from engine.recipe.presets import STAND_INS, preset, snapshots_of
from engine.recipe.recipe import MIN_SIZE, Recipe, RecipeError
from engine.recipe.studies import ITERATIONS


class Draft(NamedTuple):
    """A finished draft, and its longest side in px."""

    path: Path
    size: int


MOST_TILES = 100
"""The most pictures in a study's sheet, which then has some 6,000 x 5,000 px."""
WEIGHTS_BY_NAME = ("auto", "imagenet", *STAND_INS)


def weights_asked(given: str | None, settings: Settings) -> str:
    """The weights to paint with: `--weights`, else IMPASTO_WEIGHTS; a file by its absolute path.

    Where the workers of `REDIS_URL` paint, the setting is theirs, and without `--weights` they are taken as they are.
    """
    weights = given or ("auto" if settings.redis_url else settings.impasto_weights)
    return weights if weights in WEIGHTS_BY_NAME else str(Path(weights).absolute())


@dataclass(frozen=True)
class PaintArguments:
    """What is to be painted, and how."""

    content: Path
    styles: Sequence[Path]
    recipe: str
    """Name of the preset."""
    fields: Mapping[str, Any]
    """Fields of the recipe set over the preset."""
    weights: str
    """`auto`, `imagenet`, `starter`, `random`, or the path of a file."""
    content_masks: Sequence[Path] = ()
    style_masks: Sequence[Path] = ()
    fps: int = 12
    """Frames a second where the content is a folder of frames."""
    still: bool = False
    """Whether only the first frame is painted of an animation or a folder of frames."""
    draft_of: Asked | None = None
    """What it is a draft of, if it is one."""
    draft: Draft | None = None
    """The finished draft to go on from."""
    names: Sequence[str] = ()
    """What content and styles are called, where it is not by their files' names."""
    original_size: bool = False
    """Whether it is painted as large as the content is; see `sized`."""
    format: Format = "png"
    """The format of the finished picture, written beside its PNG."""
    keep_transparency: bool = False
    """Whether what is transparent in the content is so in the finished picture."""
    alpha: Path | None = None
    """The content's transparency as a grey picture of its own, where the content has lost it."""
    start: Path | None = None
    """The picture that a recipe with the start `picture` begins with, where there is no draft."""
    film: bool = True
    """Whether a film of its making is made."""
    vary: str | None = None
    """What is varied, where it is a study."""
    code: RecipeCode | None = None
    """The recipe code that decides all but the pictures, where one was given."""

    def as_draft(self, settings: Settings) -> PaintArguments:
        """The arguments for the draft of it, which is finished by these settings."""
        asked = Asked(
            recipe=self.recipe, fields=dict(self.fields), weights=self.weights,
            weights_input=settings.impasto_weights_input, format=self.format, film=self.film,
        )  # fmt: skip
        return dataclasses.replace(self, weights=WEIGHTS, draft_of=asked)

    @property
    def files(self) -> tuple[Path, ...]:
        """All pictures but the content: styles, masks of the content, masks of the styles, canvas, transparency."""
        return tuple(path for path, _ in self.wanted)

    @property
    def wanted(self) -> tuple[tuple[Path, Wanted], ...]:
        """The files, and what each is taken for: one may be a style and its own mask."""
        last = [path for path in (self.canvas, self.alpha) if path is not None]
        return (
            *((path, "picture") for path in self.styles),
            *((path, "mask") for path in (*self.content_masks, *self.style_masks)),
            *((path, "picture") for path in last),
        )

    @property
    def canvas(self) -> Path | None:
        """The picture that it begins with, if there is one."""
        return self.start if self.draft is None else self.draft.path

    def sized(self, content: Picture) -> PaintArguments:
        """The arguments with the content's own size, where that was asked for."""
        if not self.original_size:
            return self
        fields = {**self.fields, "size": max(MIN_SIZE, content.width, content.height)}
        draft_of = self.draft_of and self.draft_of.model_copy(update={"fields": fields})
        return dataclasses.replace(self, fields=fields, draft_of=draft_of, original_size=False)

    def recipe_for(
        self, weights: str, *, frames: int = 1, worker: Worker | None = None, network: str | None = None
    ) -> Recipe:
        """The recipe for these weights, by the name that a worker knows them by. Raises `RecipeError`.

        A film of several `frames` shows each of their paintings, beside the snapshots that were asked for. `network` is
        the weights' architecture, or it is what the `worker` says, where it paints with its own weights.
        """
        if worker is not None and worker.weights == weights:
            network = worker.network
        fields = self.fields if network is None else {**self.fields, "network": network}
        recipe = self._recipe(weights, fields)
        self._check_code(weights, network, frames)
        if len(recipe.style_weights) != len(self.styles):
            weighed, given = len(recipe.style_weights), len(self.styles)
            raise RecipeError(f"The recipe weighs {weighed} styles, but {given} were given.")
        for masks in (self.content_masks, self.style_masks):
            recipe.check_masks(len(masks))
        if self.format == "jpeg" and (self.keep_transparency or self.alpha):
            raise RecipeError("A JPEG holds no transparency: give --format png or webp.")
        if recipe.start == "picture" and self.canvas is None:
            raise RecipeError("This recipe begins with a picture of yours: give it by --start FILE.")
        if self.vary is not None:
            if frames > 1:
                raise RecipeError("A study is of one picture: give --still to take the first of these alone.")
            make = recipe_maker(self.recipe, weights, network)
            found = study_recipes(self.vary, self.fields, make, [path.stem for path in self.styles])
            pictures = len(found[0][1].shown) if self.vary == ITERATIONS else len(found)
            if pictures > MOST_TILES:
                raise RecipeError(
                    f"These are {pictures:,} pictures, and {MOST_TILES} are the most in one sheet: ask for fewer."
                )
        if frames == 1:
            return recipe
        if self.draft_of is not None:
            raise RecipeError("A draft is of one picture: give --still to paint the first of these alone.")
        if self.keep_transparency:
            raise RecipeError("A film is opaque: give --still to paint its first picture with its transparency.")
        if not self.film:
            raise RecipeError("What is painted of several pictures is a film: leave out --no-film, or give --still.")
        recipe = recipe.sequence(frames)
        shown = snapshots_of(recipe, self.fields.get("snapshots", ()))  # all through the film
        return dataclasses.replace(recipe, snapshots=tuple(sorted({*shown, *recipe.frame_ends})))

    def _check_code(self, weights: str, network: str | None, frames: int) -> None:
        """The name of a file's weights, and their architecture, are known only once a worker has read it."""
        if self.code is None:
            return
        if frames > 1:
            raise RecipeError("A recipe code is for one picture: give --still to paint the first of these alone.")
        if self.code.recipe.weights != weights and not Path(weights).is_absolute():
            raise RecipeError(
                f"This recipe code is for the weights {self.code.recipe.weights}, and these are {weights}: give "
                "those by --weights."
            )
        if network is None and weights in WEIGHTS_BY_NAME:
            network = preset(self.recipe, weights=weights).network
        if network not in (None, self.code.recipe.network):
            raise RecipeError(
                f"This recipe code is for other weights {weights} than are here: what it stands for cannot be repeated."
            )

    def _recipe(self, weights: str, fields: Mapping[str, Any]) -> Recipe:
        if self.code is not None:
            return self.code.recipe
        if self.draft_of is not None:
            return draft_recipe(self.recipe, **fields)
        recipe = preset(self.recipe, weights=weights, **fields)
        return recipe if self.draft is None else finishing(recipe, self.draft.size)

    def check(self, settings: Settings) -> None:
        """Raises `RecipeError` for what is wrong whatever the weights turn out to be."""
        problems, possible = [], self._possible(settings)
        for weights in possible:
            try:
                self.recipe_for(weights)
            except RecipeError as problem:
                problems.append(problem)
        if len(problems) == len(possible):
            raise problems[0]

    async def expected(self, settings: Settings) -> Recipe:
        """The recipe for the weights that would paint if it were begun now. Raises `RecipeError` and `WorkerError`.

        Whether weights could be downloaded is not tried: `auto` is `starter` where they are not in the cache.
        """
        if settings.redis_url and self.weights not in STAND_INS:
            worker = await shared_worker(settings, self.weights)
            return self.recipe_for(worker.weights, worker=worker)
        if self.weights in WEIGHTS_BY_NAME:
            return self.recipe_for(self._possible(settings)[-1])
        file = await inspect_weights(self.weights, settings.impasto_weights_input)
        return self.recipe_for(file.name, network=file.network)

    def _possible(self, settings: Settings) -> tuple[str, ...]:
        """What the weights may turn out to be, the likeliest where nothing can be fetched last.

        A file's own name is not known yet, but presets treat all files alike.
        """
        if self.weights != "auto":
            return (self.weights,)
        if settings.redis_url:
            return ("imagenet", *STAND_INS)
        return ("imagenet",) if settings.weights_cached else ("imagenet", "starter")
