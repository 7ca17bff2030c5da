"""The card of a painting whose store takes nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest
from discord_server.message_text import text_of
from full_disk import fill, make_room
from scene import LONG, scene
from support.workers import WorkerPool

WAITS = "The painting waits, for what is painted cannot be stored now (File too large)"


@pytest.mark.long
async def test_the_card_says_why_it_stands_still_and_no_more_once_it_goes_on(pool: WorkerPool, tmp_path: Path) -> None:
    worker = int(pool.start_worker().ready().said.split()[1].rpartition(":")[2])
    async with scene(pool, tmp_path) as stage:
        card = await stage.card(await stage.stylize(**LONG))
        await stage.discord.until(lambda world: world.threads(stage.channel))
        await stage.ended(card, "iterations/s")
        fill(worker)
        await stage.ended(card, WAITS)
        make_room(worker)
        await stage.discord.until(lambda world: WAITS not in text_of(world.message(card)))
        assert "iterations/s" in text_of(stage.discord.world.message(card))
