"""What people do, as verbs of the control API. Each answers with what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from discord_server import acts
from discord_server.desk import Desk
from discord_server.entities import Interaction
from discord_server.interactions import Seat
from discord_server.render_message import message_json

Json = dict[str, Any]


def _asked(interaction: Interaction) -> Json:
    return {"id": str(interaction.id), "payload": interaction.payload}


def slash(desk: Desk) -> Json:
    return _asked(acts.slash(desk.seat(), desk.order["name"], desk.order.get("options") or {}, desk.uploads))


def autocomplete(desk: Desk) -> Json:
    order, given = desk.order, desk.order.get("options") or {}
    return _asked(acts.autocomplete(desk.seat(), order["name"], order["option"], order["typed"], given))


def menu(desk: Desk) -> Json:
    if "target" in desk.order:
        return _asked(acts.user_menu(desk.seat(), desk.user("target"), desk.order["name"]))
    return _asked(acts.message_menu(desk.seat(), desk.message(), desk.order["name"]))


def press(desk: Desk) -> Json:
    return _asked(acts.press(desk.seat(), desk.message(), desk.order["what"]))


def forge(desk: Desk) -> Json:
    return _asked(acts.forge(desk.seat(), desk.message(), desk.order["custom_id"]))


def choose(desk: Desk) -> Json:
    return _asked(acts.choose(desk.seat(), desk.message(), desk.order.get("what"), desk.order["values"]))


def submit(desk: Desk) -> Json:
    opener = desk.interaction()
    seat = Seat(desk.world, desk.user(), desk.world.channel(opener.channel_id))
    return _asked(acts.submit(seat, opener, desk.order["values"], desk.uploads))


def say(desk: Desk) -> Json:
    order, reply = desk.order, desk.order.get("reply_to")
    number = None if reply is None else int(reply)
    stickers = [desk.world.stickers[int(one)] for one in order.get("stickers", [])]
    return message_json(desk.world, acts.say(desk.seat(), order["text"], desk.uploads, number, stickers))


def forward(desk: Desk) -> Json:
    return message_json(desk.world, acts.forward(Seat(desk.world, desk.user(), desk.channel("to")), desk.message()))


ACTS: dict[str, Callable[[Desk], Any]] = {
    act.__name__: act for act in (slash, autocomplete, menu, press, forge, choose, submit, say, forward)
}
