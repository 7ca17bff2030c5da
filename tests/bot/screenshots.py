"""`make screenshots WEIGHTS=FILE ARGS="study styles"`: what members see, painted for real and shown by the stand-in.

These scenes, or all, into docs/pictures/. Needs Chromium. Starts a Redis, a worker and the bot of its own;
takes some minutes with the weights `starter`, which are taken where no others are named, longer with pretrained ones.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from discord_server.driver import Discord
from discord_server.message_text import files_of
from discord_server.page.shoot import NoBrowser
from scene import BotProcess, card_of, pictures
from shots import EXAMPLES, LONGEST, shoot_channel
from study_screenshots import show_passing_on, show_study, show_styles
from support.workers import WorkerPool

from engine.process.local_redis import embedded_redis


async def main(weights: str, *names: str) -> None:
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder, embedded_redis(Path(folder, "redis")) as url:
        pool = WorkerPool(url, Path(folder))
        pool.start_worker(seconds=5, weights=weights).ready()
        try:
            async with Discord.start(scale=20) as discord:
                bot = BotProcess(discord, pool, Path(folder, "bot.log"), IMPASTO_WEIGHTS=weights)
                try:
                    await discord.until(lambda world: world.commands and world.counts["sessions"])
                    for name in names or SCENES:
                        await SCENES[name](discord)
                finally:
                    bot.end()
        finally:
            pool.close()


async def show_painting(discord: Discord) -> None:
    """While it is painted; and when it is done, and another has come of a press."""
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada, bob = await guild.member("Ada"), await guild.member("Bob")
    await ada.post(channel, "The harbour from this morning. What would it be in strokes?")
    harbour, strokes = EXAMPLES / "harbour.png", EXAMPLES / "strokes.png"
    asked = await ada.slash(channel, "stylize", content=harbour, style=strokes, size=512, seed=42)
    card = await discord.until(lambda world: card_of(world, channel, asked.id))
    await discord.until(lambda world: "00030.png" in pictures(world, card["id"]), LONGEST)
    await discord.until(lambda world: world.edits(card) >= 2)
    await shoot_channel(discord, channel.id, "discord-painting.png", card["id"])
    await discord.until(lambda world: len(files_of(world.message(card))) == 3, LONGEST)
    await bob.post(channel, "Oh, that is lovely!")
    press = await bob.press(discord.world.message(card), "Stronger")
    await discord.until(lambda world: card_of(world, channel, press.id))
    await shoot_channel(discord, channel.id, "discord.png", card["id"], height=1180)


SCENES = {"painting": show_painting, "study": show_study, "passing-on": show_passing_on, "styles": show_styles}


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:] or ["starter"]))
    except NoBrowser as missing:
        raise SystemExit(str(missing)) from None
