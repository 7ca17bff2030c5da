"""The command as a person starts it, in a folder whose name has a space: a process of its own, or in this one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from support.pictures import CONTENT, STYLE
from support.workers import ONE_THREAD, WorkerPool

from bot.terminal.main import main
from engine.process.child_process import module_command

COMMAND = module_command("bot.terminal.main")
"""Finds nothing in the folder that it is run in, as the installed command does."""
LAYERS = ["content_layers=conv1_1", "style_layers=relu1_1", "style_layer_weights=1"]
PAINT = ["paint", "content.png", "style.png", "--weights", "random", "--size", "48"]
LIGHT = [*PAINT, *(part for layer in LAYERS for part in ("--set", layer)), "--set", "networks=1"]
"""Two milliseconds an iteration."""


def make_room(folder: Path) -> Path:
    """A folder with the two pictures in it."""
    room = folder / "my pictures"
    room.mkdir()
    CONTENT.save(room / "content.png")
    STYLE.save(room / "style.png")
    return room


OURS = {"REDIS_URL": "", "STORE_URL": "", "IMPASTO_DEVICE": "cpu", "IMPASTO_SLICE_SECONDS": "0.5", "TERM": "xterm"}


def environment(**settings: str) -> dict[str, str]:
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": str(Path(__file__).parents[3]), **OURS, **settings}


def shared(pool: WorkerPool) -> dict[str, str]:
    """The settings of a command whose painting the pool's worker paints, instead of a Redis and a worker of its own."""
    return {"REDIS_URL": pool.url, "STORE_URL": pool.store_url}


def start(room: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=room, env=environment(**settings), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(room: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    process = start(room, *arguments, **settings)
    out, err = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


class Here:
    """The command in this very process: as fast as it refuses."""

    def __init__(self, room: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = patch, capture
        patch.chdir(room)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """As `run` does, in the room."""
        for name, value in {**OURS, **settings}.items():
            self._patch.setenv(name, value)
        self._patch.setattr(sys, "argv", ["impasto", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, *self._capture.readouterr())

    def one_line(self, *arguments: str, redis_url: str = "", status: int = 1) -> str:
        """The only line of a command that went wrong."""
        reply = self.run(*arguments, REDIS_URL=redis_url)
        assert (reply.returncode, reply.stdout) == (status, "")
        (line,) = reply.stderr.splitlines()
        return line


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
