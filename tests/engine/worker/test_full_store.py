"""A store that takes nothing more in mid-painting: audience and operator are told, and it goes on by itself."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from full_disk import fill, make_room
from support.jobs import JobClient, light, uncut_sha256
from support.workers import ONE_THREAD, WorkerPool

from engine.contract.events import Notice, follow
from engine.contract.models import Job
from engine.process.child_process import child_command

REASON = "File too large"


def next_warning(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stderr is not None
    for line in process.stderr:
        if (entry := json.loads(line))["level"] == "warning":
            return dict(entry)
    raise AssertionError("it ended")


async def told(client: JobClient, job: Job, waits: bool) -> Notice:
    async for _, event in follow(client.redis, job.id):
        if isinstance(event, Notice) and event.waits is waits:
            return event
    raise AssertionError("it ended")


@pytest.fixture
def process(pool: WorkerPool) -> Iterator[subprocess.Popen[bytes]]:
    """A worker whose log can be read."""
    ours = {"REDIS_URL": pool.url, "STORE_URL": pool.store_url, "IMPASTO_SLICE_SECONDS": "1"}
    worker = subprocess.Popen(
        child_command([sys.executable, "-m", "engine.worker", "--weights", "random", "--device", "cpu"]),
        env={**os.environ, **ONE_THREAD, **ours}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith(b"ready")
    yield worker
    worker.kill()
    worker.communicate()


@pytest.mark.long
async def test_a_painting_waits_aloud_for_room_and_goes_on(process: subprocess.Popen[bytes], client: JobClient) -> None:
    recipe = light(1200, snapshots=(500,))
    job = await client.submit(recipe)
    await client.until(job, 100)
    fill(process.pid)
    notice = await told(client, job, waits=True)
    assert notice.text == (
        f"The painting waits, for what is painted cannot be stored now ({REASON}); it goes on by itself once it can."
    )
    entry = await asyncio.to_thread(next_warning, process)
    assert entry["event"] == "the slice broke off, and will be painted again"
    assert REASON in entry["reason"]
    make_room(process.pid)
    await told(client, job, waits=False)
    notices = [event for event in await client.events(job) if isinstance(event, Notice)]
    assert [event.waits for event in notices] == [True, False]
    assert (await client.run(job))["final"]["sha256"] == uncut_sha256(recipe)
