"""A Redis is one application's: a bot with the token of another one does not begin on it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from discord_server.driver import Discord
from operator_command import impasto, told

from bot.lifecycle.application import APPLICATION
from engine.contract.connection import connect


async def test_a_bot_leaves_the_redis_of_another_alone_and_the_doctor_says_why(
    empty_redis_url: str, tmp_path: Path
) -> None:
    async with Discord.start(scale=20) as discord, connect(empty_redis_url) as redis:
        ours = {"REDIS_URL": empty_redis_url, "STORE_URL": (tmp_path / "store").as_uri()}
        async with impasto(discord, tmp_path, "bot", **ours) as process:
            await discord.until(lambda world: world.counts["sessions"])
            assert await redis.get(APPLICATION) == discord.application_id.encode()
            process.send_signal(signal.SIGTERM)
            await process.communicate()
        await redis.set(APPLICATION, 5)
        before = {key: await redis.dump(key) for key in await redis.keys("*")}
        sentence = (
            "The Redis at REDIS_URL is that of the Discord application 5, and this token is of "
            f"{discord.application_id}: give each a database of its own (redis://host:6379/1), or, where this one "
            "is to take the other's place, run `redis-cli del impasto:application`."
        )
        status, _, err = await told(discord, tmp_path, "bot", **ours)
        assert (status, err.splitlines()[-1]) == (os.EX_CONFIG, sentence)
        assert {key: await redis.dump(key) for key in await redis.keys("*")} == before
        status, out, _ = await told(discord, tmp_path, "doctor", **ours)
        assert f"BAD  token     {sentence}\n" in out
        assert status == os.EX_CONFIG


@pytest.mark.long
async def test_the_redis_of_up_itself_goes_with_whichever_token_there_is(tmp_path: Path) -> None:
    for _ in range(2):
        async with Discord.start(scale=20) as discord, impasto(discord, tmp_path, "up") as process:
            await discord.until(lambda world: world.counts["sessions"])
            process.send_signal(signal.SIGTERM)
            await process.communicate()
            assert process.returncode == 0
