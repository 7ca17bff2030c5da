"""Starts the stand-in as a process, and is a test's hand in it. The package's docstring shows how."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from discord_server.codes import permission_bits
from discord_server.control_client import File, Link, Spoiler
from discord_server.impossible_action import Impossible
from discord_server.interaction_handle import Interaction, Modal, NotAnswered, Response
from discord_server.people import Person
from discord_server.places import Channel, Guild, Permissions
from discord_server.server import HOST, Server
from discord_server.view import WorldView, id_of

__all__ = [
    "Channel",
    "Discord",
    "Fault",
    "File",
    "Guild",
    "Impossible",
    "Interaction",
    "Modal",
    "NotAnswered",
    "Person",
    "Response",
    "Spoiler",
    "WorldView",
]

Json = dict[str, Any]
T = TypeVar("T")

HERE = Path(__file__).parent


class Fault:
    """A fault that a test has ordered."""

    def __init__(self, link: Link, number: int) -> None:
        self._link, self._number = link, number

    async def hits(self) -> int:
        """How many requests it has struck."""
        return int(await self._link.call("fault_hits", fault=self._number))

    async def remove(self) -> None:
        await self._link.call("clear_fault", fault=self._number)

    async def release(self) -> None:
        """Remove it; what it has made late is dealt with now. (What a removed one has made late stays so.)"""
        await self._link.call("release_fault", fault=self._number)


class Discord:
    """One server process. `world` is always as new as the last thing this object did."""

    def __init__(self, link: Link, about: Json) -> None:
        self._link = link
        self.url = link.url
        self.api_url = f"{link.url}/api/v10"
        self.gateway_url: str = about["gateway_url"]
        self.token: str = about["token"]
        self.application_id: str = about["application_id"]
        self.bot_id: str = about["bot_id"]

    @classmethod
    @asynccontextmanager
    async def start(
        cls, scale: float = 1, inside: bool = False, bot: str = "Impasto", host: str = HOST
    ) -> AsyncIterator[Discord]:
        """Runs the server until the block ends. `scale` multiplies Discord's rate limits, `bot` is the bot's name.

        `inside`: on this event loop instead of in a process of its own. Quicker to start, and as slow as the test.
        `host`: the address that it listens on, by which the bot must reach it.
        """
        async with _inside(host) if inside else _process(host) as url:
            link = Link(url)
            try:
                discord = cls(link, await link.call("about"))
                await link.call("set_user", user=discord.bot_id, name=bot)
                await discord.rate_limits(scale)
                yield discord
                await discord.check_answers()
            finally:
                await link.close()

    @property
    def world(self) -> WorldView:
        return self._link.world

    async def now(self) -> WorldView:
        """`world`, certain to show all that the server has done up to this moment, whoever asked for it."""
        await self._link.call("about")
        return self.world

    async def check_answers(self) -> None:
        """AssertionError where this server has answered what Discord would not: a test must not rest on that."""
        faults = (await self.now()).own_faults
        if faults:
            told = "\n".join(sorted({f"{one['request']}: {one['what']}" for one in faults}))
            raise AssertionError(f"the stand-in's answers are not as Discord's OpenAPI description has them:\n{told}")

    async def until(self, look: Callable[[WorldView], T | None], timeout: float = 300) -> T:  # noqa: ASYNC109
        """Looks at the world now and after each of its changes, until `look` finds something true, and gives that.

        A LookupError of `look` means "not there yet". TimeoutError tells what the world looks like instead.
        """
        return await self._link.until(look, timeout)

    def bot_command(self, *arguments: str, entry: str = "bot.terminal.main:run", name: str = "impasto") -> list[str]:
        """The command line of a bot with these arguments, against this server. The token goes another way.

        `entry` is the function behind the command `name`; what it says of itself is not changed.
        """
        launch = [sys.executable, str(HERE / "launch.py"), self.api_url, self.gateway_url, entry, name]
        return [*launch, "--", *arguments]

    async def guild(
        self, name: str, boost: int = 0, bot: bool = True, bot_permissions: Permissions = 0, locale: str = "en-US"
    ) -> Guild:
        """`bot`: whether the bot is in it. `bot_permissions` come on top of @everyone's."""
        bits = permission_bits(bot_permissions)
        made = await self._link.call("guild", name=name, boost=boost, bot=bot, bot_permissions=bits, locale=locale)
        return Guild(self._link, made["id"])

    async def user(
        self, name: str, installed: bool = False, locale: str = "en-US", upload_limit: int | None = None
    ) -> Person:
        """A person in no guild. `installed`: has added the bot to their own account. `upload_limit`: with Nitro."""
        settings: Json = {"installed": installed, "locale": locale, "upload_limit": upload_limit}
        made = await self._link.call("user", name=name, **settings)
        return Person(self._link, made["id"], name)

    async def owner(self) -> Person:
        """Whose application it is."""
        about = await self._link.call("about")
        return Person(self._link, about["owner_id"], about["owner"])

    async def group(self, name: str, *people: Person) -> Channel:
        """A private channel of people without the bot; with an empty name, two people's direct messages."""
        made = await self._link.call("group", name=name, people=[person.id for person in people])
        return Channel(self._link, made["id"])

    def channel(self, channel: Any) -> Channel:
        """A handle on a channel or thread that a test knows by its dict or id."""
        return Channel(self._link, id_of(channel))

    async def fault(
        self,
        pattern: str,
        *,
        times: int | None = None,
        skip: int = 0,
        status: int | None = None,
        code: int | None = None,
        delay_s: float = 0.0,
        reset: bool = False,
        swallow: str | None = None,
        retry_after: float = 1.0,
        everywhere: bool = False,
        via: bool = True,
        with_files: bool | None = None,
    ) -> Fault:
        """Breaks requests like "POST /channels/*/messages" (`*`: one step of the path, `**`: any), `times` or for ever,
        after `skip` of them.

        One of: `status` (with `code` as the JSON's; a 429 has `retry_after`, and is the global one with `everywhere`;
        without `via` it is Cloudflare's), `reset` (a connection reset, before anything is done), `swallow` ("cut" or
        "hang": done, but never answered), or `delay_s` alone: answered late. `with_files`: only what brings files
        (True), or only what brings none (False). Besides the API's routes there are files, "GET /attachments/**",
        "GET /ephemeral-attachments/**" and "GET /stickers/*", and the gateway's door, "GET /gateway".
        """
        order: Json = {"pattern": pattern, "times": times, "skip": skip, "status": status, "code": code}
        order |= {"delay_s": delay_s, "with_files": with_files}
        order |= {"reset": reset, "swallow": swallow, "retry_after": retry_after, "everywhere": everywhere, "via": via}
        return Fault(self._link, await self._link.call("fault", **order))

    async def gateway(self, what: str, resumable: bool = False) -> None:
        """Breaks every connection: "drop" (to be resumed), "forget" (dropped, and no resume will work), "reconnect"
        (op 7), "invalid_session" (op 9, `resumable` or not), "new_token" (dropped, and the token was reset)."""
        await self._link.call("gateway", what=what, resumable=resumable)

    async def dispatch(self, event: str, data: Json) -> None:
        """Sends an event of the test's own making to all sessions."""
        await self._link.call("dispatch", event=event, data=data)

    async def turn_clock(self, seconds: float) -> None:
        """Turns the server's clock forward: tokens, addresses and nonces grow old, threads archive themselves.

        The 3 seconds to answer in, and the rate limits, stay in real time.
        """
        await self._link.call("clock", seconds=seconds)

    async def rate_limits(self, scale: float) -> None:
        """Multiplies all limits of requests per second; the one of invalid requests stays."""
        await self._link.call("rate_limits", scale=scale)

    async def ban_after(self, invalid_requests: int) -> None:
        """So many answers of 401, 403 or 429 in ten minutes ban the bot's address: 10,000 unless a test says less."""
        await self._link.call("ban_after", times=invalid_requests)

    async def grant_intents(self, bits: int) -> None:
        """Which privileged intents the application may ask for; none at first."""
        await self._link.call("intents", granted=bits)

    async def history(self, message: Json) -> list[Json]:
        """How a message looked before each of its edits, oldest first."""
        earlier: list[Json] = await self._link.call("history", channel=message["channel_id"], message=message["id"])
        return earlier

    async def download(self, url: str) -> bytes:
        """What an address gives; ConnectionError for one that has expired."""
        status, data = await self._link.fetch(url)
        if status != 200:
            raise ConnectionError(f"{url} answers {status}")
        return data

    async def file(self, attachment: Any) -> bytes:
        """The bytes of a file, by a dict of `message_text.files_of` or an id, also once its address has expired."""
        kept = await self._link.call("file", attachment=id_of(attachment))
        return base64.b64decode(kept["data"])


@asynccontextmanager
async def _inside(host: str) -> AsyncIterator[str]:
    server = Server()
    try:
        yield await server.start(host=host)
    finally:
        await server.stop()


@asynccontextmanager
async def _process(host: str) -> AsyncIterator[str]:
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    command = (sys.executable, "-m", "discord_server", "--host", host, "--until-stdin-closes")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().removeprefix("listening").strip()
        if not url:
            raise RuntimeError("Discord's stand-in did not start")
        yield url
    finally:
        process.stdin.close()
        await process.wait()
