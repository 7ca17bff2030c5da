"""The whole of Impasto as processes: Redis, a worker, the stand-in for Discord, and the real bot."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from discord_server.driver import Channel, Discord, Guild, Interaction, Person, WorldView
from discord_server.message_text import buttons_of, files_of, is_ephemeral, is_thinking, text_of
from support.pictures import noise
from support.workers import ONE_THREAD, WorkerPool

from bot.lifecycle.application import give_up_redis
from engine.contract.connection import connect
from engine.contract.models import OPEN
from engine.contract.store import Store
from engine.process.child_process import child_command
from engine.process.redaction import redact

Json = dict[str, Any]

SMALL: Json = {"size": 64, "iterations": 24}
"""Options of a painting that takes a second or two; its pictures are those of 10 and 24."""
LONG: Json = {"size": 64, "iterations": 90_000}
"""Options of one that does not end by itself."""


class BotProcess:
    """`impasto bot`, in front of the stand-in."""

    def __init__(
        self, discord: Discord, pool: WorkerPool, log: Path, entry: str = "bot.terminal.main:run", **settings: str
    ) -> None:
        environment = {
            **os.environ,
            **ONE_THREAD,
            "DISCORD_TOKEN": discord.token,
            "REDIS_URL": pool.url,
            "STORE_URL": pool.store_url,
            "IMPASTO_DATA": str(pool.folder),
            "IMPASTO_WEIGHTS": "random",
            "IMPASTO_USER_JOBS": "1000",
            "IMPASTO_GUILD_JOBS": "1000",
            "IMPASTO_TOTAL_JOBS": "5000",
            **settings,
        }
        self.log, self.killed = log, False
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                child_command(discord.bot_command("bot", entry=entry)),
                env=environment,
                stdout=file,
                stderr=file,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """As a power cut would."""
        self.killed = True
        self._process.kill()
        self._process.wait(120)

    def end(self) -> int:
        """In order; the exit status."""
        if self.alive:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(120)


class Scene:
    """A guild with a channel and a member, and a bot that is there."""

    guild: Guild
    channel: Channel
    ada: Person

    def __init__(self, discord: Discord, pool: WorkerPool, folder: Path) -> None:
        self.discord, self.pool, self._log = discord, pool, folder / "bot.log"
        self.bots: list[BotProcess] = []
        self.content = picture(folder / "harbour.png", 1)
        self.style = picture(folder / "strokes.png", 2)

    async def open(self) -> None:
        async with connect(self.pool.url) as redis:
            await give_up_redis(redis)  # of the world before, on a Redis that files of tests share
        self.guild = await self.discord.guild("Studio")
        self.channel = await self.guild.channel("paintings")
        self.ada = await self.guild.member("Ada")

    async def start_bot(self, **settings: str) -> BotProcess:
        """A new bot process, once it is at the gateway."""
        before = self.discord.world.counts.get("identifies", 0)
        bot = self.launch_bot(**settings)
        await self.discord.until(lambda world: world.counts["identifies"] > before)
        return bot

    def launch_bot(self, **settings: str) -> BotProcess:
        """A new bot process, not waited for."""
        self.bots.append(BotProcess(self.discord, self.pool, self._log, **settings))
        return self.bots[-1]

    async def stylize(
        self, person: Person | None = None, channel: Channel | None = None, **options: Any
    ) -> Interaction:
        """`/stylize` with the two pictures."""
        given = {"content": self.content, "style": self.style, **SMALL, **options}
        return await (person or self.ada).slash(channel or self.channel, "stylize", **given)

    async def card(self, interaction: Interaction, channel: Channel | None = None) -> Json:
        """The card of the painting that was asked for."""
        return await self.discord.until(lambda world: card_of(world, channel or self.channel, interaction.id))

    async def ended(self, card: Json, word: str = "**Done**") -> Json:
        """The card, once it says that word."""
        return await self.discord.until(lambda world: _with(world.message(card), word))

    async def painted(self, **options: Any) -> Json:
        """The card of a painting that is done."""
        return await self.ended(await self.card(await self.stylize(**options)))

    async def private_reply(self, interaction: Interaction) -> str:
        """The text of the answer, which must be for the member alone, and all that came of the interaction."""
        answer = await interaction.shown()
        assert is_ephemeral(answer)
        assert [message["id"] for message in interaction.messages()] == [answer["id"]]
        return text_of(answer)

    async def private_instead(self, interaction: Interaction) -> str:
        """The text for the member alone, in place of an answer that everybody was to see, of which nothing is left."""
        assert not (await interaction.answered()).ephemeral
        (said,) = await self.discord.until(lambda _: [m for m in interaction.messages() if not is_thinking(m)] or None)
        assert is_ephemeral(said)
        assert interaction.messages() == [said]
        return text_of(said)

    async def forget_on_its_way(self, job: str, person: Person, bring: Awaitable[Any]) -> None:
        """`/forget` while the pictures of a job that a request brings are on their way; returns once they are back."""
        late = await self.discord.fault("PATCH /webhooks/**", with_files=True, times=1, delay_s=600)
        await bring
        while not await late.hits():
            await self.discord.now()
        before = len(self.discord.world.requests)
        await self.private_reply(await person.slash(self.channel, "forget"))
        async with connect(self.pool.url) as redis:
            while await redis.exists(f"impasto:posted:{job}"):  # noqa: ASYNC110 - Redis does not say
                await asyncio.sleep(0.02)
        await late.release()
        await self.discord.until(lambda world: any(map(_by_token, world.requests[before:])) or None)

    async def traces(self, job: str) -> list[str]:
        """The keys of Redis and of the store that there are for a job, beside the note of who waits for an answer."""
        async with connect(self.pool.url) as redis:
            keys = [key.decode() async for key in redis.scan_iter(f"*{job}*", count=1000) if b"thinking" not in key]
            keys += ["open"] if await redis.sismember(OPEN, job) else []  # type: ignore[misc]
        return keys + [blob.key for blob in await Store(self.pool.store_url).blobs(f"jobs/{job}")]

    def said(self) -> list[Json]:
        """The bot's log."""
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def close(self) -> None:
        for bot in self.bots:
            bot.kill()

    def told(self) -> str:
        """All that the bot has written, whichever way."""
        return self._log.read_text()


