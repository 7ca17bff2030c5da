"""The commands of who runs a server, started as they start them, before the stand-in for Discord."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from discord_server.driver import Discord
from support.workers import ONE_THREAD


@asynccontextmanager
async def impasto(discord: Discord, room: Path, *words: str, **settings: str | None) -> AsyncIterator[Process]:
    """The command in a folder of its own, where nothing else is configured; None takes a name away."""
    ours = {"DISCORD_TOKEN": discord.token, "IMPASTO_DATA": str(room / "data"), "IMPASTO_WEIGHTS": "random"}
    given = {**os.environ, **ONE_THREAD, "REDIS_URL": "", "STORE_URL": "", **ours, **settings}
    environment = {name: value for name, value in given.items() if value is not None}
    command = discord.bot_command(*words)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=room, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def told(discord: Discord, room: Path, *words: str, **settings: str | None) -> tuple[int | None, str, str]:
    """Exit status, and what was said on both streams."""
    async with impasto(discord, room, *words, **settings) as process:
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()
