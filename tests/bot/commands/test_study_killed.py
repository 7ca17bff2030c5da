"""`/study` while its workers and the bot are killed: what everybody sees is what they would have seen anyway."""

from __future__ import annotations

import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord_server.message_text import files_of
from scene import Scene, pictures, scene
from study_kit import ENDS, ask, tiles
from support.workers import QUICK_WORKER, WorkerPool

from engine.contract.connection import connect
from engine.contract.events import follow


async def kill_at_random(stage: Scene, pool: WorkerPool, job: str, chance: random.Random) -> None:
    """Kills the worker at three moments of the painting and at its end, and the bot with it every other time."""
    marks = [*sorted(chance.sample(range(5, 116), 3)), 120]
    bots = chance.sample([True, False, True, False], 4)
    async with connect(pool.url) as redis:
        async for _, event in follow(redis, job):
            if not marks or event.iteration < marks[0]:
                continue
            marks = [mark for mark in marks if mark > event.iteration]
            pool.workers[-1].send(signal.SIGKILL)
            if bots.pop():
                stage.bots[-1].kill()
                await stage.start_bot()
            assert pool.workers[-1].ended() == -signal.SIGKILL
            pool.start_worker(0.2, QUICK_WORKER).ready()
    assert not marks


@pytest.fixture
async def stage(pool: WorkerPool, tmp_path: Path) -> AsyncIterator[Scene]:
    pool.start_worker(0.2, QUICK_WORKER)
    async with scene(pool, tmp_path) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.refusals == []


@pytest.mark.long
async def test_a_study_killed_at_random_moments_is_the_one_that_nothing_happened_to(
    stage: Scene, pool: WorkerPool
) -> None:
    every = [f"{end:05d}.png" for end in (24, 48, 72, 96, 120)]
    shown = []
    for chance in (None, random.Random(16)):
        asked = await ask(stage, "strength", iterations=24, seed=3)
        card = await stage.card(asked)
        if chance is not None:
            await kill_at_random(stage, pool, asked.id, chance)
        card = await stage.ended(card)
        assert pictures(stage.discord.world, card["id"]) == [*every, *ENDS]
        about = [one["id"] for one in stage.discord.world.messages(stage.channel) if asked.id in str(one)]
        assert about == [card["id"]]
        urls = [file["url"] for message in tiles(stage, card) for file in files_of(message).values()]
        shown.append([await stage.discord.download(url) for url in urls])
    assert shown[0] == shown[1]
    assert len(set(shown[0])) == 5
