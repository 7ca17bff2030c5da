"""Refusals: real errors of discord.py and aiohttp, each with its verdict and one sentence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from discord.http import HTTPClient, Route
from judging import one_sentence

from bot.discord_api.error_sentences import Verdict, sentence, verdict

CODES = [
    (10003, 404, Verdict.GONE, "deleted"),
    (10004, 404, Verdict.GONE, "invite"),
    (10008, 404, Verdict.GONE, "deleted"),
    (50001, 403, Verdict.GONE, "View Channel"),
    (50007, 403, Verdict.FORBIDDEN, "direct messages"),
    (50013, 403, Verdict.FORBIDDEN, "Attach Files"),
    (50024, 400, Verdict.UNKNOWN, "text channel"),
    (50035, 400, Verdict.UNKNOWN, "operators"),
    (50278, 403, Verdict.FORBIDDEN, "direct messages"),
    (160002, 400, Verdict.FORBIDDEN, "Read Message History"),
    (160005, 403, Verdict.FORBIDDEN, "locked"),
    (160006, 400, Verdict.UNKNOWN, "close some"),
    (160007, 400, Verdict.UNKNOWN, "close some"),
    (200000, 400, Verdict.BLOCKED, "AutoMod"),
    (200001, 400, Verdict.BLOCKED, "AutoMod"),
    (240000, 400, Verdict.BLOCKED, "rename your pictures"),
    (400001, 403, Verdict.FORBIDDEN, "uploads"),
]
OTHERS = [
    (0, 400, Verdict.UNKNOWN),
    (0, 401, Verdict.SLOW),
    (50027, 401, Verdict.UNKNOWN),
    (0, 403, Verdict.UNKNOWN),
    (0, 404, Verdict.UNKNOWN),
    (0, 413, Verdict.SMALLER),
    (40005, 413, Verdict.SMALLER),
    (50045, 400, Verdict.SMALLER),
    (50083, 400, Verdict.UNARCHIVE_FIRST),
    (30046, 429, Verdict.SLOW),
    (0, 429, Verdict.RETRY),
    (20028, 429, Verdict.RETRY),
    (99999, 418, Verdict.UNKNOWN),
    (0, 503, Verdict.RETRY),
    (130000, 503, Verdict.RETRY),
    (0, 520, Verdict.RETRY),
]


class Refusing:
    """A Discord that answers every message with `code` and `status`, reached through discord.py."""

    def __init__(self) -> None:
        self.code, self.status = 0, 400

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return self._json({"id": "1", "username": "bot", "discriminator": "0", "avatar": None}, 200)
        return self._json({"code": self.code, "message": "Discord's own <words>"}, self.status)

    def _json(self, body: object, status: int) -> web.Response:
        return web.Response(body=json.dumps(body), status=status, headers={"Content-Type": "application/json"})

    async def refuse(self, code: int, status: int) -> discord.HTTPException:
        """The error that discord.py raises for it."""
        self.code, self.status = code, status
        client = HTTPClient(asyncio.get_running_loop())
        try:
            await client.static_login("token")
            with pytest.raises(discord.HTTPException) as refused:
                await client.request(Route("POST", "/channels/{channel_id}/messages", channel_id=1), json={})
        finally:
            await client.close()
        assert (refused.value.code, refused.value.status) == (code, status)
        return refused.value


@pytest.fixture
async def refusing(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Refusing]:
    refusing, app = Refusing(), web.Application()
    app.router.add_route("*", "/{path:.*}", refusing.answer)
    async with TestServer(app) as server:
        monkeypatch.setattr(Route, "BASE", str(server.make_url("/api/v10")))
        yield refusing


@pytest.mark.parametrize(("code", "status", "expected", "says"), CODES)
async def test_a_code_has_its_verdict_and_its_sentence(
    refusing: Refusing, code: int, status: int, expected: Verdict, says: str
) -> None:
    error = await refusing.refuse(code, status)
    assert verdict(error) is expected
    assert says in one_sentence(sentence(error))


@pytest.mark.parametrize(("code", "status", "expected"), OTHERS)
async def test_other_answers_go_by_their_status(refusing: Refusing, code: int, status: int, expected: Verdict) -> None:
    error = await refusing.refuse(code, status)
    assert verdict(error) is expected
    one_sentence(sentence(error))


async def test_a_refused_connection_is_tried_again() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as refused:
            await session.get(f"http://127.0.0.1:{unused_port()}")
    assert verdict(refused.value) is Verdict.RETRY


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(104, "Connection reset by peer"),
        OSError(101, "Network is unreachable"),
        TimeoutError(),
        aiohttp.ServerDisconnectedError(),
        discord.RateLimited(30.0),
    ],
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    assert verdict(error) is Verdict.RETRY


def test_what_is_not_of_the_network_is_unknown() -> None:
    error = RuntimeError("Session is closed")
    assert verdict(error) is Verdict.UNKNOWN
    one_sentence(sentence(error))
