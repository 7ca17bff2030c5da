"""What people do, as verbs of the control API. Each answers with what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from discord_server import user_actions
from discord_server.control_call import ControlCall
from discord_server.entities import Interaction
from discord_server.interactions import Seat
from discord_server.render_message import message_json

Json = dict[str, Any]


def _asked(interaction: Interaction) -> Json:
    return {"id": str(interaction.id), "payload": interaction.payload}


def slash(call: ControlCall) -> Json:
    return _asked(user_actions.slash(call.seat(), call.order["name"], call.order.get("options") or {}, call.uploads))


def autocomplete(call: ControlCall) -> Json:
    order, given = call.order, call.order.get("options") or {}
    return _asked(user_actions.autocomplete(call.seat(), order["name"], order["option"], order["typed"], given))


def menu(call: ControlCall) -> Json:
    if "target" in call.order:
        return _asked(user_actions.user_menu(call.seat(), call.user("target"), call.order["name"]))
    return _asked(user_actions.message_menu(call.seat(), call.message(), call.order["name"]))


def press(call: ControlCall) -> Json:
    return _asked(user_actions.press(call.seat(), call.message(), call.order["what"]))


def forge(call: ControlCall) -> Json:
    return _asked(user_actions.forge(call.seat(), call.message(), call.order["custom_id"]))


def choose(call: ControlCall) -> Json:
    return _asked(user_actions.choose(call.seat(), call.message(), call.order.get("what"), call.order["values"]))


def submit(call: ControlCall) -> Json:
    opener = call.interaction()
    seat = Seat(call.world, call.user(), call.world.channel(opener.channel_id))
    return _asked(user_actions.submit(seat, opener, call.order["values"], call.uploads))


def say(call: ControlCall) -> Json:
    order, reply = call.order, call.order.get("reply_to")
    number = None if reply is None else int(reply)
    stickers = [call.world.stickers[int(one)] for one in order.get("stickers", [])]
    return message_json(call.world, user_actions.say(call.seat(), order["text"], call.uploads, number, stickers))


def forward(call: ControlCall) -> Json:
    return message_json(
        call.world,
        user_actions.forward(Seat(call.world, call.user(), call.channel("to")), call.message()),
    )


ACTS: dict[str, Callable[[ControlCall], Any]] = {
    act.__name__: act for act in (slash, autocomplete, menu, press, forge, choose, submit, say, forward)
}
