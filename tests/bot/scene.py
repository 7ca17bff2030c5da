"""The whole of Impasto as processes: Redis, a worker, the stand-in for Discord, and the real bot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from conftest import ONE_THREAD, House, noise
from discord_server.driver import Discord

from engine.contract.embedded import die_with_parent

LAUNCH = Path(__file__).parents[1] / "discord_server" / "launch.py"
SMALL = {"size": 64, "iterations": 20}
"""Options of a painting that takes a second or two."""


class BotProcess:
    """`impasto bot`, in front of the stand-in."""

    def __init__(self, discord: Discord, house: House, log: Path, **settings: str) -> None:
        environment = {
            **os.environ,
            **ONE_THREAD,
            "DISCORD_TOKEN": discord.token,
            "REDIS_URL": house.url,
            "STORE_URL": house.store_url,
            "IMPASTO_DATA": str(house.folder),
            "IMPASTO_WEIGHTS": "random",
            "IMPASTO_USER_JOBS": "1000",
            "IMPASTO_GUILD_JOBS": "1000",
            "IMPASTO_TOTAL_JOBS": "5000",
            **settings,
        }
        command = [sys.executable, str(LAUNCH), discord.api_url, discord.gateway_url, "--", "bot"]
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdout=file,
                stderr=file,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one call into libc
            )
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """As the power cut would."""
        self._process.kill()
        self._process.wait(20)

    def end(self) -> int:
        """In order; the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)


class Scene:
    """A guild with a channel and a member, a bot that is there, and a worker that paints."""

    def __init__(self, discord: Discord, house: House, folder: Path) -> None:
        self.discord, self.house, self.folder = discord, house, folder
        self.bots: list[BotProcess] = []
        self.content = picture(folder / "harbour.png", 1)
        self.style = picture(folder / "strokes.png", 2)

    async def start_bot(self, **settings: str) -> BotProcess:
        """A new bot process, once it is connected to the gateway."""
        before = (await self.discord.world()).counts["identifies"]
        bot = self.launch_bot(**settings)
        await self.discord.until(lambda world: world.counts["identifies"] > before)
        return bot

    def launch_bot(self, **settings: str) -> BotProcess:
        """A new bot process, not waited for."""
        self.bots.append(BotProcess(self.discord, self.house, self.folder / "bot.log", **settings))
        return self.bots[-1]

    def close(self) -> None:
        for bot in self.bots:
            bot.kill()


def picture(path: Path, seed: int) -> Path:
    """A small picture with something in it."""
    noise(seed, 48).resize((96, 72)).save(path)
    return path


@asynccontextmanager
async def scene(house: House, folder: Path, **settings: str) -> AsyncIterator[Scene]:
    """Everything started; ended with the block."""
    async with Discord.start() as discord:
        made = Scene(discord, house, folder)
        try:
            await made.start_bot(**settings)
            yield made
        finally:
            made.close()


def texts(message: dict[str, Any]) -> str:
    """All that can be read on a message, card or not."""
    found = [message.get("content") or ""]

    def walk(components: Sequence[dict[str, Any]]) -> None:
        for component in components:
            if component.get("content"):
                found.append(component["content"])
            walk(component.get("components", []))

    walk(message.get("components", []))
    return "\n".join(found)


def files(message: dict[str, Any]) -> list[str]:
    """The names of what is attached."""
    return [attachment["filename"] for attachment in message["attachments"]]
