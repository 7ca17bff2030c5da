"""Guilds and channels in a test's hands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from discord_server.codes import permission_bits
from discord_server.control_client import Link
from discord_server.people import Person
from discord_server.view import id_of

Json = dict[str, Any]
Permissions = int | Iterable[str]
"""Bits, or names such as "attach_files"."""


class Channel:
    """A channel or thread. What is done here is done by somebody who may; the bot hears of it."""

    def __init__(self, link: Link, number: str) -> None:
        self._link, self.id = link, number

    @property
    def data(self) -> Json:
        """As Discord's API has it; KeyError when it is gone."""
        return self._link.world.channel(self.id)

    async def deny(self, *permissions: str, to: Person | str | None = None) -> None:
        """Takes rights away here: from the bot, from "everyone", or from a person."""
        await self._overwrite(to, deny=permission_bits(permissions))

    async def allow(self, *permissions: str, to: Person | str | None = None) -> None:
        await self._overwrite(to, allow=permission_bits(permissions))

    async def _overwrite(self, to: Person | str | None, **bits: Any) -> None:
        whose: Json = {} if to is None else {"for": id_of(to)}
        await self._link.call("overwrite", channel=self.id, **whose, **bits)

    async def _change_thread(self, **change: Any) -> None:
        await self._link.call("thread", channel=self.id, change=change)

    async def thread(self, name: str, owner: Person, private: bool = False) -> Channel:
        """A new thread of that person's here; in a forum, a post."""
        made = await self._link.call("begin_thread", channel=self.id, name=name, user=owner.id, private=private)
        return Channel(self._link, made["id"])

    async def archive(self) -> None:
        await self._change_thread(archived=True)

    async def unarchive(self) -> None:
        await self._change_thread(archived=False, locked=False)

    async def lock(self, archive: bool = True) -> None:
        """As "Close and lock" does; without `archive`, it stays open for moderators."""
        await self._change_thread(locked=True, **({"archived": True} if archive else {}))

    async def delete(self) -> None:
        """With all that is in it."""
        await self._link.call("remove_channel", channel=self.id)

    async def delete_message(self, message: Any) -> None:
        await self._link.call("remove_message", channel=self.id, message=id_of(message))


class Guild:
    def __init__(self, link: Link, number: str) -> None:
        self._link, self.id = link, number

    async def channel(self, name: str, kind: str = "text", nsfw: bool = False) -> Channel:
        """`kind`: text, voice, announcement, forum or stage. `nsfw`: age-restricted."""
        made = await self._link.call("channel", guild=self.id, name=name, kind=kind, nsfw=nsfw)
        return Channel(self._link, made["id"])

    async def sticker(self, name: str, data: bytes, format: str = "PNG") -> str:
        """The id of a new sticker: PNG, APNG, GIF or LOTTIE (JSON)."""
        made = await self._link.call("sticker", [(name, data)], name=name, format=format)
        return str(made["id"])

    async def member(
        self,
        name: str,
        permissions: Permissions = 0,
        installed: bool = False,
        locale: str = "en-US",
        upload_limit: int | None = None,
    ) -> Person:
        """A new person. `permissions` come on top of @everyone's; `upload_limit` in bytes, for those with Nitro."""
        settings: Json = {"installed": installed, "locale": locale, "upload_limit": upload_limit}
        made = await self._link.call("user", name=name, **settings)
        person = Person(self._link, made["id"], name)
        await self.add(person, permissions)
        return person

    async def add(self, person: Person, permissions: Permissions = 0) -> None:
        """A person becomes a member, or a member gets other rights."""
        bits = permission_bits(permissions)
        await self._link.call("member", guild=self.id, user=person.id, permissions=bits)

    async def remove(self, person: Person) -> None:
        await self._link.call("leave", guild=self.id, user=person.id)

    async def time_out(self, person: Person, seconds: float = 3600) -> None:
        await self._link.call("time_out", guild=self.id, user=person.id, seconds=seconds)

    async def role(self, name: str, mentionable: bool = False, of: Person | None = None) -> str:
        """A new role's id; `of` a member, or of nobody."""
        order: Json = {"name": name, "mentionable": mentionable, "of": of and of.id}
        made = await self._link.call("role", guild=self.id, **order)
        return str(made["id"])

    async def bot_permissions(self, permissions: Permissions) -> None:
        """Of the bot's own role; it has @everyone's besides."""
        await self._set_role("bot", permissions)

    async def everyone_permissions(self, permissions: Permissions) -> None:
        await self._set_role("everyone", permissions)

    async def _set_role(self, role: str, permissions: Permissions) -> None:
        await self._link.call("set_role", guild=self.id, role=role, permissions=permission_bits(permissions))

    async def boost(self, tier: int) -> None:
        """0 to 3: 10, 10, 50 and 100 MiB per file."""
        await self._link.call("set_guild", guild=self.id, boost=tier)

    async def block_words(self, *words: str) -> None:
        """AutoMod refuses messages with them."""
        await self._link.call("set_guild", guild=self.id, blocked_words=list(words))

    async def kick_bot(self) -> None:
        await self._link.call("kick", guild=self.id)

    async def invite_bot(self) -> None:
        await self._link.call("invite", guild=self.id)
