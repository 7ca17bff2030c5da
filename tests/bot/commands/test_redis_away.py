"""While Redis is away whoever asks for what it knows is told so, within the time that Discord waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_redis import OwnRedis
from scene import scene
from support.workers import WorkerPool

AWAY = "My memory does not answer at the moment: try again in a minute."


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    made = OwnRedis(tmp_path)
    yield made
    made.kill()


async def test_buttons_and_commands_are_answered_while_redis_is_away(own_redis: OwnRedis, tmp_path: Path) -> None:
    async with scene(WorkerPool(own_redis.url, tmp_path), tmp_path) as stage:
        asked = await stage.stylize()
        await stage.private_reply(asked)
        card = await stage.card(asked)
        moderator = await stage.guild.member("Mo", permissions=["manage_guild"])
        own_redis.kill()
        pressed = [await stage.ada.press(card, label) for label in ("Cancel", "Again")]
        commands = [await stage.ada.slash(stage.channel, name, job=asked.id) for name in ("show", "cancel")]
        commands.append(await stage.ada.slash(stage.channel, "about"))
        commands.append(await moderator.slash(stage.channel, "impasto settings"))
        told = await asyncio.gather(*(stage.private_reply(one) for one in (*pressed, *commands)))
        assert told == [AWAY] * 6
        assert stage.discord.world.violations == []
        own_redis.start()
