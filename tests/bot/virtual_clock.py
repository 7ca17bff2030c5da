"""A clock that a test need not wait for: it stands still while anything is at work, and then jumps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _NoWait(selectors.DefaultSelector):
    """Waits for nothing, but says for how long it was to wait."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits for somebody else"
        self.waited += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    """Whose time passes only where there is nothing to do."""

    def __init__(self) -> None:
        self._no_wait = _NoWait()
        super().__init__(self._no_wait)

    def time(self) -> float:
        return self._no_wait.waited


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """The scenario, in a time of its own."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(scenario)


def now() -> float:
    """The running loop's clock, s."""
    return asyncio.get_running_loop().time()
