"""What the person in front of the channel knows: the names of people and places, the hour, and who they are."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
"""An object as Discord's REST API returns it."""

_CDN = "https://cdn.discordapp.com"
_MAGIC = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


@dataclass(frozen=True)
class View:
    """Who looks, and when. `now` decides the time zone of every hour shown, `nested` counts the marks around a text."""

    users: Mapping[str, Json]
    channels: Mapping[str, str]
    viewer: str | None
    now: datetime
    embed: Callable[[str], bytes] | None
    nested: int = 0

    def inside(self) -> View:
        """The view of what stands between two marks."""
        return replace(self, nested=self.nested + 1)

    def name_of(self, user: str) -> str:
        """The name shown for a user's id."""
        return display_name(self.users[user]) if user in self.users else "unknown-user"

    def source(self, url: str) -> str:
        """What an <img> is to show: the address, or with `embed` the bytes behind it."""
        if self.embed is None or url.startswith("data:"):
            return url
        data = self.embed(url)
        kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "video/mp4")
        return f"data:{kind};base64,{b64encode(data).decode()}"

    def cdn(self, path: str) -> str | None:
        """A picture of Discord's CDN, if `embed` has it: the page itself never asks Discord."""
        if self.embed is None:
            return None
        try:
            return self.source(f"{_CDN}/{path}")
        except LookupError:
            return None


def display_name(user: Json) -> str:
    """The name that the client shows of a user object."""
    return str(user.get("global_name") or user["username"])
