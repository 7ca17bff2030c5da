"""What discord.py does not promise, hence its bound in pyproject.toml: a test says what a new version changed."""

from __future__ import annotations

from typing import Literal

import discord
from discord.asset import Asset
from discord.http import Route
from yarl import URL


def release_requests(client: discord.Client) -> None:
    """Let requests go on that wait out a global rate limit."""
    client.http._global_over.set()


def api_url(path: str = "/") -> str:
    """Where discord.py sends its requests at this moment."""
    return Route.BASE + path


def origins() -> frozenset[str]:
    """Where discord.py sends its requests, and where it takes pictures from, at this moment: "scheme://host[:port]"."""
    return frozenset(str(URL(base).origin()) for base in (Route.BASE, Asset.BASE))


# Below discord.py's own methods, which want guild, channel or message in their cache.


async def start_thread(client: discord.Client, channel: int, message: int, name: str, archive: Literal[1440]) -> int:
    """Open a thread under a message, which is archived after so many minutes without another one; its id."""
    thread = await client.http.start_thread_with_message(channel, message, name=name, auto_archive_duration=archive)
    return int(thread["id"])


async def add_thread_member(client: discord.Client, thread: int, user: int) -> None:
    """Put a member into a thread; harmless where they are in it."""
    await client.http.add_user_to_thread(thread, user)


async def archive_thread(client: discord.Client, thread: int) -> None:
    """Archive the thread, which a new message opens again."""
    await client.http.edit_channel(thread, archived=True)


async def wake_thread(client: discord.Client, thread: int) -> None:
    """Bring an archived thread back."""
    await client.http.edit_channel(thread, archived=False)


async def rename_thread(client: discord.Client, thread: int, name: str) -> None:
    """Bring a thread back, and name it anew."""
    await client.http.edit_channel(thread, archived=False, name=name)


async def delete_thread(client: discord.Client, thread: int) -> None:
    """Delete the thread with all that is in it."""
    await client.http.delete_channel(thread)


async def delete_message(client: discord.Client, channel: int, message: int) -> None:
    """Delete one message."""
    await client.http.delete_message(channel, message)
