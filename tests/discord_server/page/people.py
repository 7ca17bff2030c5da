"""Who speaks: avatar, name, and the badge of an app."""

from __future__ import annotations

from discord_server.page.icons import icon
from discord_server.page.markup import Html, join, tag
from discord_server.page.view import Json, View, display_name

_DISCS = ("#5865f2", "#757e8a", "#3ba55c", "#d98a0b", "#ed4245", "#eb459f")
_VERIFIED_BOT = 1 << 16


def avatar(user: Json, view: View) -> Html:
    """The user's picture, or their initials on the colour of their default avatar."""
    source = view.cdn(f"avatars/{user['id']}/{user['avatar']}.png") if user.get("avatar") else None
    if source:
        return tag("img", src=source, alt="", cls="avatar")
    initials = "".join(word[0].upper() for word in display_name(user).split()[:2])
    return tag("span", initials, cls="avatar", style=f"background: {_DISCS[(int(user['id']) >> 22) % len(_DISCS)]}")


def named(user: Json) -> Html:
    """The name, with a badge where an app bears it."""
    verified = icon("check") if user.get("public_flags", 0) & _VERIFIED_BOT else None
    badge = tag("span", verified, "APP", cls="badge") if user.get("bot") else None
    return join([tag("b", display_name(user), cls="name"), badge])
