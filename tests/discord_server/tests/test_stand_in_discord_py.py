"""A real discord.py client lives against the stand-in, over the real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from discord_server.driver import Discord, Impossible
from discord_server.message_text import files_of, text_of
from discord_server.tests.raw import Json
from discord_server.tests.small_bot import png, running


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
        await discord.until(lambda world: world.messages(thread)[1:])
        posts = discord.world.messages(thread)
        assert [text_of(post) for post in posts] == ["snapshot 0", "snapshot 1"]
        assert await discord.download(files_of(posts[0])["0.png"]["url"]) == png()
        await discord.until(lambda world: text_of(world.message(card)) == "done")
        assert files_of(discord.world.message(card)).keys() == {"card.png"}
    assert discord.world.violations == []
    assert discord.world.refusals == []
    assert discord.world.counts["command_syncs"] == 1


async def test_buttons_modals_menus_autocomplete(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada, bob = await guild.member("Ada"), await guild.member("Bob")
    async with running(discord):
        card = await (await ada.slash(channel, "stylize", content=("cat.png", png()))).shown()
        pressed = await ada.press(card, "Cancel")
        assert (await pressed.answered()).ephemeral
        assert [text_of(one) for one in pressed.messages()] == ["cancelled"]
        assert len(discord.world.messages(channel, ada)) == len(discord.world.messages(channel, bob)) + 1

        asked = await ada.press(card, "Ask me")
        await asked.answered()
        assert asked.modal.title == "Another picture"
        with pytest.raises(Impossible, match="required"):
            await ada.submit(asked.modal, {"Style": ("s.png", png())})
        submitted = await ada.submit(asked.modal, {"Style": ("s.png", png()), "recipe": "Fine", "Note": "hello"})
        await submitted.answered()
        assert text_of(submitted.messages()[0]) == f"s.png {len(png())} fine hello"

        said = await bob.post(channel, "a picture please")
        chosen = await ada.menu(channel, said, "Stylize this")
        await chosen.answered()
        assert text_of(chosen.messages()[0]) == "you wrote 'a picture please'"
        assert await ada.autocomplete(channel, "stylize", "recipe", "cl") == [{"name": "classic", "value": "classic"}]
    assert discord.world.violations == []


async def test_options_are_held_against_the_command(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada = await guild.member("Ada")
    picture = ("cat.png", png())
    async with running(discord):
        wrong: list[Json] = [
            {},
            {"content": "text"},
            {"content": picture, "steps": 0},
            {"content": picture, "size": 99},
        ]
        for options in wrong:
            with pytest.raises(Impossible):
                await ada.slash(channel, "stylize", **options)
        with pytest.raises(Impossible, match="no option 'colour'"):
            await ada.slash(channel, "stylize", content=picture, colour="red")
        with pytest.raises(Impossible, match="no command 'paint'"):
            await ada.slash(channel, "paint")
        with pytest.raises(Impossible, match="larger than"):
            await ada.slash(channel, "stylize", content=("big.png", bytes(11 * 1024 * 1024)))


async def test_installed_by_a_user_where_the_bot_is_not(discord: Discord) -> None:
    elsewhere = await discord.guild("Elsewhere", bot=False)
    channel = await elsewhere.channel("general")
    zoe, max_ = await elsewhere.member("Zoe", installed=True), await elsewhere.member("Max")
    group = await discord.group("pals", zoe, max_)
    async with running(discord):
        for place, context in ((channel, 0), (group, 2), (await zoe.dm(), 1)):
            i = await zoe.slash(place, "stylize", content=("cat.png", png()))
            assert i.payload["context"] == context
            assert i.payload["authorizing_integration_owners"]["1"] == zoe.id
            assert text_of(await i.shown()).startswith("fine")
        with pytest.raises(Impossible, match="not installed"):
            await max_.slash(channel, "stylize", content=("cat.png", png()))
    assert discord.world.violations == []


@pytest.mark.parametrize("how", ["drop", "reconnect", "resumable"])
async def test_a_lost_connection_is_resumed_and_nothing_missed(discord: Discord, how: str) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada = await guild.member("Ada")
    async with running(discord):
        if how == "resumable":
            await discord.gateway("invalid_session", resumable=True)
        else:
            await discord.gateway(how)
        i = await ada.slash(channel, "stylize", content=("cat.png", png()))
        assert await i.shown()
        assert discord.world.counts["identifies"] == discord.world.counts["resumes"] == 1


async def test_a_process_of_its_own_ends_with_the_block() -> None:
    async with Discord.start() as discord:
        guild = await discord.guild("Studio")
        channel = await guild.channel("paintings")
        ada = await guild.member("Ada")
        async with running(discord):
            i = await ada.slash(channel, "stylize", content=("cat.png", png()))
            assert text_of(await i.shown()) == "fine 512 10"
            await discord.until(lambda world: world.edits(world.messages(channel)[0]) == 2)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(discord.url)
