"""The way of each API request: fault, route, token, rate limits, body, rules, answer, and its line in the books."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from discord_server.calls import Call, Route, find_route
from discord_server.faults import Fault, Faults
from discord_server.intake import read_body
from discord_server.openapi import OpenApi
from discord_server.rate_limits import Taken, limit_of
from discord_server.refusals import Refusal
from discord_server.world import World

Json = dict[str, Any]

VIA = {"Via": "1.1 google"}
CLOUDFLARE = "<html><body>error code: 1015</body></html>"
"""What an address that is banned gets: a 429 without `Via` and without JSON."""


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=lambda: dict(VIA))
    code: int | None = None

    def response(self) -> web.Response:
        if self.body is None:
            return web.Response(status=self.status, headers=self.headers)
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        kind = "text/html" if isinstance(self.body, str) else "application/json"
        return web.Response(status=self.status, body=text.encode(), headers={**self.headers, "Content-Type": kind})


class Rest:
    def __init__(self, world: World, faults: Faults, openapi: OpenApi | None) -> None:
        self._world, self._faults, self._openapi = world, faults, openapi

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        if self._world.invalid.banned:
            answer = Answer(429, CLOUDFLARE, {})
            self._book(request.method, path, path, answer)
            return answer.response()
        fault = self._faults.strike(request.method, path, request.content_type.startswith("multipart/"))
        if fault is not None:
            await fault.wait()
        if fault is not None and fault.reset:
            self._book(request.method, path, path, Answer(0))
            return reset(request)
        found = find_route(request.method, path)
        if fault is not None and fault.status is not None:
            answer = _faulty(fault)
        else:
            answer = await self._answer(request, path, found)
            self._hold_against_description(found, answer)
        self._book(request.method, path, path if found is None else found[0].template, answer)
        if fault is not None and fault.swallow == "hang":
            await asyncio.Event().wait()
        return reset(request) if answer.status == 0 or (fault is not None and fault.swallow) else answer.response()

    async def _answer(self, request: web.Request, path: str, found: Any) -> Answer:
        headers = dict(VIA)
        try:
            if found is None:
                self._world.note("violation", what=f"a route that this server does not know: {request.method} {path}")
                raise Refusal(0, status=404, message="404: Not Found")
            self._authorize(request, found[0])
            limited = self._limit(found[0], found[1], headers)
            if limited is not None:
                return limited
            body, uploads = await read_body(request)
            if self._openapi is not None:
                self._openapi.check(found[0].method, found[0].template, request.query, body)
            status, reply = found[0].handler(Call(self._world, found[1], request.query, body, uploads))
            return Answer(status, reply, headers)
        except Refusal as refusal:
            self._note(refusal, request.method, path)
            return Answer(refusal.status, _refused(refusal), headers, refusal.code)
        except ConnectionError:
            return Answer(0)  # the client has died in the middle of its request
        except Exception as error:
            # A body of a shape that no rule foresaw is the bot's fault or this server's: a test must see it either way.
            logging.getLogger(__name__).exception("%s %s", request.method, path)
            self._world.note("violation", what=f"this server failed: {error!r}", request=f"{request.method} {path}")
            return Answer(500, {"message": "500: Internal Server Error", "code": 0}, headers)

    def _hold_against_description(self, found: Any, answer: Answer) -> None:
        if self._openapi is None or found is None or answer.status in (0, 500):
            return
        method, template = found[0].method, found[0].template
        for what in self._openapi.faults(method, template, answer.status, answer.body):
            self._world.note("own_fault", what=what, request=f"{method} {template} {answer.status}")

    def _authorize(self, request: web.Request, route: Route) -> None:
        if route.template.startswith(("/interactions/", "/webhooks/")) or route.template == "/gateway":
            return
        if request.headers.get("Authorization") != f"Bot {self._world.token}":
            raise Refusal(0)

    def _limit(self, route: Route, params: Any, headers: dict[str, str]) -> Answer | None:
        limit = limit_of(route.method, route.template)
        if limit is None:
            return None
        if not route.template.startswith("/webhooks/"):
            # The global limit is the bot's token's; what an interaction's token opens does not count.
            busy, wait = self._world.limits.take_global()
            self._world.counts.busiest_second = max(self._world.counts.busiest_second, busy)
            if wait:
                return _limited(wait, everywhere=True, headers=headers)
        taken: Taken = self._world.limits.take(limit, params.get(limit.major, ""))
        headers.update(taken.headers())
        return None if taken.allowed else _limited(taken.reset_after, everywhere=False, headers=headers)

    def _note(self, refusal: Refusal, method: str, path: str) -> None:
        kind = "violation" if refusal.violation else "refusal"
        self._world.note(kind, what=refusal.message, code=refusal.code, request=f"{method} {path}")

    def _book(self, method: str, path: str, template: str, answer: Answer) -> None:
        counts = self._world.counts
        counts.requests[f"{method} {template}"] += 1
        counts.statuses[answer.status] += 1
        if answer.status in (401, 403, 429) and self._world.invalid.count():
            self._world.note("violation", what="too many invalid requests in ten minutes: the address is banned")
        line = {"method": method, "path": path, "status": answer.status, "code": answer.code}
        self._world.note("request", at=self._world.clock.now(), **line)


def _refused(refusal: Refusal) -> Json:
    """A 429 must say how long to wait, whatever limit it is of."""
    body = refusal.body()
    return {**body, "retry_after": refusal.retry_after, "global": False} if refusal.status == 429 else body


def _limited(wait: float, everywhere: bool, headers: dict[str, str]) -> Answer:
    headers |= {"Retry-After": f"{wait:.3f}", "X-RateLimit-Scope": "global" if everywhere else "user"}
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": everywhere, "code": 0}
    return Answer(429, body, headers)


def _faulty(fault: Fault) -> Answer:
    assert fault.status is not None
    headers = dict(VIA) if fault.via else {}
    if fault.status == 429:
        headers["Retry-After"] = str(fault.retry_after)
    return Answer(fault.status, fault.body() if fault.via else CLOUDFLARE, headers, fault.code)


def reset(request: web.Request) -> web.Response:
    """Ends the connection with an RST: what a client sees as errno 104."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()
