"""The command as a person starts it: a process in a folder of its own, whose name has a space."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from support.pictures import CONTENT, STYLE
from support.workers import ONE_THREAD

COMMAND = [sys.executable, "-m", "bot.terminal.main"]
LAYERS = ["content_layers=conv1_1", "style_layers=relu1_1", "style_layer_weights=1"]
PAINT = ["paint", "content.png", "style.png", "--weights", "random", "--device", "cpu", "--size", "48"]
LIGHT = [*PAINT, *(part for layer in LAYERS for part in ("--set", layer)), "--set", "networks=1"]
"""Two milliseconds an iteration."""


def make_room(folder: Path) -> Path:
    """A folder with the two pictures in it."""
    room = folder / "my pictures"
    room.mkdir()
    CONTENT.save(room / "content.png")
    STYLE.save(room / "style.png")
    return room


def environment(**settings: str) -> dict[str, str]:
    ours = {"REDIS_URL": "", "STORE_URL": "", "IMPASTO_SLICE_SECONDS": "0.5", "TERM": "xterm"}
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": str(Path(__file__).parents[3]), **ours, **settings}


def start(room: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=room, env=environment(**settings), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(room: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    process = start(room, *arguments, **settings)
    out, err = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def run_in_terminal(room: Path, *arguments: str, **settings: str) -> bytes:
    """What a terminal of 160 x 40 is sent by a command that ends well."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=room, stdin=theirs, stdout=theirs, stderr=theirs,
        env=environment(COLUMNS="160", LINES="40", **settings),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # how Linux says that the other side has been closed
            break
    os.close(ours)
    assert process.wait() == 0, shown
    return shown


def left_over(room: Path) -> list[str]:
    """The processes that still work in the folder: the command's Redis and worker do."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended, or is somebody else's
            if Path(process.cwd()).is_relative_to(room):
                found.append(" ".join(process.cmdline()))
    return found
