"""A painting is kept for as long as the settings say, from when it was posted; its card says until when."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from discord_server.message_text import text_of
from redis import Redis
from scene import scene
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.expiry import remove_expired
from engine.contract.models import job_key
from engine.contract.store import Store


@pytest.mark.long
async def test_pictures_and_checkpoints_go_once_the_buttons_work_no_more(pool: WorkerPool, tmp_path: Path) -> None:
    pool.start_worker(seconds=0.15).ready()
    async with scene(pool, tmp_path, IMPASTO_KEEP_DAYS="3") as stage:
        asked = await stage.stylize()
        card = await stage.ended(await stage.card(asked))
        told = re.search(r"kept until <t:(\d+):D>", text_of(card))
        assert told
        until = int(told[1])
        assert abs(until - time.time() - 3 * 86400) < 600
        about = await stage.private_reply(await stage.ada.slash(stage.channel, "about"))
        assert "For 3 days after it was posted a painting can be gone on from" in about
        store = Store(pool.store_url)
        async with connect(pool.url) as client:
            await remove_expired(client, store)  # as each hour
        with Redis.from_url(pool.url) as redis:
            assert redis.expiretime(job_key(asked.id)) == until
            redis.expireat(job_key(asked.id), 1)  # three days later
        for blob in await store.blobs("jobs/"):
            os.utime(pool.folder / "store" / blob.key, (1, 1))
        assert await store.blobs(f"jobs/{asked.id}/")
        async with connect(pool.url) as client:
            await remove_expired(client, store)
        assert await store.blobs(f"jobs/{asked.id}/") == []
        pressed = await stage.ada.press(card, "Again")
        answer = await stage.private_reply(pressed)
        assert answer == "This painting is no longer kept: start a new one with `/stylize`."
