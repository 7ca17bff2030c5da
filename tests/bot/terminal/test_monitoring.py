"""Health and metrics of a bot and a worker, as a scraper sees them, in front of the stand-in for Discord."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from operator_command import told
from prometheus_client.parser import text_string_to_metric_families
from scene import Scene, scene
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")


def free_port() -> int:
    """One that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Scene, str, str]]:
    port = free_port()
    pool.start_worker(seconds=0.15, IMPASTO_MONITORING=str(port)).ready()
    async with scene(pool, tmp_path_factory.mktemp("monitoring"), IMPASTO_MONITORING="0") as made:
        (url,) = [line["url"] for line in made.said() if line["event"] == "health and metrics are served"]
        yield made, url, f"http://127.0.0.1:{port}"


async def get(url: str) -> tuple[int, str]:
    """Status and body."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def until(url: str, status: int) -> Any:
    """The JSON, once it comes with this status."""
    async with asyncio.timeout(60):
        while (answer := await get(url))[0] != status:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.1)
    return json.loads(answer[1])


async def samples(url: str) -> dict[tuple[str, ...], float]:
    """Of `/metrics`: (name, label values …) -> value."""
    status, text = await get(f"{url}/metrics")
    assert status == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def samples_with(url: str, name: str) -> dict[tuple[str, ...], float]:
    """The samples, once there is one of this name without labels."""
    async with asyncio.timeout(60):
        while (name,) not in (found := await samples(url)):  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.1)
    return found


@pytest.mark.long
async def test_a_painting_is_counted_where_it_happens(stage: tuple[Scene, str, str]) -> None:
    made, bot, worker = stage
    assert await until(f"{bot}/readyz", 200) == {"ok": True, "checks": {"bot": {"ok": True, "says": "connected"}}}
    assert (await until(f"{worker}/readyz", 200))["checks"]["worker"]["says"].startswith("paints on cpu")
    asked = await made.stylize()
    await made.ended(await made.card(asked))
    found = await samples_with(bot, "impasto_queue_work_seconds")  # a worker's next heartbeat tells how fast it is
    assert found["impasto_redis_up",] == found["impasto_gateway_up",] == found["impasto_workers_alive",] == 1
    assert found["impasto_jobs", "queued"] == found["impasto_jobs", "painting"] == found["impasto_queue_slices",] == 0
    assert found["impasto_queue_work_seconds",] == 0
    assert found["impasto_acknowledge_seconds_count",] == found["impasto_first_snapshot_seconds_count",] == 1
    posts = {kind: found["impasto_posts_total", kind] for kind in ("card", "snapshot", "final", "loss", "film")}
    assert set(posts.values()) == {1}
    assert found["impasto_discord_responses_total", "200"] > 4
    assert found["impasto_stream_lag", "discord"] == 0
    assert found["impasto_redis_memory_bytes",] > 0
    found = await samples(worker)
    assert found["impasto_iterations_total", "fine", "64"] == 24
    assert found["impasto_device_seconds_total", "fine", "64"] > 0
    assert found["impasto_slices_total",] >= 1
    assert found["impasto_jobs_ended_total", "done"] == 1
    assert found.get(("impasto_duplicates_dropped_total", "event"), 0) == 0
    assert found["impasto_store_bytes_total", "to"] > 1000 < found["impasto_store_bytes_total", "from"]


@pytest.mark.long
async def test_what_is_refused_for_want_of_workers_is_counted(empty_redis_url: str, tmp_path: Path) -> None:
    pool = WorkerPool(empty_redis_url, tmp_path)
    async with scene(pool, tmp_path, IMPASTO_WEIGHTS="auto", IMPASTO_MONITORING="0") as made:
        (url,) = [line["url"] for line in made.said() if line["event"] == "health and metrics are served"]
        assert (await samples(url))["impasto_wanting_workers_total",] == 0
        assert (await made.private_reply(await made.stylize())).startswith("No worker has started here yet")
        assert (await samples(url))["impasto_wanting_workers_total",] == 1


async def test_a_lost_connection_to_discord_is_told_until_it_is_back(stage: tuple[Scene, str, str]) -> None:
    made, bot, _ = stage
    closed = await made.discord.fault("GET /gateway", delay_s=300.0)
    await made.discord.gateway("drop")
    for up in (0, 1):
        async with asyncio.timeout(60):
            while (await samples(bot))["impasto_gateway_up",] != up:  # noqa: ASYNC110 - nobody is told of it
                await asyncio.sleep(0.1)
        if not up:
            await closed.release()


async def test_promtool_finds_nothing_to_say_against_the_metrics(stage: tuple[Scene, str, str]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not here (Debian's package prometheus has it)")
    _, *urls = stage
    for url in urls:
        text = (await get(f"{url}/metrics"))[1]
        command = ["promtool", "check", "metrics"]
        check = await asyncio.to_thread(subprocess.run, command, input=text, capture_output=True, text=True)
        assert (check.returncode, check.stderr) == (0, ""), check.stderr


async def test_the_container_s_health_check_asks_it(stage: tuple[Scene, str, str]) -> None:
    _, bot, _ = stage
    script = str(Path(__file__).parents[3] / "deploy" / "container_health_check.py")
    port = bot.rpartition(":")[2]
    for address, status in ((f"0.0.0.0:{port}", 0), (str(free_port()), 1), ("off", 1)):
        process = await asyncio.create_subprocess_exec(
            "python3", script, env={"IMPASTO_MONITORING": address, "PATH": "/usr/bin:/bin:/usr/local/bin"}
        )
        assert await process.wait() == status, address


async def test_a_port_that_is_taken_is_said_in_a_sentence(stage: tuple[Scene, str, str], tmp_path: Path) -> None:
    made, bot, _ = stage
    address = bot.removeprefix("http://")
    status, out, err = await told(made.discord, tmp_path, "bot", REDIS_URL=made.pool.url, IMPASTO_MONITORING=address)
    assert (status, out) == (78, "")
    assert err.splitlines()[-1] == f"Nothing can listen at IMPASTO_MONITORING, {address}: Address already in use."


@pytest.mark.long
async def test_what_is_away_is_named(stage: tuple[Scene, str, str]) -> None:
    """The last test of the stage: it takes away what the others stand on."""
    made, bot, worker = stage
    tells = await until(f"{bot}/healthz", 200)
    assert {name: check["ok"] for name, check in tells["checks"].items()} == dict.fromkeys(
        ("redis", "store", "gateway", "workers"), True
    )
    store = made.pool.folder / "store"
    store.rename(store.with_name("elsewhere"))
    store.write_text("no folder")
    tells = await until(f"{worker}/healthz", 503)
    assert not tells["checks"]["store"]["ok"]
    assert tells["checks"]["redis"]["ok"]
    tells = await until(f"{bot}/healthz", 503)
    assert [name for name, check in tells["checks"].items() if not check["ok"]] == ["store"]
    store.unlink()
    store.with_name("elsewhere").rename(store)
    await until(f"{worker}/healthz", 200)
    await until(f"{bot}/healthz", 200)
    (process,) = made.pool.workers
    process.send(signal.SIGTERM)
    assert process.ended() == 0
    tells = await until(f"{bot}/healthz", 503)
    assert [name for name, check in tells["checks"].items() if not check["ok"]] == ["workers"]
    assert tells["checks"]["workers"]["says"] == "No worker is there: start one with `impasto worker`."
    assert (await get(f"{bot}/readyz"))[0] == 200  # it is no fault of the bot's
