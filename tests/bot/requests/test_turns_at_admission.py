"""One member whose pictures take long keeps nobody else waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
from discord_server.message_text import is_thinking
from scene import scene
from support.workers import WorkerPool


@pytest.mark.long
async def test_one_picture_of_a_member_is_looked_at_at_a_time_and_few_are_in_hand(
    pool: WorkerPool, tmp_path: Path
) -> None:
    async with scene(pool, tmp_path, IMPASTO_USER_JOBS="3") as stage:
        eve = await stage.guild.member("Eve")
        slow_download = await stage.discord.fault("GET /ephemeral-attachments/**/slow.png", delay_s=60)
        slow = ("slow.png", stage.content.read_bytes())
        hers = [await stage.stylize(eve, content=slow) for _ in range(3)]
        for one in hers:
            await one.answered()
        refused = await stage.private_reply(await stage.stylize(eve))
        assert refused.startswith("You already have as many paintings under way as one member may: ")
        assert "Accepted" in await stage.private_reply(await stage.stylize(stage.ada))
        assert all(one.original and is_thinking(one.original) for one in hers)
        assert await slow_download.hits() == 1  # the others of hers wait for it
