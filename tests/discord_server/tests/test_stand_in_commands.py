"""Commands as the application registers them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from discord_server.driver import Discord
from discord_server.tests.raw import Answer, Json, Raw


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        yield discord


async def put(discord: Discord, *commands: Json) -> Answer:
    return await Raw(discord)("PUT", f"/applications/{discord.application_id}/commands", list(commands))


def go(**more: Any) -> Json:
    return {"name": "go", "description": "Goes", **more}


def option(name: str, **more: Any) -> Json:
    return {"type": 3, "name": name, "description": "x", **more}


LONG = [option(f"o{number}", description="x" * 100) for number in range(25)]
CHOICES = [{"name": str(number), "value": str(number)} for number in range(26)]


@pytest.mark.parametrize(
    "commands",
    [
        [go(name="Go")],
        [go(name="go on")],
        [go(name="x" * 33)],
        [go(description="")],
        [go(description="x" * 101)],
        [go(), go()],
        [go(options=[option(f"o{number}") for number in range(26)])],
        [go(options=[option("a"), option("a")])],
        [go(options=[option("a"), option("b", required=True)])],
        [go(options=[option("a", choices=CHOICES)])],
        [go(options=[option("a", choices=CHOICES[:2], autocomplete=True)])],
        [go(options=[option("a", type=4, choices=CHOICES[:2])])],
        [go(name=str(number), type=3, description="") for number in range(16)],
        [go(type=2)],
        [go(contexts=[3])],
        [
            go(
                options=[
                    {"type": 1, "name": f"s{number}", "description": "x" * 100, "options": LONG} for number in range(4)
                ]
            )
        ],
    ],
)
async def test_refused(discord: Discord, commands: list[Json], monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await put(discord, *commands)).code == 50035
    assert discord.world.violations
    monkeypatch.setenv("DISCORD_OPENAPI", "/nowhere")
    async with Discord.start(inside=True) as alone:
        assert (await put(alone, *commands)).code == 50035


async def test_registered_and_counted(discord: Discord) -> None:
    first = (await put(discord, go(), {"name": "Look here", "type": 3})).body
    second = (await put(discord, go(description="Goes on", default_member_permissions=8192))).body
    assert [one["name"] for one in first] == ["go", "Look here"]
    assert second[0]["id"] == first[0]["id"]
    assert second[0]["default_member_permissions"] == "8192"
    assert discord.world.commands == second
    assert discord.world.counts["command_syncs"] == 2
    assert discord.world.counts["commands_created"] == 2
    read = await Raw(discord)("GET", f"/applications/{discord.application_id}/commands")
    assert read.body == second
    assert discord.world.violations == []


async def test_of_one_guild(discord: Discord) -> None:
    guild, elsewhere = await discord.guild("Studio"), await discord.guild("Elsewhere", bot=False)
    path = f"/applications/{discord.application_id}/guilds/{guild.id}/commands"
    assert (await Raw(discord)("PUT", path, [go()])).body[0]["guild_id"] == guild.id
    assert [one["name"] for one in discord.world.guild_commands(guild)] == ["go"]
    assert discord.world.commands == []
    assert (await Raw(discord)("PUT", path.replace(guild.id, elsewhere.id), [go()])).code == 50001


async def test_two_hundred_creates_a_day(discord: Discord) -> None:
    batches = [[go(name=f"c{batch}x{number}") for number in range(100)] for batch in range(3)]
    statuses = [(await put(discord, *batch)).status for batch in batches]
    assert statuses == [200, 200, 400]
