"""Whatever user, terminal or `.env` the command meets: it paints, or says in one sentence what is in its way."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from impasto_command import LIGHT, Here, environment, make_room, run, run_in_terminal, shared, start
from support.pictures import CONTENT
from support.workers import WorkerPool

from engine.contract.settings import SettingsError, read_settings

SHORT = [*LIGHT, "--iterations", "4"]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return make_room(tmp_path)


@pytest.fixture
def here(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(room, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("# Schlüssel\n".encode("latin-1"), "The file .env here is not text in UTF-8: save it as that."),
        ("REDIS_URL=\n".encode("utf-16"), "The file .env here is not text in UTF-8: save it as that."),
    ],
)
@pytest.mark.parametrize("command", [["paint", "content.png", "style.png", "-o", "out"], ["doctor"], ["up"], ["bot"]])
def test_an_env_file_that_is_no_text_is_a_sentence(
    data: bytes, sentence: str, command: list[str], here: Here, room: Path
) -> None:
    (room / ".env").write_bytes(data)
    reply = here.run(*command, DISCORD_TOKEN="x" * 30)
    assert reply.returncode not in (0, -signal.SIGKILL)
    assert (reply.stdout, reply.stderr) == ("", f"{sentence}\n")


def test_an_env_file_that_may_not_be_read_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").touch(mode=0o000)
    if os.access(tmp_path / ".env", os.R_OK):  # root may read everything

        def refused(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pydantic_settings.sources.providers.dotenv.dotenv_values", refused)
    with pytest.raises(SettingsError, match=r"^The file \.env here cannot be read: Permission denied\.$"):
        read_settings()


def test_a_tilde_in_a_setting_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / ".env").write_text("IMPASTO_DATA=~/data\nIMPASTO_WEIGHTS=~/vgg.pth\n")
    settings = read_settings()
    assert settings.impasto_data == tmp_path / "home" / "data"
    assert settings.impasto_weights == str(tmp_path / "home" / "vgg.pth")
    monkeypatch.setenv("IMPASTO_DATA", "~nobody-is-called-so/data")
    with pytest.raises(SettingsError, match=r"^The setting IMPASTO_DATA .*: nobody knows the folder ~nobody"):
        read_settings()


@pytest.mark.long
def test_a_user_without_a_name_paints(tmp_path: Path, room: Path, busy_pool: WorkerPool) -> None:
    """As in a container that runs under a number."""
    for place in (tmp_path, room):
        place.chmod(0o777)
    without = [name for name in ("LOGNAME", "USER", "LNAME", "USERNAME") if name in os.environ]
    all_of_them = environment(HOME=str(room), **shared(busy_pool))
    settings = {name: value for name, value in all_of_them.items() if name not in without}
    # Nobody is called so in this process: the user's number is asked of a folder of names that is empty.
    program = "import pwd, sys; pwd.getpwuid = {}.__getitem__; from bot.terminal.main import run; run()"
    reply = subprocess.run(
        [sys.executable, "-c", program, *SHORT, "-o", "out"], cwd=room, env=settings, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (reply.returncode, reply.stderr) == (0, "")


def test_a_user_without_a_home_is_told_so(room: Path) -> None:
    settings = {name: value for name, value in environment().items() if name != "HOME"}
    program = "import pwd, sys; pwd.getpwuid = {}.__getitem__; from bot.terminal.main import run; run()"
    reply = subprocess.run(
        [sys.executable, "-c", program, *SHORT, "-o", "out"], cwd=room, env=settings, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert reply.returncode not in (0, -signal.SIGKILL)
    assert reply.stderr == "There is no home folder: set HOME to a folder that can be written to.\n"


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_that_lacks_letters_shows_others(encoding: str, room: Path, busy_pool: WorkerPool) -> None:
    shown = run_in_terminal(room, *SHORT, "-o", "лес", PYTHONIOENCODING=encoding, **shared(busy_pool))
    assert b"Done: ???/index.html" in shown


@pytest.mark.long
def test_a_name_that_is_no_text_is_shown_all_the_same(room: Path) -> None:
    CONTENT.save(os.fsencode(room) + b"/pic\xff.png", "PNG")
    reply = run(room, *SHORT, "-o", os.fsdecode(b"out\xff"))
    assert (reply.returncode, reply.stderr) == (0, "")
    assert reply.stdout.splitlines()[-1] == "Done: out?/index.html"


@pytest.mark.long
def test_the_hint_can_be_pasted(room: Path) -> None:
    process = start(room, *LIGHT, "--iterations", "90000", "--snapshots", "10", "-o", "it's here")
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("iteration 10:"))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    _, _, hint = out.splitlines()[-1].partition("go on with: ")
    assert shlex.split(hint) == ["impasto", "paint", "--resume", "it's here"]
    refused = run(room, *SHORT, "-o", "it's here")
    quoted = refused.stderr.partition("`")[2].partition("`")[0]
    assert quoted == hint


@pytest.mark.parametrize(
    "arguments",
    [
        ["--resume", "out", "--size", "64"], ["--resume", "out", "-o", "new"], ["content.png", "--resume", "out"],
        ["--finish", "out", "--iterations", "9"], ["--finish", "out", "--resume", "out"],
    ],
)  # fmt: skip
def test_what_would_be_passed_over_in_silence_is_refused(arguments: list[str], here: Here) -> None:
    reply = here.run("paint", *arguments)
    assert reply.returncode == 2
    assert "goes on as it was begun: only " in reply.stderr


@pytest.mark.parametrize(
    "command", [["paint", "content.png", "style.png"], ["batch", "content.png", "--style", "style.png"]]
)
def test_a_device_is_none_of_shared_workers(command: list[str], here: Here) -> None:
    reply = here.run(*command, "--device", "cpu", "-o", "out", REDIS_URL="redis://127.0.0.1:1")
    assert reply.returncode == 2
    assert "The workers of REDIS_URL paint, each on its own device: leave out --device." in reply.stderr
