"""A real discord.py client lives against the stand-in, over the real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from discord_server.driver import Discord
from discord_server.reading import files_of, text_of
from small_bot import png, running


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=20, inside=True) as discord:
        yield discord


async def test_slash_defer_edit_thread_posts_edit(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada = await guild.member("Ada")
    async with running(discord):
        i = await ada.slash(channel, "stylize", content=("cat.png", png()), recipe="classic", size="Large")
        response = await i.answered()
        assert response.type == 5
        assert not response.ephemeral
        card = await i.shown()
        assert text_of(card) == "classic 512 10"
        thread = await discord.until(lambda world: world.threads(channel)[0])
        assert thread["id"] == card["id"]
        posts = await discord.until(lambda world: len(world.messages(thread)) == 2 and world.messages(thread))
        assert [text_of(post) for post in posts] == ["snapshot 0", "snapshot 1"]
        assert await discord.download(files_of(posts[0])["0.png"]["url"]) == png()
        await discord.until(lambda world: text_of(world.message(card)) == "done")
        assert files_of(discord.world.message(card)).keys() == {"card.png"}
    assert discord.world.violations == []
    assert discord.world.refusals == []
    assert discord.world.counts["command_syncs"] == 1
