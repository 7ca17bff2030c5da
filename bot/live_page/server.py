"""The live page's HTTP server: the page, its events (server-sent), and the pictures that it shows."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files

import structlog
from aiohttp import web
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from bot.cards.thumbnails import small_jpeg
from bot.client import Impasto
from bot.live_page.loss_curves import PAUSE, Losses
from bot.live_page.page_state import PageState
from bot.post_ledger import Ledger
from bot.settings import BotSettings
from bot.stored_pngs import Broken
from engine.contract.jobs import Jobs
from engine.contract.store import Store, StoreError
from engine.monitoring import listening

_EVERY = 1.0  # s
_WATCHERS = 50
"""Pages that may be open at a time."""
_COOKIE = "impasto_page"
_ALIVE = 15.0  # s after which a page hears something, so that it is noticed when it has gone
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
_AWAY, _BROKEN = json.dumps({"away": True}), json.dumps({"broken": True})
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_log = structlog.get_logger(__name__)


class LivePage:
    """Over all lives of the client; `bot` gives the one that lives now."""

    def __init__(self, settings: BotSettings, redis: ArqRedis, store: Store, bot: Callable[[], Impasto | None]) -> None:
        self._redis, self._store, self._bot = redis, store, bot
        self._token = settings.impasto_page_token.get_secret_value()
        self._losses = Losses()
        self._scene = PageState(Ledger(redis), self._losses)
        self._told = ""
        self._changed = asyncio.Condition()
        self._watchers = 0
        self._watched = asyncio.Event()

    @asynccontextmanager
    async def served(self, address: tuple[str, int] | None) -> AsyncIterator[str]:
        """While the block runs; its URL, or nothing where there is no address. Raises `SettingsError`."""
        if address is None:
            yield ""
            return
        tasks = [asyncio.create_task(self._losses.follow(self._redis)), asyncio.create_task(self._look())]
        try:
            async with listening(self._application(), address, "IMPASTO_PAGE") as url:
                _log.info("the live page is served", url=url)
                yield url
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        for path in _FILES:
            application.router.add_get(path, self._file)
        application.router.add_get("/events", self._events)
        application.router.add_get(r"/picture/{job:\w+}/{iteration:\d+}", self._picture)
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """With a token only who has it; without, only who asks for this machine by its own name.

        The latter, for a page of somebody else's could let its name stand for this machine (DNS rebinding).
        """
        if not self._token:
            if (request.url.host or "") not in ("localhost", "127.0.0.1", "::1"):
                raise web.HTTPForbidden(text="Ask for it as http://localhost, or set IMPASTO_PAGE_TOKEN.\n")
        elif (given := request.query.get("token")) is not None and self._is_token(given):
            answer = web.HTTPSeeOther(request.path)
            answer.set_cookie(_COOKIE, given, httponly=True, samesite="Strict", max_age=30 * 86400)
            raise answer
        elif not self._is_token(request.cookies.get(_COOKIE, "")):
            raise web.HTTPUnauthorized(text="Open it once as /?token=… with the value of IMPASTO_PAGE_TOKEN.\n")
        return await handler(request)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = _FILES[request.path]
        text = (files("bot.live_page") / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind, headers=_HEADERS)

    async def _picture(self, request: web.Request) -> web.Response:
        """Only what is shown at this moment."""
        key = self._scene.pictures.get((request.match_info["job"], int(request.match_info["iteration"])))
        if key is None:
            raise web.HTTPNotFound
        try:
            data = await asyncio.to_thread(small_jpeg, await self._store.get(key))
        except (StoreError, Broken):
            raise web.HTTPNotFound from None
        return web.Response(body=data, content_type="image/jpeg", headers=_HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._watchers >= _WATCHERS:
            raise web.HTTPServiceUnavailable
        answer = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        await answer.prepare(request)
        self._watchers += 1
        self._watched.set()
        told = ""
        try:
            while True:
                told = await self._next(told)
                await answer.write(f"data: {told}\n\n".encode())
        except (ConnectionError, asyncio.CancelledError):
            return answer
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._watched.clear()

    async def _next(self, told: str) -> str:
        """What is to be seen once it is another; the same again after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_ALIVE), self._changed:
                await self._changed.wait_for(lambda: self._told != told)
        return self._told or "{}"

    async def _look(self) -> None:
        """Each second while somebody watches."""
        jobs = Jobs(self._redis)
        while True:
            await self._watched.wait()
            told, pause = _AWAY, _EVERY
            try:
                scene = await self._scene.look(jobs, self._redis, self._bot())
                told = json.dumps(scene, allow_nan=False)  # a browser could not read such a number
            except (RedisError, OSError):
                pass  # the log of who follows says so
            except Exception:  # the page would stand still, and nobody know
                _log.exception("the live page cannot be drawn up")
                told, pause = _BROKEN, PAUSE
            async with self._changed:
                self._told = told
                self._changed.notify_all()
            await asyncio.sleep(pause)
