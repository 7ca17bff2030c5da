"""The control API: what a test does to the world, and what it sees of it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from discord_server.control_actions import ACTS
from discord_server.control_call import ControlCall
from discord_server.control_faults import FAULTS
from discord_server.control_world import CHANGES
from discord_server.faults import Faults
from discord_server.gateway import Gateway
from discord_server.impossible_action import Impossible
from discord_server.intake import read_body
from discord_server.refusals import Refusal
from discord_server.world import World
from discord_server.world_snapshot import see

Json = dict[str, Any]

VERBS: dict[str, Callable[[ControlCall], Any]] = {**ACTS, **CHANGES, **FAULTS}
LONGEST_POLL_S = 20.0


class Control:
    def __init__(self, world: World, gateway: Gateway, faults: Faults) -> None:
        self._world, self._gateway, self._faults = world, gateway, faults

    async def serve(self, request: web.Request) -> web.Response:
        """One verb. 422 says what a person could not have done, or what the test got wrong."""
        body, uploads = await read_body(request, math.inf)
        verb = VERBS.get(request.match_info["verb"])
        if verb is None:
            return _json(404, {"error": f"no such verb: {request.match_info['verb']}"})
        covered = (body or {}).pop("spoilers", [])
        uploads = [replace(upload, spoiler=upload.index in covered) for upload in uploads]
        try:
            result = verb(ControlCall(self._world, self._gateway, self._faults, body or {}, uploads))
        except Impossible as error:
            return _json(422, {"error": str(error)})
        except (Refusal, ValueError, KeyError) as error:
            return _json(422, {"error": f"{request.match_info['verb']}: {error!r}"})
        return _json(200, {"version": self._world.journal.version, "result": result})

    async def changes(self, request: web.Request) -> web.Response:
        """What is new since a version; waits a while until there is something."""
        since = int(request.query.get("since", "0"))
        try:
            async with asyncio.timeout(LONGEST_POLL_S):
                await self._world.journal.beyond(since)
        except TimeoutError:
            pass
        version = self._world.journal.version
        changed = [
            [kind, str(number), see(self._world, kind, number)] for kind, number in self._world.journal.since(since)
        ]
        counts = self._world.counts.as_json() | {"invalid_in_ten_minutes": self._world.invalid.most}
        counts["sessions"] = self._gateway.connected
        return _json(200, {"version": version, "changes": changed, "counts": counts})


def _json(status: int, body: Json) -> web.Response:
    return web.Response(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
