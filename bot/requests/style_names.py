"""From the names of saved styles to their pictures and settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from bot.errors import UserError
from bot.guild_settings import Rules
from bot.requests.from_recipe_code import FromCode
from bot.requests.new_painting import NewPainting
from bot.requests.new_study import NewStudy
from bot.requests.paint_request import StyleName, chosen
from bot.text.sanitise import is_blank, plain, safe
from bot.text.translation import _
from engine.contract.models import StoredPicture
from engine.contract.saved_styles import SavedStyle, SavedStyles, folded

LONGEST_NAME = 40  # letters


async def with_saved_styles(
    asked: NewPainting | NewStudy | FromCode, styles: SavedStyles, server: int, rules: Rules, *, age_restricted: bool
) -> NewPainting | NewStudy | FromCode:
    """The request with pictures for names of styles, painted as the first was saved where nothing else is asked.

    As far as the limits let it: they may be lower than when it was saved. A study holds all else the same, and a code
    all that it says, so that they have no style's own settings. A code without styles finds its own where they are
    saved. Raises `UserError`.
    """
    if isinstance(asked, FromCode) and not asked.styles:
        return dataclasses.replace(asked, styles=_of_code(asked, await styles.all(server), age_restricted))
    if not any(isinstance(style, StyleName) for style in asked.styles):
        return asked
    known = {folded(style.name): style for style in await styles.all(server)}
    found = {
        name: _found(known, name, age_restricted=age_restricted)
        for name in (style.name for style in asked.styles if isinstance(style, StyleName))
    }
    pictures = tuple(_named(found[one.name]) if isinstance(one, StyleName) else one for one in asked.styles)
    if not isinstance(asked, NewPainting):
        return dataclasses.replace(asked, styles=pictures)
    settings = dict(next(iter(found.values())).settings)
    for field, most in (("size", rules.max_size), ("iterations", rules.max_iterations)):
        if field in settings:
            settings[field] = min(int(settings[field]), most)
    recipe = settings.pop("recipe", None)
    preset = asked.preset or (None if recipe is None else str(recipe))
    own = chosen(asked.fields)
    return dataclasses.replace(
        asked, styles=pictures, preset=preset, fields=settings | own, iterations_chosen="iterations" in own
    )


def _of_code(asked: FromCode, saved: Sequence[SavedStyle], age_restricted: bool) -> tuple[StoredPicture, ...]:
    """Saved under whatever name."""
    known = {style.digest: style for style in saved if age_restricted or not style.age_restricted}
    if not set(asked.code.styles) <= set(known):
        raise UserError(_("The style of this recipe code is not saved here: attach the same picture as `style`."))
    return tuple(_named(known[digest]) for digest in asked.code.styles)


def _found(known: Mapping[str, SavedStyle], name: str, *, age_restricted: bool) -> SavedStyle:
    style = known.get(folded(as_saved(name)))
    if style is None:
        raise no_such_style(name)
    if style.age_restricted and not age_restricted:
        called = safe(style.name, 50)
        raise UserError(
            _("The style {name} was saved in an age-restricted channel: use it in one of those.", name=called)
        )
    return style


def as_saved(name: str) -> str:
    """What a member typed as a style's name, as it is saved: harmless where Discord shows it.

    Empty, as no style is called, where nothing of it would be seen.
    """
    return "" if is_blank(name) else plain(name, LONGEST_NAME)


def no_such_style(name: str) -> UserError:
    """The error for a style's name that is not saved there."""
    called = safe(name, 50)
    return UserError(
        _("There is no saved style called {name} here: `/style list` shows those that there are.", name=called)
    )


def _named(style: SavedStyle) -> StoredPicture:
    """The style's picture, called as the style is."""
    return style.picture.model_copy(update={"name": style.name})