def clip() -> bytes:
    """A GIF of three pictures."""
    out = BytesIO()
    first, *further = [noise(seed, 24).resize((48, 36)) for seed in (1, 2, 3)]
    first.save(out, "GIF", save_all=True, append_images=further, duration=80)
    return out.getvalue()


def picture(path: Path, seed: int) -> Path:
    """A small picture with something in it."""
    noise(seed, 24).resize((96, 72)).save(path)
    return path


@asynccontextmanager
async def scene(pool: WorkerPool, folder: Path, scale: float = 20, **settings: str) -> AsyncIterator[Scene]:
    """Everything started; ended with the block. `scale` multiplies Discord's rate limits."""
    async with Discord.start(scale) as discord:
        made = Scene(discord, pool, folder)
        await made.open()
        try:
            await made.start_bot(**settings)
            yield made
            for bot in reversed(made.bots):  # in order: what is still to be shown is not left to the next bot there
                assert bot.end() == 0 or bot.killed
        finally:
            made.close()
        assert discord.world.unguarded == discord.world.violations == []
        assert discord.token not in made.told()
        assert redact(made.told()) == made.told()


def card_of(world: WorldView, channel: Channel | str, job: str) -> Json | None:
    """The card of a job there."""
    for message in world.messages(channel):
        if any(button["custom_id"].endswith(f":{job}") for button in buttons_of(message)):
            return message
    return None


def pictures(world: WorldView, channel: Channel | Json | str) -> list[str]:
    """What was posted there, by the ends of the file names: `00010.png`, `final.png`, `loss.png`."""
    posted = [files_of(message) for message in world.messages(channel) if message["author"].get("bot")]
    return [" ".join(name.split("-", 2)[2] for name in names) for names in posted if names]


def _by_token(request: Json) -> bool:
    """Whether it deletes an answer to an interaction."""
    return bool(request["method"] == "DELETE" and request["path"].startswith("/webhooks/"))


def _with(message: Json, word: str) -> Json | None:
    return message if word in text_of(message) else None
