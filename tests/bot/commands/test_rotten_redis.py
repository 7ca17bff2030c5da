"""Rotten entries in Redis, wherever the bot looks: it goes on, also after a restart, and serves everybody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis
from discord_server.message_text import text_of
from manual_worker import manual_worker
from rotten import ROTTEN, other_kinds
from scene import Scene, scene
from support.jobs import a_job
from support.workers import WorkerPool

from bot.post_ledger import Address
from engine.contract.connection import connect
from engine.contract.events import STREAM
from engine.contract.jobs import Jobs
from engine.contract.models import OPEN, index_key, job_key


@pytest.mark.long
async def test_the_bot_outlasts_what_lies_in_redis(pool: WorkerPool, tmp_path: Path) -> None:
    async with scene(pool, tmp_path) as stage, connect(pool.url) as redis:
        await _spoil(redis, stage)
        await _is_served(stage)
        stage.bots[-1].kill()
        await stage.start_bot()
        await _is_served(stage)
        assert stage.discord.world.counts["identifies"] == 2
        events = {line["event"] for line in stage.said() if line["level"] in ("error", "critical")}
        assert events == {"an event cannot be read", "a consumer broke off"}
        assert stage.bots[-1].end() == 0
        assert await redis.keys("impasto:thinking:*") == []


async def _is_served(stage: Scene) -> None:
    asked = await stage.stylize(iterations=24_000)
    card = await stage.card(asked)
    async with manual_worker(stage, asked.id) as painter:
        await painter.progress(6_000)
        await stage.ended(card, "25%")
        queue = await stage.private_reply(await stage.ada.slash(stage.channel, "queue"))
        assert "harbour × strokes" in queue
        await painter.stopped(12_000)
    await stage.ended(card, "**Stopped**")
    (choice,) = await stage.ada.autocomplete(stage.channel, "show", "job", asked.id)
    assert choice["value"] == asked.id
    shown = await stage.ada.slash(stage.channel, "show", job=asked.id)
    assert "**Stopped**" in text_of(await shown.shown())


async def _spoil(redis: ArqRedis, stage: Scene) -> None:
    """Whatever the bot reads: notes, pages, events, jobs of this very server and member, heartbeats."""
    for number, value in enumerate(ROTTEN.values()):
        job = a_job(stage.ada.id, stage.guild.id)
        await Jobs(redis).create(job)
        place: dict[str, Any] = {"guild": int(stage.guild.id), "channel": int(stage.channel.id), "place": "replies"}
        page = Address(job=job.id, owner=int(stage.ada.id), title="a page", **place).model_dump_json()
        key, field = [(f"impasto:posted:{job.id}", "address"), (job_key(job.id), "spec")][number % 2]
        await redis.hset(f"impasto:posted:{job.id}", "address", page)  # type: ignore[misc]
        await redis.hset(key, mapping={field: value})  # type: ignore[misc]
        await redis.set(f"impasto:thinking:{number}", value)
        await redis.set(f"impasto:worker:{number}", value)
        await redis.xadd(STREAM, {"job": job.id, "event": value})
        await redis.xadd(STREAM, {"x": value})
        await redis.xadd(STREAM, {"event": f'{{"kind": "notice", "job": "{job.id}", "iteration": 1, "text": "x"}}'})
    for key in ("posted", "thinking", "worker", "job"):
        await other_kinds(redis, f"impasto:{key}:")
    await redis.sadd(OPEN, "list", "stream", b"\xff", "*")  # type: ignore[misc]
    await redis.sadd("impasto:forgetting", b"\xff", "../..")  # type: ignore[misc]
    await redis.zadd(index_key(stage.ada.id), {b"\xff": 1, b"*": 2})
