"""`make screenshots WEIGHTS=FILE`, the operators' part: the live page and a server's settings; into docs/pictures/.

Needs Chromium. Paints for real, at a small size, with a Redis, a worker and a bot of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from browser import browsing, chromium
from discord_server.driver import Channel, Discord, Guild
from scene import BotProcess, card_of, pictures
from shots import EXAMPLES, LONGEST, OUT, shoot_channel, shrink
from support.workers import WorkerPool

from engine.process.local_redis import embedded_redis

Json = dict[str, Any]

PAINTINGS: tuple[Json, ...] = (
    {"style": EXAMPLES / "strokes.png", "iterations": 1500},
    {"style_name": "night", "iterations": 900},
    {"style_name": "ink", "iterations": 1500},
    {"style_name": "poster", "iterations": 900},
    {"style_name": "hatching", "recipe": "gatys"},
)
LIMITS = {"IMPASTO_USER_JOBS": "3", "IMPASTO_GUILD_JOBS": "25"}
"""As they are where nobody sets them."""


async def main(weights: str, parts: Sequence[str], browser: str) -> None:
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder, embedded_redis(Path(folder, "redis")) as url:
        pool = WorkerPool(url, Path(folder))
        if "page" in parts:
            pool.start_worker(seconds=3, weights=weights).ready()
        log = Path(folder, "bot.log")
        try:
            async with Discord.start(scale=20) as discord:
                bot = BotProcess(discord, pool, log, IMPASTO_WEIGHTS=weights, IMPASTO_PAGE="0", **LIMITS)
                try:
                    await discord.until(lambda world: world.commands and world.counts["sessions"])
                    guild = await discord.guild("Studio")
                    channel = await guild.channel("paintings")
                    if "settings" in parts:
                        await _settings(discord, guild, channel)
                    if "page" in parts:
                        await _under_way(discord, guild, channel)
                        await _page(log, browser, Path(folder, "chromium"))
                finally:
                    bot.end()
        finally:
            pool.close()


async def _settings(discord: Discord, guild: Guild, channel: Channel) -> None:
    """A moderator has chosen a channel and a recipe, has blocked a member, and set two limits."""
    moderator, member = await guild.member("Mo", permissions=["manage_guild"]), await guild.member("Mallory")
    shown = await (await moderator.slash(channel, "impasto settings")).shown()
    for select, value in (
        ("Channels in which I paint: all", channel),
        ("Members for whom I do not paint", member),
        ("The usual recipe", "fine"),
    ):
        await (await moderator.choose(discord.world.message(shown), value, of=select)).answered()
    opened = await moderator.press(discord.world.message(shown), "Limits")
    await opened.answered()
    answered = await moderator.submit(opened.modal, {"size": "768", "keep_days": "14"})
    await answered.answered()
    told = await (await moderator.press(discord.world.message(shown), "Changes")).shown()
    await discord.until(lambda world: world.message(told))
    people = {person.id: {"username": person.name, "id": person.id} for person in (moderator, member)}
    await shoot_channel(discord, channel.id, "settings.png", width=760, viewer=moderator.id, users=people)


async def _under_way(discord: Discord, guild: Guild, channel: Channel) -> None:
    """Five paintings, of which three have some snapshots."""
    cards = []
    for number, options in enumerate(PAINTINGS):
        member = await guild.member(f"Member {number}")
        given = {"content": EXAMPLES / "harbour.png", "size": 192, "seed": 42, **options}
        asked = await member.slash(channel, "stylize", **given)
        cards.append(await _card(discord, channel, asked.id))
    for card in cards[:3]:
        await _has(discord, card, "00030.png")


async def _card(discord: Discord, channel: Channel, job: str) -> Json:
    return await discord.until(lambda world: card_of(world, channel, job))


async def _has(discord: Discord, card: Json, picture: str) -> None:
    await discord.until(lambda world: picture in pictures(world, card["id"]), LONGEST)


async def _page(log: Path, browser: str, profile: Path) -> None:
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    (url,) = [line["url"] for line in lines if line["event"] == "the live page is served"]
    async with browsing(browser, url, profile) as page:
        await page.until('<polyline points="')
        for name, width, height, scale in (("page-phone.png", 390, 1180, 1.5), ("page-wall.png", 1920, 1080, 1.0)):
            await page.shoot(OUT / name, width, height, scale, phone=width < 500)
            shrink(OUT / name)


if __name__ == "__main__":
    found = chromium()
    if found is None:
        raise SystemExit("No Chromium to take a screenshot with.")
    weights, *parts = sys.argv[1:] or ["starter"]
    asyncio.run(main(weights, parts or ["settings", "page"], found))
