"""What a test breaks, and the clock, as verbs of the control API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from discord_server.control_call import ControlCall
from discord_server.routes_channels import archive_idle_threads


def clock(call: ControlCall) -> float:
    call.world.clock.turn(call.order["seconds"])
    archive_idle_threads(call.world)
    return call.world.clock.now()


def fault(call: ControlCall) -> int:
    return call.faults.order(**call.order).id


def clear_fault(call: ControlCall) -> int:
    return call.faults.remove(call.order["fault"])


def release_fault(call: ControlCall) -> None:
    call.faults.release(call.order["fault"])


def fault_hits(call: ControlCall) -> int:
    return call.faults.hits(call.order["fault"])


def gateway(call: ControlCall) -> None:
    what = call.order["what"]
    if what == "invalid_session":
        call.gateway.invalidate(bool(call.order.get("resumable")))
        return
    gateway = call.gateway
    {"drop": gateway.drop, "reconnect": gateway.reconnect, "forget": gateway.forget, "new_token": gateway.new_token}[
        what
    ]()


def dispatch(call: ControlCall) -> None:
    call.world.emit(call.order["event"], call.order["data"])


def rate_limits(call: ControlCall) -> None:
    call.world.limits.scale = call.order["scale"]


def intents(call: ControlCall) -> None:
    """Which privileged intents the application has been granted."""
    call.world.privileged_intents = call.order["granted"]


def ban_after(call: ControlCall) -> None:
    call.world.invalid.limit = call.order["times"]


VERBS: tuple[Callable[[ControlCall], Any], ...] = (
    *(clock, fault, clear_fault, release_fault, fault_hits, gateway, dispatch, rate_limits, ban_after, intents),
)
FAULTS = {verb.__name__: verb for verb in VERBS}
