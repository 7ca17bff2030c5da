"""A new study, with the options of `/study` and `/gallery`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.errors import UserError
from bot.guild_settings import USUAL_RECIPE
from bot.requests.new_painting import new_seed, read_snapshots
from bot.requests.paint_request import AskedStudy, AttachedPicture, Network, PaintRequest, Style, chosen, pictures_alone
from bot.requests.study_parts import recipes
from bot.text.translation import _
from engine.contract.jobs import Jobs
from engine.recipe.studies import ITERATIONS

MOST_MOMENTS = 16
"""The most pictures in the sheet of a painting that grows."""


@dataclass(frozen=True)
class NewStudy:
    """What a member asks for from attached pictures."""

    vary: str
    preset: str | None
    """The recipe's name; None: as is usual there."""
    fields: Mapping[str, Any]
    """The recipe's fields that were chosen; None for those that were not."""
    content: AttachedPicture
    styles: tuple[Style, ...]
    mention: bool = False
    snapshots: str | None = None
    """What is looked at where iterations are studied, as `read_snapshots` has them."""
    film: bool = True
    """Whether a film of the study is made."""

    async def resolve(self, network: Network, _jobs: Jobs) -> PaintRequest:
        """Raises `UserError` or `RecipeError`."""
        fields = {"seed": new_seed(), "style_weights": (1.0,) * len(self.styles), **chosen(self.fields)}
        if self.snapshots is not None:
            if self.vary != ITERATIONS:
                raise UserError(_("Snapshots are of one painting that grows: choose them with `vary: iterations`."))
            fields["snapshots"] = read_snapshots(self.snapshots)
        make = partial(network.recipe, self.preset or USUAL_RECIPE)
        found = recipes(self.vary, fields, make, [style.name for style in self.styles])
        grown = found[0][1]
        count = len({*grown.snapshots, grown.iterations})  # those past its end may come by From here
        if self.snapshots is not None and count > MOST_MOMENTS:
            raise UserError(
                _("These are {count} pictures, and {most} are the most in one sheet: ask for fewer.", count=count,
                  most=MOST_MOMENTS)
            )  # fmt: skip
        styles = pictures_alone(self.styles)
        return PaintRequest(
            make(fields), self.content, styles, mention=self.mention, study=AskedStudy(self.vary, fields),
            film=self.film,
        )  # fmt: skip
