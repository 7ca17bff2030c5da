"""The product's own command runs against the stand-in, unchanged."""

from __future__ import annotations

import asyncio
import sys

from discord_server.driver import Discord


async def test_the_command_starts() -> None:
    async with Discord.start(inside=True) as discord:
        command = discord.bot_command("--help")
        assert command[0] == sys.executable
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"impasto" in output
