"""What is shown in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from bot.terminal.display import LiveDisplay


def test_a_line_longer_than_the_terminal_is_wide_can_be_pasted() -> None:
    shown = io.StringIO()
    display = LiveDisplay(Console(file=shown, force_terminal=True, width=40), 10)
    hint = f"Stopped at iteration 3; go on with: impasto paint --resume '/a folder/{'of many letters/' * 5}'"
    display.say(hint)
    display.close()
    assert hint in shown.getvalue()
