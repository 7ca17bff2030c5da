"""The line to Redis: JSON alone, and a sentence when the address is wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from arq.connections import ArqRedis
from support.jobs import a_job

from engine.contract.connection import connect, load
from engine.contract.fair_queue import FairQueue, slice_id
from engine.contract.settings import SettingsError, read_settings


async def test_what_lies_in_redis_is_json_and_cannot_run(redis: ArqRedis) -> None:
    job = a_job()
    await FairQueue(redis).enqueue(job, 0, 0, 1.0)
    stored = await redis.get(f"arq:job:{slice_id(job.id, 0, 0)}")
    assert json.loads(stored)["a"] == [job.id, 0, 0]
    with pytest.raises(ValueError, match=r"JSON|decode"):
        load(b"\x80\x04\x95\x00")  # how a pickle begins


@pytest.mark.parametrize("url", ["nonsense", "http://localhost:6379", "redis://localhost:port", "localhost:6379"])
def test_an_address_of_no_redis_is_a_sentence(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^The setting REDIS_URL is not usable: .*\.$"):
        connect(url)


@pytest.mark.parametrize("seconds", ["0", "-1", "600", "soon"])
def test_a_setting_out_of_range_is_a_sentence_with_its_name(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    monkeypatch.setenv("IMPASTO_SLICE_SECONDS", seconds)
    with pytest.raises(SettingsError, match="IMPASTO_SLICE_SECONDS"):
        read_settings()


def test_an_empty_setting_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    assert read_settings().redis_url is None


@pytest.mark.parametrize("steps", range(40))
async def test_a_command_that_is_cancelled_ends_wherever_it_stands(redis_server: str, steps: int) -> None:
    """In the middle of connecting, sending or waiting: of its first command and of a later one."""
    for known in (False, True):
        async with connect(redis_server, retries=0) as client:
            if known:
                await client.ping()
            waiting: asyncio.Task[Any] = asyncio.create_task(client.blpop(["nothing comes"], timeout=5))  # type: ignore[arg-type]
            for _ in range(steps):
                await asyncio.sleep(0)
            waiting.cancel()
            ended, _ = await asyncio.wait([waiting], timeout=20)
            assert ended
            assert waiting.cancelled()
            assert await client.ping()
