"""Every curve of Grafana's dashboard, asked of a real Prometheus that looks at a bot and a worker while they paint."""

from __future__ import annotations

import asyncio
import json
import math
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from scene import scene
from support.workers import WorkerPool
from tcp_redis import free_port

from engine.process.child_process import child_command

Json = dict[str, Any]

BOARD = json.loads((Path(__file__).parents[3] / "deploy" / "monitoring" / "grafana" / "impasto.json").read_text())
CURVES = {target["expr"]: target["legendFormat"] for panel in BOARD["panels"] for target in panel["targets"]}
NOT_HERE = ("impasto_gpu_memory_bytes",)
"""Without a GPU nothing tells it."""
QUIET = (
    "impasto_store_errors_total",
    "impasto_recoveries_total",
    "impasto_duplicates_dropped_total",
    "impasto_redis_memory_limit_bytes",
    "impasto_stream_lag",
    "impasto_stream_pending",
)
"""Where all is well these are zero, or so for the moment at which they are looked at."""


class Prometheus:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session, self._began = url, session, time.time()

    async def ask(self, path: str, **words: str | float) -> list[Json]:
        async with self._session.get(f"{self._url}/api/v1/{path}", params=words) as answer:
            told = await answer.json()
        assert told["status"] == "success", told
        result: list[Json] = told["data"]["result"]
        return result

    async def curves(self, expression: str) -> list[tuple[Json, float]]:
        """The labels of each curve since the beginning, and the highest of its points that are numbers."""
        found = await self.ask("query_range", query=expression, start=self._began, end=time.time(), step=1)
        numbers = [(one["metric"], [float(value) for _, value in one["values"]]) for one in found]
        return [(labels, max(known)) for labels, values in numbers if (known := [*filter(math.isfinite, values)])]

    async def until(self, expression: str, least: float) -> list[tuple[Json, float]]:
        """Its curves, once one of them has been so high."""
        found: list[tuple[Json, float]] = []
        try:
            async with asyncio.timeout(120):
                while not any(highest >= least for _, highest in found):
                    await asyncio.sleep(0.5)  # it tells nobody when it has looked
                    found = await self.curves(expression)
        except TimeoutError:
            raise AssertionError(f"{expression} shows {found}") from None
        return found


@asynccontextmanager
async def prometheus(folder: Path, *ports: int) -> AsyncIterator[Prometheus]:
    """It looks at these ports each second."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not here (Debian's package of that name has it)")
    job = {"job_name": "impasto", "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
    settings = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}  # JSON is YAML too
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    port, log = free_port(), folder / "prometheus.log"
    options = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    command = child_command([program, *options, f"--web.listen-address=127.0.0.1:{port}"])
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*command, stdout=file, stderr=file)
    try:
        async with aiohttp.ClientSession() as session:
            while True:
                assert process.returncode is None, log.read_text()
                try:
                    async with session.get(f"http://127.0.0.1:{port}/-/ready") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.1)  # nor when it is ready
            yield Prometheus(f"http://127.0.0.1:{port}", session)
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.long
async def test_each_curve_shows_what_there_is_to_be_seen(pool: WorkerPool, tmp_path: Path) -> None:
    ports = free_port(), free_port()
    async with (
        prometheus(tmp_path, *ports) as asked,
        scene(pool, tmp_path, IMPASTO_MONITORING=str(ports[0])) as made,
    ):
        waiting = await made.stylize()
        card = await made.card(waiting)
        await asked.until("max(impasto_queue_oldest_seconds)", 1)
        for status in (429, 503):  # discord.py itself repeats the first, and we the second
            await made.discord.fault("POST /channels/*/messages", times=1, status=status, with_files=True)
        worker = pool.start_worker(seconds=0.5, IMPASTO_MONITORING=str(ports[1])).ready()
        await asked.until("sum(up)", 2)  # before it has counted anything: what it begins with, it has not added
        await made.ended(card)
        await asked.until("max(impasto_queue_work_seconds)", 0)  # from the worker's next heartbeat on it is known
        # Nobody knows beforehand of which recipe and size there will be counts. It is long enough to be looked at.
        later = await made.stylize(iterations=400)
        await made.ended(await made.card(later))
        for expression, legend in CURVES.items():
            if any(name in expression for name in NOT_HERE):
                continue
            found = await asked.until(expression, 0 if any(name in expression for name in QUIET) else 1e-9)
            labels = set(re.findall(r"{{(\w+)}}", legend))
            assert all(labels <= set(metric) for metric, _ in found), expression
        for kind in ("card", "snapshot", "final", "loss", "film"):  # the first of each is counted too
            await asked.until(f'rate(impasto_posts_total{{kind="{kind}"}}[5m])', 1e-9)
        worker.kill()
