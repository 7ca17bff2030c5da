"""Fetch what a member attached, from Discord and from nowhere else."""

from __future__ import annotations

import asyncio

import aiohttp
import structlog
from yarl import URL

from bot.discord_api.private_api import origins
from bot.discord_api.proxy import proxy_for
from bot.text.sanitise import plain
from bot.text.translation import _

_CDN = frozenset({"https://cdn.discordapp.com", "https://media.discordapp.net"})
_PAUSE = 0.5  # seconds before the second try
_PASSING = (aiohttp.ClientError, OSError)

_log = structlog.get_logger(__name__)


class AttachmentError(Exception):
    """The attachment cannot be had; `str()` is one plain sentence for the member."""


def discord_origins() -> frozenset[str]:
    """The origins that attachments come from, those where discord.py is pointed at this moment included."""
    return _CDN | origins()


async def download(
    session: aiohttp.ClientSession, url: str, name: str, *, hosts: frozenset[str], max_bytes: int, seconds: float = 30
) -> bytes:
    """The attachment at `url`, called `name`, of at most `max_bytes`; what passes is tried twice within `seconds`.

    Only Discord's own hosts and the origins in `hosts` ("scheme://host[:port]") are asked, and no redirect is
    followed. The URL, which is signed, is never told. Raises `AttachmentError`.
    """
    called = plain(name, 50)
    if not may_fetch(url, hosts):
        raise AttachmentError(_("{name} is not kept by Discord: attach it to your message.", name=called))
    try:
        async with asyncio.timeout(seconds):
            return await _twice(session, url, called, max_bytes)
    except TimeoutError:
        told = _("{name} takes too long to arrive: try again, or send a smaller copy.", name=called)
        raise AttachmentError(told) from None
    except _PASSING:
        told = _("Discord does not hand out {name} at the moment: try again in a minute.", name=called)
        raise AttachmentError(told) from None


def may_fetch(url: str, hosts: frozenset[str] | None = None) -> bool:
    """Whether it lies with Discord: at its own hosts, or at `hosts`, which are usually `discord_origins`."""
    allowed = _CDN | (discord_origins() if hosts is None else hosts)
    # Compared as text, before any parser: two parsers may see two hosts in one URL.
    sober = url.isascii() and url.isprintable() and not {" ", "\\"} & set(url)
    return sober and url.startswith(tuple(f"{origin}/" for origin in allowed))


def too_large(called: str, max_bytes: int) -> str:
    """The sentence that a picture has more than `max_bytes` bytes."""
    return _("{name} is larger than {size:.3g} MiB: send a smaller copy.", name=called, size=max_bytes / 2**20)


async def _twice(session: aiohttp.ClientSession, url: str, called: str, max_bytes: int) -> bytes:
    try:
        return await _fetch(session, url, called, max_bytes)
    except _PASSING as error:
        # Its text may hold the URL.
        _log.info("an attachment is fetched again", cause=type(error).__name__)
    await asyncio.sleep(_PAUSE)
    return await _fetch(session, url, called, max_bytes)


async def _fetch(session: aiohttp.ClientSession, url: str, called: str, max_bytes: int) -> bytes:
    """One try. Raises `AttachmentError` for what stays, one of `_PASSING` for what may pass."""
    async with session.get(
        URL(url, encoded=True),  # byte for byte, as it was signed
        allow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None),
        proxy=proxy_for(url),
    ) as response:
        _check(response, called)
        too_long = AttachmentError(too_large(called, max_bytes))
        if (response.content_length or 0) > max_bytes:
            raise too_long
        data = bytearray()
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > max_bytes:
                raise too_long
    return bytes(data)


def _check(response: aiohttp.ClientResponse, called: str) -> None:
    if response.status == 200:
        return
    _log.info("an attachment was not handed out", status=response.status)
    if response.status == 429 or response.status >= 500:
        raise ConnectionError(response.status)
    if response.status in (403, 404, 410):
        raise AttachmentError(_("Discord no longer has {name}: attach it again.", name=called))
    raise AttachmentError(_("Discord does not hand out {name}: attach it again.", name=called))
