"""As much of S3 as a store asks for, in memory, with or without TLS."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from tcp_redis import CERTIFICATE


class S3:
    """`blobs` by their path; whoever does not sign with `key` for `region` is refused."""

    def __init__(self, key: str, region: str) -> None:
        self._signed = f"AWS4-HMAC-SHA256 Credential={key}/"
        self._region = f"/{region}/s3/aws4_request"
        self.blobs: dict[str, bytes] = {}

    async def answer(self, request: web.Request) -> web.Response:
        signature = request.headers.get("Authorization", "")
        if not signature.startswith(self._signed) or self._region not in signature:
            return web.Response(status=403, text="<Error><Code>SignatureDoesNotMatch</Code></Error>")
        path = request.path
        if request.method == "PUT":
            if request.headers.get("If-None-Match") == "*" and path in self.blobs:
                return web.Response(status=412)
            self.blobs[path] = await request.read()
        elif request.method == "POST":  # deletes several at once
            keys = re.findall(r"<Key>([^<]*)</Key>", await request.text())
            for key in keys:
                self.blobs.pop(f"{path.rstrip('/')}/{key}", None)
            deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            return web.Response(text=f"<DeleteResult>{deleted}</DeleteResult>")
        elif path not in self.blobs:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        headers = {"ETag": '"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        return web.Response(body=self.blobs[path] if request.method == "GET" else b"", headers=headers)


@asynccontextmanager
async def s3(key: str, region: str, *, secure: bool) -> AsyncIterator[tuple[S3, str]]:
    """The stand-in, and its address."""
    stand_in, context = S3(key, region), None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", stand_in.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        yield stand_in, f"{'https' if secure else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
