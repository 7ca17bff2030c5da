"""Reads a request's body off the wire: JSON, or multipart with `payload_json` and files."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import BodyPartReader, web

from discord_server.media import Upload
from discord_server.messages import MOST_REQUEST_BYTES
from discord_server.refusals import Refusal, invalid


async def read_body(request: web.Request, most: float = MOST_REQUEST_BYTES) -> tuple[Any, list[Upload]]:
    """The JSON and the files of a request; 413 over `most` bytes, 50109 for what is no JSON."""
    if (request.content_length or 0) > most:
        # Cutting off a client in mid-upload would show it a reset connection instead of the answer.
        async for _ in request.content.iter_chunked(1 << 20):
            pass
        raise Refusal(40005)
    if request.content_type == "multipart/form-data":
        payload, uploads = await _read_multipart(request)
        if sum(len(upload.data) for upload in uploads) > most:
            raise Refusal(40005)
        return payload, uploads
    raw = await request.content.read(-1)
    if not raw:
        return None, []
    if request.headers.get("Content-Type") != "application/json":
        raise invalid(50109, f"Content-Type must be application/json, not {request.headers.get('Content-Type')}")
    return _parse(raw), []


async def _read_multipart(request: web.Request) -> tuple[Any, list[Upload]]:
    payload: Any = {}
    uploads = []
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        data = bytes(await part.read())
        slot = re.fullmatch(r"files\[(\d+)\]", part.name or "")
        if part.name == "payload_json":
            payload = _parse(data)
        elif slot is not None:
            uploads.append(Upload(int(slot[1]), part.filename or "", data))
        else:
            raise invalid(50035, f"a multipart field that Discord does not know: {part.name}")
    return payload, uploads


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise invalid(50109) from None
