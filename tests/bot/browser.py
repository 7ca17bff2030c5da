"""A page that goes on changing, in headless Chromium: its document, and how it looks."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

Json = dict[str, Any]

_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0")


def chromium() -> str | None:
    """Where it is, if it is here."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One page, spoken to by the browser's own protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0

    async def document(self) -> str:
        """As it is now; empty while another one takes its place."""
        wanted = {"expression": "document.documentElement.outerHTML"}
        answer = await self._call("Runtime.evaluate", **wanted)
        return str(answer.get("result", {}).get("value", ""))

    async def until(self, words: str) -> str:
        """The document, once it has these."""
        while words not in (document := await self.document()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # it tells nobody
        return document

    async def shoot(self, shot: Path, width: int, height: int, scale: float = 1.0, *, phone: bool = False) -> None:
        """A PNG of the window, whose size is this."""
        metrics: Json = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone}
        await self._call("Emulation.setDeviceMetricsOverride", **metrics)
        answer = await self._call("Page.captureScreenshot", format="png")
        shot.write_bytes(base64.b64decode(answer["data"]))

    async def _call(self, method: str, **words: Any) -> Json:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": words})
        while (answer := await self._socket.receive_json()).get("id") != self._number:
            pass  # something that happened
        result: Json = answer.get("result", {})
        return result


@asynccontextmanager
async def browsing(browser: str, url: str, folder: Path) -> AsyncIterator[Page]:
    """The page at the URL; `folder` is for Chromium's own."""
    process = await asyncio.create_subprocess_exec(
        browser,
        *_FLAGS,
        f"--user-data-dir={folder}",
        url,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(120), aiohttp.ClientSession() as session:
            while b"DevTools listening on ws://" not in (line := await process.stderr.readline()):
                assert line, "Chromium ended"
            place = line.decode().split("ws://")[1].split("/")[0]
            while not (pages := await _pages(session, f"http://{place}/json", url)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # Chromium tells nobody
            async with session.ws_connect(pages[0], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.kill()
        await process.communicate()


async def _pages(session: aiohttp.ClientSession, place: str, url: str) -> list[str]:
    """Where to speak to those of Chromium's pages that are at the URL."""
    async with session.get(place) as answer:
        return [one["webSocketDebuggerUrl"] for one in await answer.json() if one["url"].startswith(url)]
