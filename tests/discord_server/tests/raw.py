"""A bot's REST client that knows no manners: it sends what a test tells it to.

After each answer `discord.world` shows what came of the request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from discord_server.driver import Discord

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> int:
        """Of Discord's JSON errors."""
        return int(self.body["code"])


class Raw:
    def __init__(self, discord: Discord) -> None:
        self._discord, self._url, self._token = discord, discord.api_url, discord.token

    async def __call__(
        self, method: str, path: str, body: Any = None, files: Mapping[str, bytes] | None = None
    ) -> Answer:
        """`files` go beside the body in a multipart request, in order."""
        headers = {"Authorization": f"Bot {self._token}"}
        data: Any = None
        if files is not None:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", json.dumps(body))
            for index, (name, content) in enumerate(files.items()):
                data.add_field(f"files[{index}]", content, filename=name, content_type="application/octet-stream")
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body), "application/json"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self._url + path, data=data, headers=headers) as reply,
        ):
            raw = await reply.read()
            await self._discord.now()
            is_json = reply.headers.get("Content-Type") == "application/json"
            return Answer(reply.status, json.loads(raw) if is_json else raw, reply.headers)
