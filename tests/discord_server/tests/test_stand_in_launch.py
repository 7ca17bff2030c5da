"""A bot's own command is started as it is, turned to the stand-in."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from discord_server.driver import Discord

BOT = """
import json, sys

def main():
    import discord
    print(json.dumps([sys.argv, discord.http.Route.BASE, str(discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY)]))
"""


async def test_the_command_starts(tmp_path: Path) -> None:
    (tmp_path / "painter.py").write_text(BOT)
    async with Discord.start(inside=True, bot="Painter") as discord:
        command = discord.bot_command("run", "--loud", entry="painter:main", name="painter")
        assert command[0] == sys.executable
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe)
        output, _ = await process.communicate()
        assert process.returncode == 0
        assert json.loads(output) == [["painter", "run", "--loud"], discord.api_url, discord.gateway_url]
