"""A server, a channel and a member in the `discord` that each file starts for itself."""

from __future__ import annotations

import pytest

from discord_server.driver import Discord, Person
from discord_server.places import Channel, Guild


@pytest.fixture
async def guild(discord: Discord) -> Guild:
    return await discord.guild("Studio")


@pytest.fixture
async def channel(guild: Guild) -> Channel:
    return await guild.channel("paintings")


@pytest.fixture
async def ada(guild: Guild) -> Person:
    return await guild.member("Ada")
