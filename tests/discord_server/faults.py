"""Faults that a test orders: on requests that match a pattern, so many times or until taken back."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from discord_server.refusals import KNOWN

Json = dict[str, Any]


@dataclass
class Fault:
    """One order. Of `status`, `reset` and `swallow` at most one is given; `delay_s` goes with any or none of them.

    `swallow` handles the request and then never answers: "cut" resets the connection, "hang" keeps it open.
    """

    id: int
    pattern: str
    times: int | None = None
    skip: int = 0
    """So many requests that match go by before the first is struck."""
    status: int | None = None
    code: int | None = None
    retry_after: float = 1.0
    everywhere: bool = False
    """A 429 of the global limit."""
    via: bool = True
    """False is how Cloudflare answers: no `Via` header, no JSON."""
    delay_s: float = 0.0
    reset: bool = False
    swallow: str | None = None
    with_files: bool | None = None
    """True: only requests that bring files; False: only those that bring none."""
    hits: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def matches(self, request: str, files: bool = False) -> bool:
        if self.with_files is not None and self.with_files != files:
            return False
        pattern = re.escape(self.pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        return re.fullmatch(pattern, request) is not None

    async def wait(self) -> None:
        """As long as the order says, or until it is released."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.delay_s):
                await self.released.wait()

    def body(self) -> Json:
        """What the answer says."""
        if self.status == 429:
            limited = {"message": "You are being rate limited.", "retry_after": self.retry_after}
            return {**limited, "global": self.everywhere, **({} if self.code is None else {"code": self.code})}
        return {"message": KNOWN.get(self.code or -1, (0, "A fault that the test ordered"))[1], "code": self.code or 0}


class Faults:
    def __init__(self) -> None:
        self._orders: dict[int, Fault] = {}
        self._last = 0

    def order(self, **what: Any) -> Fault:
        self._last += 1
        fault = Fault(self._last, **what)
        self._orders[fault.id] = fault
        return fault

    def remove(self, fault_id: int) -> int:
        """How often it has struck."""
        return self._orders.pop(fault_id).hits

    def release(self, fault_id: int) -> None:
        """Take it back, and let go what it holds."""
        self._orders.pop(fault_id).released.set()

    def hits(self, fault_id: int) -> int:
        return self._orders[fault_id].hits

    def strike(self, method: str, path: str, files: bool = False) -> Fault | None:
        """The first order that fits a request, which is counted as struck."""
        for fault in self._orders.values():
            spent = fault.times is not None and fault.hits >= fault.times
            if spent or not fault.matches(f"{method} {path}", files):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.hits += 1
            return fault
        return None
