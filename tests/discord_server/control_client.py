"""The driver's line to the server: orders go out, and a copy of the world is kept up to date."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from discord_server.impossible_action import Impossible
from discord_server.view import WorldView

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Spoiler:
    """A file that its sender covers. Newer clients say so by a flag, older ones by `SPOILER_` before the name alone."""

    file: Path | tuple[str, bytes]


File = Path | tuple[str, bytes] | Spoiler
"""A file on disk, or a name and bytes; covered or not."""


def named_bytes(file: File) -> tuple[str, bytes]:
    inner = file.file if isinstance(file, Spoiler) else file
    return (inner.name, inner.read_bytes()) if isinstance(inner, Path) else inner


class Link:
    def __init__(self, url: str) -> None:
        self.url, self.world = url, WorldView()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        self._news = asyncio.Condition()
        self._broken: Exception | None = None
        self._follower = asyncio.create_task(self._follow())

    async def close(self) -> None:
        self._follower.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._follower
        await self._session.close()

    async def _follow(self) -> None:
        try:
            while True:
                query = {"since": str(self.world.version)}
                async with self._session.get(f"{self.url}/control/world", params=query) as reply:
                    reply.raise_for_status()
                    await self._take(await reply.json())
        except Exception as error:  # whatever it is, those who wait must hear of it
            async with self._news:
                self._broken = error
                self._news.notify_all()

    async def _take(self, news: Json) -> None:
        async with self._news:
            self.world.apply(news)
            self._news.notify_all()

    async def call(self, verb: str, files: Sequence[File] = (), **order: Any) -> Any:
        """Carries out one order; when it returns, `world` shows what came of it."""
        if files:
            order["spoilers"] = [index for index, file in enumerate(files) if isinstance(file, Spoiler)]
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", json.dumps(order))
            for index, (name, data) in enumerate(map(named_bytes, files)):
                form.add_field(f"files[{index}]", data, filename=name, content_type="application/octet-stream")
            request = self._session.post(f"{self.url}/control/{verb}", data=form)
        else:
            request = self._session.post(f"{self.url}/control/{verb}", json=order)
        async with request as reply:
            if reply.status not in (200, 422):
                raise RuntimeError(f"the stand-in failed: {await reply.text()}")
            answer = await reply.json()
        if reply.status != 200:
            raise Impossible(answer["error"])
        await self._wait(lambda: self.world.version >= answer["version"], 30)
        return answer["result"]

    async def fetch(self, url: str) -> tuple[int, bytes]:
        """A plain GET: status and body."""
        async with self._session.get(url) as reply:
            return reply.status, await reply.read()

    async def until(self, look: Callable[[WorldView], T | None], timeout: float) -> T:  # noqa: ASYNC109
        """Looks at the world now and after each change until it finds something; TimeoutError with a summary."""
        try:
            return await self._wait(lambda: _glance(look, self.world), timeout)
        except TimeoutError:
            raise TimeoutError(f"not seen within {timeout:g} s; the world is\n{self.world.summary()}") from None

    async def _wait(self, find: Callable[[], T | None], timeout: float) -> T:  # noqa: ASYNC109
        async with asyncio.timeout(timeout), self._news:
            while True:
                found = find()
                if found:
                    return found
                if self._broken is not None:
                    raise ConnectionError("Discord's stand-in is gone") from self._broken
                await self._news.wait()


def _glance(look: Callable[[WorldView], T | None], world: WorldView) -> T | None:
    """What is not there yet is no error of the one who looks for it."""
    try:
        return look(world)
    except (LookupError, StopIteration):
        return None
