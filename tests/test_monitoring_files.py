"""Alerts and dashboard ask for what is there, and the alerts come when they should."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from arq.connections import ArqRedis
from prometheus_client import CollectorRegistry
from support.jobs import a_job

from engine.contract import workers
from engine.contract.connection import SOCKET_TIMEOUT, connect
from engine.contract.events import STREAM
from engine.contract.jobs import Jobs
from engine.contract.workers import Worker
from engine.monitoring import queue_metrics
from engine.process.metrics import REGISTRY

FOLDER = Path(__file__).parents[1] / "deploy" / "monitoring"
ELSEWHERE = {"impasto_gpu_memory_bytes", "impasto_gateway_up"}
"""Told only where there is a GPU, and by the bot alone."""


def named(registry: CollectorRegistry) -> set[str]:
    """The series that it tells, also those without a value yet."""
    names = set()
    for family in registry.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    return names


async def test_alerts_and_dashboard_ask_for_series_that_are_told(redis: ArqRedis) -> None:
    await Jobs(redis).create(a_job())
    await workers.beat(redis, Worker(id="one", device="cpu", weights="random", speed=1e9))
    await redis.xadd(STREAM, {"job": "1", "event": "{}"})
    await redis.xgroup_create(STREAM, "discord", id="0")
    told = named(REGISTRY) | {family.name for family in await queue_metrics(redis)} | ELSEWHERE
    alerts = (FOLDER / "alerts.yml").read_text()
    board = json.loads((FOLDER / "grafana" / "impasto.json").read_text())
    asked = "\n".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    for text in (alerts, asked):
        names = set(re.findall(r"\bimpasto_\w+", text))
        assert len(names) > 8
        assert names <= told
    # And nothing is counted that nobody looks at.
    looked_at = {name.removesuffix("_bucket") for name in re.findall(r"\bimpasto_\w+", alerts + asked)}
    assert {name for name in told if not name.endswith(("_count", "_sum", "_bucket"))} <= looked_at


async def test_of_a_redis_that_stands_still_it_is_told_before_the_scraper_gives_up(tmp_path: Path) -> None:
    stands_still = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stands_still.wait()
        writer.close()

    async with (
        await asyncio.start_unix_server(say_nothing, tmp_path / "redis.sock"),
        connect(f"unix://{tmp_path / 'redis.sock'}", retries=0) as redis,
        asyncio.timeout(SOCKET_TIMEOUT / 2),
    ):
        (up,) = await queue_metrics(redis)
        stands_still.set()
    assert (up.name, up.samples[0].value) == ("impasto_redis_up", 0)


async def test_the_queue_s_numbers_are_those_of_what_is_open(redis: ArqRedis) -> None:
    jobs = [a_job().model_copy(update={"created": 1_000_000_000.0}), a_job("another")]
    for job in jobs:
        await Jobs(redis).create(job)
    for name in ("one", "two"):
        await workers.beat(redis, Worker(id=name, device="cpu", weights="random", speed=1e9))
    found = {family.name: [sample.value for sample in family.samples] for family in await queue_metrics(redis)}
    assert found["impasto_jobs"] == [2, 0]
    assert found["impasto_workers_alive"] == found["impasto_workers"] == [2]
    assert found["impasto_queue_oldest_seconds"][0] > 100_000_000
    work = sum(job.remaining_flops(0) for job in jobs)
    assert found["impasto_queue_work_seconds"] == [pytest.approx(work / 2e9)]


def test_each_alert_is_seen_to_come() -> None:
    named = set(re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text()))
    tests = (FOLDER / "alerts_test.yml").read_text()
    came = set(re.findall(r"alertname: (\w+)\s+exp_alerts:\s*(?:\[\{|- )", tests))
    assert came == named


@pytest.mark.parametrize(
    "words", ["check rules alerts.yml", "test rules alerts_test.yml", "check config --syntax-only prometheus.yml"]
)
def test_prometheus_itself_takes_them_and_the_alerts_come_when_they_should(words: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here (Debian's package prometheus has it)")
    done = subprocess.run([promtool, *words.split()], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@asynccontextmanager
async def alertmanager(room: Path, webhook: str) -> AsyncIterator[str]:
    """As compose starts it; its URL."""
    program = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("alertmanager is not here (Debian's package prometheus-alertmanager has it)")
    programs = room / "programs"
    programs.mkdir()
    (programs / "alertmanager").symlink_to(program)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "TMPDIR": str(room), "ALERT_WEBHOOK": webhook}
    command = ["sh", str(FOLDER / "alertmanager.sh"), "--web.listen-address=127.0.0.1:0"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
    try:
        assert process.stderr is not None
        said = ""
        while (found := re.search(r'msg="Listening on" address=(\S+)', said)) is None:
            line = await process.stderr.readline()
            assert line, said
            said += line.decode()
        yield f"http://{found[1]}"
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.long
@pytest.mark.parametrize("path", ["/api/webhooks/1/secret", "/elsewhere"])
async def test_an_alert_comes_to_the_webhook(path: str, tmp_path: Path) -> None:
    """In the form that Discord's take, or in Alertmanager's own."""
    came: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        await came.put((request.path, await request.text()))
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/{path:.*}", take)
    alert = {"labels": {"alertname": "ImpastoBotGone"}, "annotations": {"summary": "Nothing is heard."}}
    async with (
        TestServer(application) as server,
        alertmanager(tmp_path, str(server.make_url(path))) as url,
        aiohttp.ClientSession() as session,
        asyncio.timeout(60),
    ):
        async with session.post(f"{url}/api/v2/alerts", json=[alert]) as answer:
            assert answer.status == 200
        asked, text = await came.get()
    assert asked == path
    told = json.loads(text)
    if path == "/elsewhere":
        assert told["alerts"][0]["annotations"] == alert["annotations"]
    else:
        assert [one["description"] for one in told["embeds"]] == ["Nothing is heard.\n"]


async def test_without_a_webhook_alertmanager_runs_all_the_same(tmp_path: Path) -> None:
    async with (
        alertmanager(tmp_path, "") as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v2/receivers") as answer,
    ):
        assert await answer.json() == [{"name": "operator"}]
    assert (tmp_path / "alertmanager.yml").stat().st_mode & 0o077 == 0
