"""While Redis is away whoever asks for what it knows is told so, within the time that Discord waits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from own_redis import OwnRedis
from redis.exceptions import RedisError
from scene import scene
from support.workers import WorkerPool
from virtual_clock import now, run

from bot.interactions.replies import patience

AWAY = "My memory does not answer at the moment: try again in a minute."
UNSURE = {"entry": "unsure_bot:run", "PYTHONPATH": str(Path(__file__).parents[1])}
"""A bot that Redis has left for so long that it is not sure any more to lead."""


@pytest.mark.parametrize("bot", [{}, UNSURE], ids=["sure", "unsure"])
async def test_buttons_and_commands_are_answered_while_redis_is_away(
    own_redis: OwnRedis, tmp_path: Path, bot: dict[str, str]
) -> None:
    async with scene(WorkerPool(own_redis.url, tmp_path), tmp_path, 20, **bot) as stage:
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


@pytest.mark.long
async def test_what_is_passed_on_is_asked_for_in_vain_while_redis_is_away(own_redis: OwnRedis, tmp_path: Path) -> None:
    pool = WorkerPool(own_redis.url, tmp_path)
    pool.start_worker(seconds=0.15).ready()
    async with scene(pool, tmp_path) as stage:
        card = await stage.painted()
        pool.close()
        own_redis.kill()
        labels = ("Before and after", "Short film", "Recipe code", "Save as style")
        pressed = [await stage.ada.press(card, label) for label in labels]
        assert await asyncio.gather(*(stage.private_reply(one) for one in pressed)) == [AWAY] * 4
        assert stage.discord.world.violations == []
        own_redis.start()


@pytest.mark.long
@pytest.mark.parametrize("bot", [{}, UNSURE], ids=["sure", "unsure"])
async def test_what_is_acknowledged_first_is_so_in_time_and_answered_once_redis_is_back(
    own_redis: OwnRedis, tmp_path: Path, bot: dict[str, str]
) -> None:
    async with scene(WorkerPool(own_redis.url, tmp_path), tmp_path, 20, **bot) as stage:
        message = await stage.ada.post(stage.channel, "look", files=[stage.content])
        form = await stage.ada.menu(stage.channel, message, "Save as style")
        await form.answered()
        own_redis.kill()
        asked = [await stage.stylize(), await stage.ada.submit(form.modal, {"name": "found"})]
        asked += [await stage.ada.slash(stage.channel, name) for name in ("queue", "forget", "style list")]
        assert [(await one.answered()).ephemeral for one in asked] == [True] * 5
        own_redis.start()
        for one in asked:
            await one.shown()
        assert stage.discord.world.violations == []


@pytest.mark.long
async def test_settings_are_told_and_changed_in_time_or_not_at_all(own_redis: OwnRedis, tmp_path: Path) -> None:
    async with scene(WorkerPool(own_redis.url, tmp_path), tmp_path) as stage:
        moderator = await stage.guild.member("Mo", permissions=["manage_guild"])
        panel = await (await moderator.slash(stage.channel, "impasto settings")).shown()
        form = await moderator.press(panel, "Limits")
        await form.answered()
        own_redis.kill()
        pressed = [
            await moderator.choose(panel, "gatys", of="The usual recipe"),
            await moderator.choose(panel, moderator, of="Members for whom I do not paint"),
            await moderator.submit(form.modal, {"iterations": "700"}),
            *[await moderator.press(panel, label) for label in ("Limits", "Changes")],
        ]
        assert await asyncio.gather(*(stage.private_reply(one) for one in pressed)) == [AWAY] * 5
        assert stage.discord.world.violations == []
        own_redis.start()


def test_a_redis_that_is_slow_at_each_question_is_waited_for_no_longer_than_at_one() -> None:
    async def scenario() -> None:
        interaction: Any = SimpleNamespace(extras={})
        async with patience(interaction):
            await asyncio.sleep(1.4)
        with pytest.raises(RedisError):
            async with patience(interaction):
                await asyncio.sleep(1.4)
        assert now() == pytest.approx(1.5)
        async with patience(SimpleNamespace(extras={})):  # type: ignore[arg-type]
            await asyncio.sleep(1.4)

    run(scenario())
