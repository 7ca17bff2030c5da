"""What a test breaks, and the clock, as verbs of the control API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from discord_server.desk import Desk
from discord_server.routes_channels import archive_idle_threads


def clock(desk: Desk) -> float:
    desk.world.clock.turn(desk.order["seconds"])
    archive_idle_threads(desk.world)
    return desk.world.clock.now()


def fault(desk: Desk) -> int:
    return desk.faults.order(**desk.order).id


def clear_fault(desk: Desk) -> int:
    return desk.faults.remove(desk.order["fault"])


def fault_hits(desk: Desk) -> int:
    return desk.faults.hits(desk.order["fault"])


def gateway(desk: Desk) -> None:
    what = desk.order["what"]
    if what == "invalid_session":
        desk.gateway.invalidate(bool(desk.order.get("resumable")))
        return
    gateway = desk.gateway
    {"drop": gateway.drop, "reconnect": gateway.reconnect, "forget": gateway.forget, "new_token": gateway.new_token}[
        what
    ]()


def dispatch(desk: Desk) -> None:
    desk.world.emit(desk.order["event"], desk.order["data"])


def rate_limits(desk: Desk) -> None:
    desk.world.limits.scale = desk.order["scale"]


def intents(desk: Desk) -> None:
    """Which privileged intents the application has been granted."""
    desk.world.privileged_intents = desk.order["granted"]


def ban_after(desk: Desk) -> None:
    desk.world.invalid.limit = desk.order["times"]


VERBS: tuple[Callable[[Desk], Any], ...] = (
    *(clock, fault, clear_fault, fault_hits, gateway, dispatch, rate_limits, ban_after, intents),
)
FAULTS = {verb.__name__: verb for verb in VERBS}
