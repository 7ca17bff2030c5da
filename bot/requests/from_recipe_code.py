"""A painting by a recipe code: recipe, seed and size as in another's, with pictures of one's own."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import UserError
from bot.requests.new_painting import MOST_ASKED, NewPainting
from bot.requests.paint_request import AttachedPicture, Network, PaintRequest, Style, pictures_alone
from bot.text.formatting import count
from bot.text.sanitise import plain
from bot.text.translation import _, listed, pgettext
from engine.contract.jobs import Jobs
from engine.contract.models import Job
from engine.contract.recipe_code import RecipeCode, style_digests
from engine.contract.store import Store


@dataclass(frozen=True)
class FromCode:
    """What a member asks for by a code, from attached pictures or saved ones."""

    code: RecipeCode
    content: AttachedPicture
    styles: tuple[Style, ...]
    """The pictures of styles; empty: those of the code, where they are saved."""
    mention: bool = False
    film: bool = True

    @classmethod
    def of(cls, asked: NewPainting, code: RecipeCode) -> FromCode:
        """The asked pictures painted by a code. Raises `UserError` where something was chosen that the code decides."""
        chosen = {
            "recipe": asked.preset, **asked.fields, "blend": asked.blend, "snapshots": asked.snapshots,
            "animate": asked.animate or None, "quality": asked.draft or None, "start_picture": asked.start,
            "mask": asked.content_masks or asked.style_masks or None,
        }  # fmt: skip
        if given := [name for name, value in chosen.items() if value is not None]:
            options = listed([pgettext("option", name) for name in given])
            raise UserError(_("A recipe code holds all the settings: leave out {options}.", options=options))
        return cls(code, asked.content, asked.styles, asked.mention, asked.film)

    async def resolve(self, network: Network, _jobs: Jobs) -> PaintRequest:
        """Raises `UserError`."""
        recipe, needed = self.code.recipe, len(self.code.recipe.style_weights)
        if recipe.weights != network.weights:
            raise UserError(
                _("This recipe code is for the weights {wanted}, and I paint with {here}: what it stands for cannot be "
                  "repeated here.", wanted=plain(recipe.weights, 40), here=plain(network.weights, 40))
            )  # fmt: skip
        if network.architecture not in (None, recipe.network):
            raise UserError(
                _("This recipe code is for other weights {weights} than I have: what it stands for cannot be repeated "
                  "here.", weights=plain(recipe.weights, 40))
            )  # fmt: skip
        if len(self.styles) != needed:
            wanted, given = count(needed, "style"), len(self.styles)
            raise UserError(_("This recipe code is for {styles}, and {given} were given.", styles=wanted, given=given))
        if len(set(recipe.snapshots)) >= MOST_ASKED:  # beside the last picture; those past its end come by Continue
            raise UserError(
                _("This recipe code asks for more than {most} snapshots: it is not painted here.", most=MOST_ASKED)
            )
        styles = pictures_alone(self.styles)
        return PaintRequest(recipe, self.content, styles, mention=self.mention, film=self.film)


async def note_on_styles(store: Store, code: RecipeCode, job: Job) -> str:
    """A sentence where the styles are others than the code's; empty where they are the same. Raises `StoreError`."""
    if code.styles == await style_digests(store, job):
        return ""
    return _("The style is another picture than the code's, so the painting will not be the same.")
