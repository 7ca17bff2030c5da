"""As much of S3 as a store asks for, in memory, with or without TLS."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import unquote
from xml.sax.saxutils import escape

from aiohttp import web
from tcp_redis import CERTIFICATE


class S3:
    """`blobs` by their path; whoever does not sign with `key` for `region` is refused."""

    def __init__(self, key: str, region: str) -> None:
        self._signed = f"AWS4-HMAC-SHA256 Credential={key}/"
        self._region = f"/{region}/s3/aws4_request"
        self.blobs: dict[str, bytes] = {}
        self.if_none_match: Literal["heeded", "ignored", "refused"] = "heeded"
        """What it does where a put is to be the first of its key."""
        self.lacks_bucket = False
        self.refuses: tuple[int, str] | None = None
        """With which status and code it refuses whatever it is asked."""
        self._written: dict[str, datetime] = {}

    async def answer(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        path = request.path
        match request.method:
            case "PUT":
                return await self._put(request)
            case "POST":
                return self._delete(path.rstrip("/"), re.findall(r"<Key>([^<]*)</Key>", await request.text()))
            case "GET" if request.query.get("list-type"):
                return self._list(path.rstrip("/"), request.query.get("prefix", ""))
        if path not in self.blobs:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        headers = {"ETag": '"1"', "Last-Modified": f"{self._written[path]:%a, %d %b %Y %H:%M:%S} GMT"}
        return web.Response(body=self.blobs[path] if request.method == "GET" else b"", headers=headers)

    def _refusal(self, request: web.Request) -> web.Response | None:
        signature = request.headers.get("Authorization", "")
        if not signature.startswith(self._signed) or self._region not in signature:
            return web.Response(status=403, text="<Error><Code>SignatureDoesNotMatch</Code></Error>")
        if self.refuses is not None:
            status, code = self.refuses
            return web.Response(status=status, text=f"<Error><Code>{code}</Code></Error>")
        if self.lacks_bucket:
            return web.Response(status=404, text="<Error><Code>NoSuchBucket</Code></Error>")
        return None

    def _delete(self, bucket: str, keys: list[str]) -> web.Response:
        """Several at once."""
        for key in keys:
            self.blobs.pop(f"{bucket}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return web.Response(text=f"<DeleteResult>{deleted}</DeleteResult>")

    async def _put(self, request: web.Request) -> web.Response:
        path, source = request.path, unquote(request.headers.get("x-amz-copy-source", ""))
        if request.headers.get("If-None-Match") == "*" and self.if_none_match != "ignored":
            if self.if_none_match == "refused":
                return web.Response(status=400, text="<Error><Code>InvalidArgument</Code></Error>")
            if path in self.blobs:
                return web.Response(status=412)
        if source:
            source = f"/{source.lstrip('/')}"
            if source not in self.blobs:
                return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        self.blobs[path] = self.blobs[source] if source else await request.read()
        self._written[path] = datetime.now(UTC)
        copied = '<CopyObjectResult><ETag>"1"</ETag></CopyObjectResult>' if source else ""
        return web.Response(text=copied, headers={"ETag": '"1"'})

    def _list(self, bucket: str, prefix: str) -> web.Response:
        """All in one answer, however many they are."""
        found = [path for path in sorted(self.blobs) if path.startswith(f"{bucket}/{prefix}")]
        lines = [
            f"<Contents><Key>{escape(path.removeprefix(f'{bucket}/'))}</Key>"
            f"<LastModified>{self._written[path]:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f'<ETag>"1"</ETag><Size>{len(self.blobs[path])}</Size></Contents>'
            for path in found
        ]
        head = f"<KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>"
        return web.Response(text=f"<ListBucketResult>{head}{''.join(lines)}</ListBucketResult>")


@asynccontextmanager
async def s3(
    key: str, region: str, *, secure: bool, host: str = "127.0.0.1", port: int = 0, certificate: Path = CERTIFICATE
) -> AsyncIterator[tuple[S3, str]]:
    """The stand-in, and its address."""
    stand_in, context = S3(key, region), None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    application = web.Application(client_max_size=2**30)
    application.router.add_route("*", "/{path:.*}", stand_in.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        yield stand_in, f"{'https' if secure else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()
