"""Downloads: from Discord alone, never more than asked for, and the signature stays unsaid."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer, unused_port
from discord.asset import Asset
from discord.http import Route
from judging import one_sentence
from structlog.testing import capture_logs

from bot.requests.attachment_download import AttachmentError, discord_origins, download

SECRET = "ex=66&is=65&hm=5ec4e7"
PICTURE = bytes(range(256)) * 1000
LIMIT = len(PICTURE)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Cdn:
    """A server of attachments; it hands out `handlers` in turn, the last of them again and again."""

    def __init__(self) -> None:
        self.handlers: list[Handler] = [picture]
        self.asked: list[web.Request] = []
        self.origin = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await self.handlers[min(len(self.asked), len(self.handlers)) - 1](request)

    async def fetch(self, *handlers: Handler, max_bytes: int = LIMIT, seconds: float = 30.0) -> bytes:
        self.handlers = list(handlers)
        return await fetch(
            f"{self.origin}/attachments/1/2/harbour.png?{SECRET}", self.origin, max_bytes=max_bytes, seconds=seconds
        )

    async def refused(self, *handlers: Handler, max_bytes: int = LIMIT, seconds: float = 30.0) -> str:
        """The sentence, after checking that neither it nor the log says what it should not."""
        with capture_logs() as logged, pytest.raises(AttachmentError) as refused:
            await self.fetch(*handlers, max_bytes=max_bytes, seconds=seconds)
        return discreet(refused.value, logged)


async def fetch(url: str, *hosts: str, max_bytes: int = LIMIT, seconds: float = 30.0) -> bytes:
    async with aiohttp.ClientSession() as session:
        return await download(session, url, "harbour.png", hosts=frozenset(hosts), max_bytes=max_bytes, seconds=seconds)


def discreet(error: AttachmentError, logged: Sequence[MutableMapping[str, Any]]) -> str:
    assert "5ec4e7" not in f"{logged} {error!r}"
    assert error.__suppress_context__ or error.__context__ is None  # a traceback would tell of more
    return one_sentence(str(error))


async def picture(_: web.Request) -> web.StreamResponse:
    return web.Response(body=PICTURE)


def answering(status: int) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=b"no")

    return answer


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(PICTURE)


async def silent(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"a little")
    await asyncio.Event().wait()
    return response


def claiming(length: int, body: bytes) -> Handler:
    """Says one length, sends another, hangs up."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + body)
        request.transport.close()
        return web.Response()

    return answer


async def hanging_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.fixture
async def cdn() -> AsyncIterator[Cdn]:
    cdn, app = Cdn(), web.Application()
    app.router.add_get("/{path:.*}", cdn.answer)
    async with TestServer(app) as server:
        cdn.origin = str(server.make_url("")).rstrip("/")
        yield cdn


async def test_an_attachment_arrives_whole_and_is_asked_for_as_signed(cdn: Cdn) -> None:
    assert await cdn.fetch(picture) == PICTURE
    assert [request.raw_path for request in cdn.asked] == [f"/attachments/1/2/harbour.png?{SECRET}"]


async def test_what_is_quoted_stays_quoted(cdn: Cdn) -> None:
    assert await fetch(f"{cdn.origin}/a%2Fb%20c.png?hm=%41", cdn.origin) == PICTURE
    assert cdn.asked[0].raw_path == "/a%2Fb%20c.png?hm=%41"


async def test_an_empty_file_is_no_matter_of_the_download(cdn: Cdn) -> None:
    assert await cdn.fetch(claiming(0, b"")) == b""


async def test_what_is_told_to_be_too_long_is_not_read(cdn: Cdn) -> None:
    assert await cdn.refused(picture, max_bytes=LIMIT - 1) == (
        "harbour.png is larger than 0.244 MiB: send a smaller copy."
    )
    assert "larger" in await cdn.refused(claiming(10**12, b""))


async def test_what_does_not_end_is_cut_off(cdn: Cdn) -> None:
    assert "larger" in await cdn.refused(endless)


async def test_less_than_was_told_is_tried_again(cdn: Cdn) -> None:
    assert await cdn.fetch(claiming(100, b"a little"), picture) == PICTURE
    assert "at the moment" in await cdn.refused(claiming(100, b"a little"))


async def test_what_takes_too_long_is_given_up(cdn: Cdn) -> None:
    assert "takes too long" in await cdn.refused(silent, seconds=0.2)


@pytest.mark.parametrize("passing", [answering(503), answering(500), answering(429), hanging_up])
async def test_what_passes_is_tried_once_more(cdn: Cdn, passing: Handler) -> None:
    with capture_logs() as logged:
        assert await cdn.fetch(passing, picture) == PICTURE
    assert len(cdn.asked) == 2
    assert SECRET not in str(logged)


