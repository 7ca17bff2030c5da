"""Discord is slow, angry, broken, or forgets who the bot is."""

from __future__ import annotations

import asyncio
from typing import Any

from chaos.rounds.scene import Fault, Scene


def answers(seconds: float, pattern: str = "* /channels/**", **how: Any) -> Fault:
    async def fault(scene: Scene) -> None:
        ordered = await scene.load.discord.fault(pattern, **how)
        await asyncio.sleep(seconds)
        await ordered.remove()

    return fault


def gateway(what: str, **how: Any) -> Fault:
    async def fault(scene: Scene) -> None:
        await scene.load.discord.gateway(what, **how)

    return fault


FAULTS: dict[str, Fault] = {
    "429s for 10 s": answers(10, status=429, retry_after=1.5),
    "429s for everything for 5 s": answers(5, status=429, retry_after=2, everywhere=True),
    "503s for 10 s": answers(10, status=503),
    "time-outs after success": answers(5, "POST /channels/*/messages", swallow="hang", times=3),
    "connections cut after success": answers(8, "POST /channels/*/messages", swallow="cut", times=6),
    "connections reset for 8 s": answers(8, reset=True),
    "the gateway drops the connection": gateway("drop"),
    "the gateway forgets the session": gateway("forget"),
    "the gateway says: invalid session": gateway("invalid_session"),
}
