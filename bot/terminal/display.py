"""What the terminal shows while a painting is made: a live bar, plain lines, or one JSON object per event."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bot.text.formatting import exact_duration
from engine.contract.events import Cancelled, Done, Event, Failed, Notice, Progress, Snapshot, Started

_PLAIN_SECONDS = 10.0  # between plain progress lines: a log should not fill up


class JsonDisplay:
    """One JSON object per line on standard output; sentences go to standard error."""

    def show(self, event: Event, path: Path | None = None) -> None:
        record = event.model_dump()
        if path is not None:
            record["path"] = str(path)
        print(json.dumps(record), flush=True)

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class PlainDisplay:
    """Lines for a log: every snapshot and notice, and progress now and then."""

    def __init__(self, iterations: int) -> None:
        self._iterations = iterations
        self._next = time.monotonic()

    def show(self, event: Event, path: Path | None = None) -> None:
        match event:
            case Started():
                self.say(f"painting {event.width}x{event.height} px on {event.device}")
                if event.note:
                    self.say(event.note)
            case Progress() if time.monotonic() >= self._next:
                self._next = time.monotonic() + _PLAIN_SECONDS
                self.say(
                    f"iteration {event.iteration} of {self._iterations}, {event.rate:.3g} it/s, "
                    f"content {event.content:.4g}, style {event.style:.4g}, {exact_duration(event.eta)} to go"
                )
            case Snapshot():
                self.say(f"iteration {event.iteration}: {path}")
            case Notice():
                self.say(f"{event.text} {path}" if path else event.text)
            case Done() if event.left_out:
                self.say(event.left_out)
            case _:
                pass

    def say(self, text: str) -> None:
        print(text, flush=True)

    def close(self) -> None:
        pass


class LiveDisplay:
    """A bar with iteration, speed, losses and time to go, and under it the newest snapshot."""

    def __init__(self, console: Console, iterations: int) -> None:
        self._console, self._iterations = console, iterations
        self._progress: Progress | None = None
        self._newest: Path | None = None
        self._live = Live(self._picture(), console=console, refresh_per_second=8, transient=False)
        self._live.start()

    def show(self, event: Event, path: Path | None = None) -> None:
        self._newest = path or self._newest
        match event:
            case Started():
                self.say(f"Painting {event.width}x{event.height} px on {event.device}.")
                if event.note:
                    self._console.print(Text(event.note, style="yellow"))
            case Progress():
                self._progress = event
            case Notice():
                self._console.print(Text(event.text, style="yellow"))
            case Done() | Failed() | Cancelled():
                if isinstance(event, Done) and event.left_out:
                    self._console.print(Text(event.left_out, style="yellow"))
                self._live.update(self._picture(), refresh=True)
            case _:
                pass
        self._live.update(self._picture())

    def say(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)  # a newline of ours would be pasted with a command

    def close(self) -> None:
        """Leave the terminal in order."""
        self._live.stop()

    def _picture(self) -> RenderableType:
        progress = self._progress
        if progress is None:
            return Text("getting ready …", style="dim")
        done = progress.iteration == self._iterations
        row = Table.grid(padding=(0, 2))
        row.add_row(
            ProgressBar(total=self._iterations, completed=progress.iteration, width=24),
            Text(f"{progress.iteration}/{self._iterations}", style="bold"),
            Text(f"{progress.rate:.3g} it/s"),
            Text(f"content {progress.content:.3g}", style="cyan"),
            Text(f"style {progress.style:.3g}", style="magenta"),
            Text("the last touches …" if done else f"{exact_duration(progress.eta)} to go", style="green"),
        )
        newest = Text(f"newest: {self._newest}" if self._newest else "", style="dim", overflow="fold")
        return Group(row, newest)


Display = JsonDisplay | PlainDisplay | LiveDisplay
"""Hears every event of one job, each with the newest picture on disk, if the event brought one."""


def choose_display(iterations: int, *, as_json: bool) -> Display:
    """JSON where asked for, a live bar in a terminal, else plain lines."""
    if as_json:
        return JsonDisplay()
    console = Console()
    return LiveDisplay(console, iterations) if console.is_terminal else PlainDisplay(iterations)
