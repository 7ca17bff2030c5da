"""What the tests of `/study` share."""

from __future__ import annotations

from typing import Any

from discord_server.driver import Interaction
from discord_server.message_text import buttons_of
from scene import Json, Scene

SHORT: Json = {"size": 64, "iterations": 12}
ENDS = ["final.png", "loss.png", "film.webp"]


async def ask(stage: Scene, vary: str, **options: Any) -> Interaction:
    given = {"content": stage.content, "style": stage.style, "vary": vary, **SHORT, **options}
    return await stage.ada.slash(stage.channel, "study", **given)


def tiles(stage: Scene, card: Json) -> list[Json]:
    """The messages in the thread that have a button to go on from."""
    return [
        message for message in stage.discord.world.messages(card["id"])
        if [button["label"] for button in buttons_of(message)] == ["From here"]
    ]  # fmt: skip
