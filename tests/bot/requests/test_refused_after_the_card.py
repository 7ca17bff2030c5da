"""A painting that comes by direct message is not accepted once its card is there: nothing of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from discord_server.driver import Channel, Interaction, Person
from discord_server.message_text import text_of
from scene import LONG, SMALL, Scene, scene
from support.workers import WorkerPool

from bot.post_ledger import Ledger
from engine.contract.connection import connect


async def test_the_card_goes_with_what_the_queue_refuses(empty_redis_url: str, tmp_path: Path) -> None:
    pool = WorkerPool(empty_redis_url, tmp_path)
    async with scene(pool, tmp_path, IMPASTO_TOTAL_JOBS="1") as stage:
        zoe, chat, dm = await _elsewhere(stage, "Zoe")
        late = await stage.discord.fault("POST /channels/*/messages", delay_s=600, times=1)
        hers = await stage.stylize(zoe, chat, **SMALL)
        while not await late.hits():
            await stage.discord.now()
        last = await stage.stylize(**LONG)  # takes the only place meanwhile
        running = await stage.card(last)
        await late.release()
        await _told(stage, hers, "queue is full")
        to_her = [f"{one['method']} {one['status']}" for one in stage.discord.world.requests if dm.id in one["path"]]
        assert to_her == ["POST 200", "DELETE 204"]
        assert stage.discord.world.messages(dm) == []
        assert await stage.traces(hers.id) == []
        await stage.private_reply(await stage.ada.press(running, "Cancel"))
        assert stage.discord.world.violations == []


@pytest.mark.long
async def test_the_card_goes_when_the_bot_was_killed_before_the_queue(pool: WorkerPool, tmp_path: Path) -> None:
    """One that it knew of, and one that Discord had not told it of."""
    async with scene(pool, tmp_path) as stage:
        silent = await stage.discord.fault("POST /channels/*/messages", swallow="hang")
        asked = []
        for name in ("Yan", "Zoe"):
            person, chat, dm = await _elsewhere(stage, name)
            interaction = await stage.stylize(person, chat)
            asked.append((interaction, dm, await stage.card(interaction, dm)))
        stage.bots[-1].kill()
        await silent.remove()
        async with connect(pool.url) as redis:  # as the bot would have, had it lived for a moment longer
            await Ledger(redis).note(asked[0][0].id, {"card": asked[0][2]["id"]})
        await stage.start_bot()
        for interaction, dm, _ in asked:
            await _told(stage, interaction, "I was restarted")
            assert stage.discord.world.messages(dm) == []
            assert [key for key in await stage.traces(interaction.id) if key.startswith("impasto:")] == []
        assert stage.discord.world.violations == []


async def _elsewhere(stage: Scene, name: str) -> tuple[Person, Channel, Channel]:
    """Somebody new, in a channel of a server that the bot is not in, and their direct messages."""
    person = await stage.discord.user(name, installed=True)
    server = await stage.discord.guild(f"The server of {name}", bot=False)
    await server.add(person)
    return person, await server.channel("chat"), stage.discord.channel(await person.dm())


async def _told(stage: Scene, asked: Interaction, words: str) -> None:
    """Returns once the answer has these words."""
    await stage.discord.until(lambda _: words in text_of(asked.original or {}))
