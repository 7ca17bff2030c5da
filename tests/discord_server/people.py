"""A person in a test's hands: what they do is checked as Discord's client checks it, and raises Impossible."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from discord_server.control_client import File, Link, Spoiler
from discord_server.interaction_handle import Interaction, Modal
from discord_server.view import id_of

Json = dict[str, Any]


def is_file(value: Any) -> bool:
    if isinstance(value, Spoiler):
        return True
    pair = isinstance(value, tuple) and len(value) == 2
    return isinstance(value, Path) or (pair and isinstance(value[0], str) and isinstance(value[1], bytes))


class _Parcel:
    """Values for the wire; the files among them go beside."""

    def __init__(self) -> None:
        self.files: list[File] = []

    def pack(self, value: Any) -> Any:
        if is_file(value):
            self.files.append(value)
            return {"file": len(self.files) - 1}
        if isinstance(value, list | tuple):
            return [self.pack(one) for one in value]
        return id_of(value) if hasattr(value, "id") else value


class Person:
    def __init__(self, link: Link, number: str, name: str) -> None:
        self._link, self.id, self.name = link, number, name

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    async def _ask(self, verb: str, parcel: _Parcel | None = None, **order: Any) -> Interaction:
        files = [] if parcel is None else parcel.files
        return Interaction(self._link, await self._link.call(verb, files, user=self.id, **order))

    async def slash(self, channel: Any, name: str, /, **options: Any) -> Interaction:
        """Uses a command; "job show" is a subcommand. A file is a Path, or a name and bytes."""
        parcel = _Parcel()
        packed = {option: parcel.pack(value) for option, value in options.items() if value is not None}
        return await self._ask("slash", parcel, channel=id_of(channel), name=name, options=packed)

    async def autocomplete(self, channel: Any, name: str, option: str, typed: str, /, **options: Any) -> list[Json]:
        """The choices that the bot offers for what has been typed so far: {"name", "value"}."""
        order: Json = {"channel": id_of(channel), "name": name, "option": option, "typed": typed, "options": options}
        interaction = await self._ask("autocomplete", **order)
        await interaction.answered()
        return interaction.choices

    async def menu(self, channel: Any, target: Any, name: str) -> Interaction:
        """Uses a context-menu command on a message (a dict) or on a person."""
        aim: Json = {"target": target.id} if isinstance(target, Person) else {"message": id_of(target)}
        return await self._ask("menu", channel=id_of(channel), name=name, **aim)

    async def press(self, message: Json, what: str) -> Interaction:
        """A button, by its label, emoji or custom_id."""
        return await self._ask("press", channel=message["channel_id"], message=message["id"], what=what)

    async def forge(self, message: Json, custom_id: str) -> Interaction:
        """A press of a button that the message does not have."""
        order: Json = {"channel": message["channel_id"], "message": message["id"], "custom_id": custom_id}
        return await self._ask("forge", **order)

    async def choose(self, message: Json, *values: Any, of: str | None = None) -> Interaction:
        """Options of a select, by label or value; `of` names it by placeholder or custom_id when there are several."""
        chosen = [id_of(value) for value in values]
        order: Json = {"channel": message["channel_id"], "message": message["id"], "values": chosen, "what": of}
        return await self._ask("choose", **order)

    async def submit(self, modal: Modal, values: Json) -> Interaction:
        """Fills in a modal, by custom_id or label: texts, options, files, or lists of them."""
        parcel = _Parcel()
        packed = {name: parcel.pack(value) for name, value in values.items()}
        return await self._ask("submit", parcel, interaction=modal.interaction, values=packed)

    async def post(
        self,
        channel: Any,
        text: str = "",
        files: Sequence[File] = (),
        reply_to: Any = None,
        stickers: Sequence[str] = (),
    ) -> Json:
        """A message of their own. `stickers` are ids of `Guild.sticker`."""
        order: Json = {"channel": id_of(channel), "text": text, "user": self.id, "stickers": list(stickers)}
        if reply_to is not None:
            order["reply_to"] = id_of(reply_to)
        message: Json = await self._link.call("say", files, **order)
        return message

    async def forward(self, message: Json, channel: Any) -> Json:
        """Forwards a message to a channel, and gives what is there then."""
        order: Json = {"channel": message["channel_id"], "message": message["id"], "to": id_of(channel)}
        forwarding: Json = await self._link.call("forward", user=self.id, **order)
        return forwarding

    async def wear_tag(self, guild: Any, tag: str) -> None:
        """Shows a server's tag beside their name."""
        worn = {"identity_guild_id": id_of(guild), "identity_enabled": True, "tag": tag, "badge": "0" * 32}
        await self._link.call("set_user", user=self.id, primary_guild=worn)

    async def dm(self) -> str:
        """The id of their direct messages with the bot."""
        channel = await self._link.call("dm", user=self.id)
        return str(channel["id"])

    async def dms(self, open: bool) -> None:
        """Lets the bot write to them, or not: 50007."""
        await self._link.call("set_user", user=self.id, dms_open=open)

    async def install(self, installed: bool = True) -> None:
        """Adds the bot to their own account, or takes it away."""
        await self._link.call("set_user", user=self.id, installed=installed)
