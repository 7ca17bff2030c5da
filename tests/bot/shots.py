"""How a channel of the stand-in looks, as a picture for the documents."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from discord_server.driver import Discord
from discord_server.message_text import files_of
from discord_server.page.page import render_channel
from discord_server.page.shoot import shoot
from PIL import Image

ROOT = Path(__file__).parents[2]
EXAMPLES, OUT = ROOT / "examples", ROOT / "docs" / "pictures"
LONGEST = 900  # s

Json = dict[str, Any]


async def shoot_channel(
    discord: Discord,
    channel: str,
    name: str,
    *threads: str,
    width: int = 1280,
    height: int | None = None,
    viewer: str | None = None,
    users: Mapping[str, Json] | None = None,
) -> None:
    """Into docs/pictures, as the viewer sees it; `users` are those whom the messages name and who have written none."""
    world = discord.world
    messages, inside = world.messages(channel, viewer), {thread: world.messages(thread) for thread in threads}
    blobs = {
        url: await discord.download(url) for url in _urls([*messages, *(m for one in inside.values() for m in one)])
    }
    page = render_channel(
        world.channel(channel),
        messages,
        users=dict(users or {}),
        threads=inside,
        viewer=viewer,
        now=datetime.now(UTC),
        embed=blobs.__getitem__,
    )
    shoot(page, OUT / name, width=width, height=height)
    shrink(OUT / name)


def shrink(shot: Path) -> None:
    """A palette does for a page, and halves what a clone has to fetch."""
    picture = Image.open(io.BytesIO(shot.read_bytes())).convert("RGB")
    picture.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(shot, optimize=True)
    print(f"{shot.relative_to(ROOT)}: {shot.stat().st_size // 1024} kB")


def _urls(messages: list[Json]) -> set[str]:
    return {file["url"] for message in messages for file in files_of(message).values()}
