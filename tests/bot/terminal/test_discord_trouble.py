"""What an operator sees when Discord is away, or knows the token no more."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from discord_server.driver import Discord
from operator_command import impasto


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=20, inside=True) as server:
        yield server


async def lines(process: Process, count: int) -> list[dict[str, Any]]:
    """The next lines of its log that are more than good news."""
    assert process.stderr is not None
    found: list[dict[str, Any]] = []
    while len(found) < count:
        entry = json.loads(await process.stderr.readline())
        found += [entry] if entry["level"] != "info" else []
    return found


@pytest.mark.long
@pytest.mark.parametrize("door", ["GET /users/@me", "GET /gateway/bot", "GET /gateway"])
async def test_a_discord_that_is_away_is_a_line_for_each_try_and_waited_for(
    door: str, discord: Discord, empty_redis_url: str, tmp_path: Path
) -> None:
    closed = await discord.fault(door, reset=True)
    async with impasto(discord, tmp_path, "bot", REDIS_URL=empty_redis_url) as process:
        for entry in await lines(process, 2):
            assert (entry["level"], "exception" in entry) == ("warning", False)
        await closed.remove()
        await discord.until(lambda world: world.counts["sessions"])
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
        assert process.returncode == 0
        assert b"Traceback" not in err


@pytest.mark.long
async def test_the_bot_ends_in_order_also_while_it_reconnects(
    discord: Discord, empty_redis_url: str, tmp_path: Path
) -> None:
    async with impasto(discord, tmp_path, "bot", REDIS_URL=empty_redis_url) as process:
        await discord.until(lambda world: world.counts["sessions"])
        late = await discord.fault("GET /gateway", delay_s=60.0)
        await discord.gateway("drop")
        while not await late.hits():  # noqa: ASYNC110 - the stand-in tells nobody
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert process.returncode == 0


async def test_a_token_that_was_reset_ends_the_bot_in_a_sentence(
    discord: Discord, empty_redis_url: str, tmp_path: Path
) -> None:
    async with impasto(discord, tmp_path, "bot", REDIS_URL=empty_redis_url) as process:
        await discord.until(lambda world: world.counts["sessions"])
        await discord.gateway("new_token")
        _, err = await process.communicate()
    assert process.returncode == os.EX_CONFIG
    assert b"Traceback" not in err
    assert err.splitlines()[-1].startswith(b"Discord does not accept DISCORD_TOKEN: copy it anew")
