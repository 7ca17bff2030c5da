"""The HTTP server for health and metrics: /healthz, /readyz, /metrics. It answers only while the event loop turns."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from engine.contract.settings import SettingsError
from engine.monitoring.health_checks import Check, Examination, report
from engine.process.metrics import REGISTRY

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Monitored:
    """What a process has to tell."""

    ready: Mapping[str, Check]
    """Whether this process does its part."""
    healthy: Mapping[str, Check]
    """Whether that on which it stands is well."""
    state: Callable[[], Awaitable[list[Metric]]]
    """What is read at the moment of asking."""


@asynccontextmanager
async def serve_monitoring(address: tuple[str, int] | None, monitored: Monitored) -> AsyncIterator[str]:
    """Serve while the block runs; its URL, or nothing where there is no address. Raises `SettingsError`."""
    if address is None:
        yield ""
        return
    async with listening(_application(monitored), address, "IMPASTO_MONITORING") as url:
        _log.info("health and metrics are served", url=url)
        yield url


@asynccontextmanager
async def listening(application: web.Application, address: tuple[str, int], setting: str) -> AsyncIterator[str]:
    """Serve while the block runs; its URL. Raises `SettingsError` with the setting's name where that cannot be."""
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        host, port = address
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = (
                os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            )  # asyncio's words repeat it
            raise SettingsError(f"Nothing can listen at {setting}, {host}:{port}: {reason}.") from error
        yield f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _application(monitored: Monitored) -> web.Application:
    async def metrics(_: web.Request) -> web.Response:
        state = CollectorRegistry()
        state.register(_Families(await monitored.state()))
        text = generate_latest(REGISTRY) + generate_latest(state)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes(
        [
            web.get("/healthz", _examined(Examination(monitored.healthy))),
            web.get("/readyz", _examined(Examination(monitored.ready, fresh=0.0))),
            web.get("/metrics", metrics),
        ]
    )
    return application


def _examined(examination: Examination) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        told = report(await examination.findings())
        return web.json_response(told, status=200 if told["ok"] else 503)

    return answer


class _Families(Collector):
    """Metrics that were read before: a collector itself cannot wait."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families