async def test_what_does_not_pass_is_given_up(cdn: Cdn) -> None:
    assert "at the moment" in await cdn.refused(answering(503))
    assert len(cdn.asked) == 2


async def test_nobody_at_home(cdn: Cdn) -> None:
    cdn.origin = f"http://127.0.0.1:{unused_port()}"
    assert "at the moment" in await cdn.refused(picture)


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_what_is_gone_is_asked_for_again(cdn: Cdn, status: int) -> None:
    assert await cdn.refused(answering(status)) == "Discord no longer has harbour.png: attach it again."
    assert len(cdn.asked) == 1


@pytest.mark.parametrize("status", [204, 206, 400, 401, 451])
async def test_other_answers_are_no_picture(cdn: Cdn, status: int) -> None:
    assert "does not hand out" in await cdn.refused(answering(status))
    assert len(cdn.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(cdn: Cdn, status: int) -> None:
    async def elsewhere(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "/secret.png"})

    assert "does not hand out" in await cdn.refused(elsewhere, picture)
    assert len(cdn.asked) == 1


ELSEWHERE = [
    "{host}", "{host}.evil.example/a.png", "http://{at}@evil.example/a.png", "http://me:pass@{at}/a.png",
    "http://@{at}/a.png", "http:{at}/a.png", "//{at}/a.png", "https://{at}/a.png", "{host}\\@evil.example/a.png",
    "{host}/a\\b.png", "{host}/a b.png", "{host}/\u202ea.png", "{host}/a.png\r\nX: y", " {host}/a.png", "{host}?a.png",
    "{host}0/a.png", "http://127.0.0.1/a.png", "http://localhost:1/a.png", "http://[::1]/a.png", "file:///etc/passwd",
    "data:image/png;base64,AA", "http://cdn.discordapp.com/a.png", "https://cdn.discordapp.com:8443/a.png",
    "https://cdn.discordapp.com.evil.example/a.png", "https://cdn.discordapp.com@evil.example/a.png",
    "https://cdn\u3002discordapp\uff0ecom/a.png", "https://cdn.discordapp.\u0441om/a.png", "https://discord.com/a.png",
    "https://xcdn.discordapp.com/a.png", "",
]  # fmt: skip


@pytest.mark.parametrize("url", ELSEWHERE)
async def test_nothing_else_is_ever_fetched(cdn: Cdn, url: str) -> None:
    url = url.format(host=cdn.origin, at=cdn.origin.removeprefix("http://"))
    with capture_logs() as logged, pytest.raises(AttachmentError) as refused:
        await fetch(f"{url}?{SECRET}", cdn.origin)
    assert discreet(refused.value, logged) == "harbour.png is not kept by Discord: attach it to your message."
    assert not cdn.asked


@pytest.mark.parametrize("origin", ["https://cdn.discordapp.com", "https://media.discordapp.net"])
async def test_discords_own_hosts_are_always_asked(origin: str) -> None:
    asked: list[str] = []

    class Nowhere(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
            asked.append(f"{host}:{port}")
            raise OSError(host)

        async def close(self) -> None: ...

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Nowhere())) as session:
        with pytest.raises(AttachmentError, match="at the moment"):
            await download(session, f"{origin}/a.png?{SECRET}", "a.png", hosts=frozenset(), max_bytes=1)
    assert asked == [f"{origin.removeprefix('https://')}:443"] * 2


async def test_aiohttp_says_no_signature_either(cdn: Cdn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await cdn.refused(claiming(100, b"a little"))
    told = [record.getMessage() for record in caplog.records if not record.name.startswith("aiohttp.access")]
    assert "5ec4e7" not in " ".join(told)


async def test_a_name_does_nothing_in_the_sentence() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(AttachmentError) as refused:
            await download(session, "https://evil.example/", "\u202e@everyone\n.png", hosts=frozenset(), max_bytes=1)
    assert str(refused.value).startswith("＠everyone .png is not kept by Discord")


def test_the_origins_follow_discord_py(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"https://cdn.discordapp.com", "https://media.discordapp.net"}
    assert discord_origins() == own | {"https://discord.com"}
    monkeypatch.setattr(Route, "BASE", "http://127.0.0.1:8080/api/v10")
    monkeypatch.setattr(Asset, "BASE", "http://127.0.0.1:8081")
    assert discord_origins() == own | {"http://127.0.0.1:8080", "http://127.0.0.1:8081"}
