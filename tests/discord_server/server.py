"""All of the server put together: REST, gateway, files, control."""

from __future__ import annotations

from aiohttp import web

from discord_server import (  # noqa: F401 - importing them enters their routes
    routes_channels,
    routes_commands,
    routes_general,
    routes_interactions,
    routes_messages,
    routes_webhooks,
)
from discord_server.clock import Clock
from discord_server.codes import MIB, StickerFormat
from discord_server.control import Control
from discord_server.faults import Faults
from discord_server.gateway import Gateway
from discord_server.openapi import description_path, load
from discord_server.rest import Rest, reset
from discord_server.world import World

HOST = "127.0.0.1"
GREATEST_BODY = 1024 * MIB
"""More than anybody sends: what is too large for Discord is for the rules to say."""


class Server:
    """Listens on one local port from `start` to `stop`."""

    def __init__(self) -> None:
        self._world = World(Clock())
        self._world.add_user("Owner")
        self._faults = Faults()
        path = description_path()
        self.checks_openapi = path is not None
        rest = Rest(self._world, self._faults, None if path is None else load(path))
        self._gateway = Gateway(self._world)
        control = Control(self._world, self._gateway, self._faults)
        app = web.Application(client_max_size=GREATEST_BODY)
        app.router.add_route("*", "/api/v10/{path:.*}", rest.serve)
        app.router.add_get("/gateway", self._connect)
        for folder in ("attachments", "ephemeral-attachments"):
            app.router.add_get(f"/{folder}/{{channel}}/{{id:\\d+}}/{{name}}", self._file)
        app.router.add_get(r"/stickers/{id:\d+}.{extension}", self._sticker)
        app.router.add_get("/control/world", control.changes)
        app.router.add_post("/control/{verb}", control.serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)

    async def start(self, port: int = 0, host: str = HOST) -> str:
        """The address that it answers on."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        port = self._runner.addresses[0][1]
        self._world.media.base_url = f"http://{host}:{port}"
        self._world.gateway_url = f"ws://{host}:{port}/gateway"
        return self._world.media.base_url

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _struck(self, request: web.Request) -> web.Response | None:
        """What a fault answers instead, beside the API."""
        fault = self._faults.strike(request.method, request.path)
        if fault is None:
            return None
        await fault.wait()
        if fault.reset or fault.swallow:
            return reset(request)
        return None if fault.status is None else web.Response(status=fault.status)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        return await self._struck(request) or await self._gateway.serve(request)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        struck = await self._struck(request)
        if struck is not None:
            return struck
        query = request.query
        signature = (query.get("ex", ""), query.get("is", ""), query.get("hm", ""))
        attachment = self._world.media.fetch(int(request.match_info["id"]), *signature)
        if attachment is None:
            return web.Response(status=404, text="This content is no longer available.")
        kind = attachment.content_type or "application/octet-stream"
        return web.Response(body=attachment.data, headers={"Content-Type": kind})

    async def _sticker(self, request: web.Request) -> web.StreamResponse:
        struck = await self._struck(request)
        if struck is not None:
            return struck
        sticker = self._world.stickers.get(int(request.match_info["id"]))
        if sticker is None or request.match_info["extension"] != sticker.format.extension:
            return web.Response(status=404)
        kind = "application/json" if sticker.format == StickerFormat.LOTTIE else f"image/{sticker.format.extension}"
        return web.Response(body=sticker.data, headers={"Content-Type": kind})
