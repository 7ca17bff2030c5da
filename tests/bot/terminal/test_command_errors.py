"""What a person can get wrong at the terminal: one line that says what, exit status 1, nothing left behind."""

from __future__ import annotations

import getpass
import json
import os
import time
from datetime import datetime
from pathlib import Path

import pytest
from impasto_command import LIGHT, PAINT, Here, left_over, make_room, run
from redis import Redis

from engine.contract import workers
from engine.contract.models import SPENT
from engine.recipe.presets import AUTO_COUNT

LONG = "x" * 300
"""A name that no disk takes."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = make_room(tmp_path_factory.mktemp("errors"))
    (room / "page.png").write_text("<!doctype html><html><body>Not found</body></html>")
    (room / "empty").mkdir()
    return room


def one_line(room: Path, *arguments: str, status: int = 1) -> str:
    """The only line of a command that went wrong."""
    reply = run(room, *arguments)
    assert reply.returncode == status, reply
    assert reply.stdout == ""
    assert left_over(room) == []
    (line,) = reply.stderr.splitlines()
    return line


@pytest.fixture
def here(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(room, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([*LIGHT, "--set", "colour=blue"], "--set takes FIELD=VALUE with one of the fields size, iterations,"),
        ([*LIGHT, "--set", "weights=random"], "--set takes FIELD=VALUE with one of the fields size, iterations,"),
        ([*LIGHT, "--set", "name=mine"], "--set takes FIELD=VALUE with one of the fields size, iterations,"),
        ([*LIGHT, "--set", "step=large"], "large is not a value for step."),
        ([*LIGHT, "--set", "clamp=perhaps"], "perhaps is not a value for clamp."),
        ([*LIGHT, "--set", "style_weights=1,much"], "1,much is not a value for style_weights."),
        ([*LIGHT, "--set", "pooling=least"], "The pooling must be one of average, max, l2."),
        ([*PAINT, "--set", "style_layers=relu9_1"], "There is no layer relu9_1"),
        ([*LIGHT, "--size", "5"], "The size must be between"),
        ([*LIGHT, "--iterations", "0"], "The number of iterations must be between 1 and 99,900."),
        ([*LIGHT, "--style-weights", "1,2"], "2 styles"),
        ([*LIGHT, "--snapshots", "every:0"], "every:0 are no snapshots: give iterations, auto, or every:50 for each"),
        ([*LIGHT, "--set", "start=picture"], "This recipe begins with a picture of yours: give it by --start FILE."),
        (["paint", "none.png", "style.png"], "none.png"),
        (["paint", "empty", "style.png"], "empty"),
        (["paint", "content.png", "none.png", "--dry-run"], "none.png does not exist"),
        (["paint", "content.png", "page.png", "--dry-run"], "page.png is a web page"),
        ([*PAINT, "--style-mask", "none.png", "--dry-run"], "none.png does not exist"),
        (["paint", "--resume", "empty"], "There is nothing to go on with in empty."),
        (["paint", "--resume", "nowhere"], "There is nothing to go on with in nowhere."),
        (["paint", "--resume", LONG], f"There is nothing to go on with in {LONG}."),
        (["paint", LONG, "style.png"], "xxx cannot be read: check that you may open it."),
    ],
)
def test_a_wrong_word_is_refused_before_anything_is_started(
    here: Here, room: Path, arguments: list[str], sentence: str
) -> None:
    assert sentence in here.one_line(*arguments, *([] if "--resume" in arguments else ["-o", "new"]))
    assert not (room / "new").exists()


@pytest.mark.parametrize(
    ("option", "field"),
    [
        (["--start", "style.png"], "start=noise"), (["--size", "original"], "size=400"), (["--seed", "3"], "seed=4"),
        (["--style-weights", "1"], "style_weights=2"),
    ],
)  # fmt: skip
def test_one_field_is_not_set_twice(here: Here, room: Path, option: list[str], field: str) -> None:
    reply = here.run("paint", "content.png", "style.png", *option, "--set", field, "-o", "new")
    assert (reply.returncode, reply.stdout) == (2, "")
    name = field.partition("=")[0]
    assert f"{option[0]} and --set {name}=… set one field: leave one of them out." in reply.stderr
    reply = here.run("paint", "content.png", "style.png", "--set", field, "--set", field, "-o", "new")
    assert (reply.returncode, reply.stdout) == (2, "")
    assert f"--set {name}=… is given twice: leave one of them out." in reply.stderr
    assert not (room / "new").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["paint", "page.png", "style.png", "--weights", "random", "--device", "cpu"], 1, "page.png"),
        ([*PAINT, "--weights", "no such file.pth"], os.EX_CONFIG, "no such file.pth"),
        ([*PAINT, "--device", "toaster"], os.EX_CONFIG, "There is no device toaster"),
        ([*PAINT, "--device", "toaster", "--dry-run"], os.EX_CONFIG, "There is no device toaster"),
        ([*PAINT, "--weights", "no such file.pth", "--dry-run"], os.EX_CONFIG, "no such file.pth"),
    ],
)
def test_what_only_shows_when_all_is_started_is_a_line_as_well(
    room: Path, arguments: list[str], status: int, sentence: str
) -> None:
    assert sentence in one_line(room, *arguments, "-o", "out", status=status)
    assert not (room / "out" / ".impasto").exists()


@pytest.mark.long
def test_the_device_of_the_settings_is_the_one_that_paints(room: Path) -> None:
    reply = run(room, *PAINT, "--iterations", "4", "-o", "out", IMPASTO_DEVICE="cuda:7")
    assert (reply.returncode, reply.stdout) in ((1, ""), (os.EX_CONFIG, ""))
    assert reply.stderr.startswith("cuda:7 was asked for, ")


@pytest.mark.parametrize(
    ("url", "status", "sentence"),
    [
        ("redis://127.0.0.1:1", 1, "Redis at 127.0.0.1:1 cannot be reached"),
        ("unix:///nowhere/redis.sock", 1, "Redis at /nowhere/redis.sock cannot be reached"),
        ("127.0.0.1", os.EX_CONFIG, "The setting REDIS_URL is not usable"),
    ],
)
def test_a_redis_that_is_not_there_is_a_line(here: Here, url: str, status: int, sentence: str) -> None:
    assert sentence in here.one_line(*LIGHT, "-o", "out", redis_url=url, status=status)


def test_a_redis_without_workers_is_a_line_with_the_remedy(here: Here, empty_redis_url: str) -> None:
    line = here.one_line(*LIGHT, "-o", "out", redis_url=empty_redis_url)
    assert line == "No worker is alive at REDIS_URL: start one with `impasto worker`."


def test_a_shared_redis_that_has_painted_enough_today_is_a_line_with_the_time(
    here: Here, room: Path, empty_redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = int(time.time()) // 86400
    with Redis.from_url(empty_redis_url) as redis:
        painter = workers.Worker(id="w1", device="cpu", weights="random")
        redis.set("impasto:worker:w1", painter.model_dump_json(), ex=60)
        for day in (today, today + 1):
            redis.hset(f"{SPENT}:{day}", f"user:{getpass.getuser()}", 3600)
        monkeypatch.setenv("STORE_URL", tmp_path.as_uri())
        line = here.one_line(*LIGHT, "-o", "out", redis_url=empty_redis_url)
    said, _, moment = line.partition(", at ")
    assert said == "Your painting time of today is used up: try again when the day is over"
    assert datetime.strptime(moment, "%Y-%m-%d %H:%M.").timestamp() in (86400 * (today + 1), 86400 * (today + 2))
    assert list(tmp_path.rglob("*.png")) == []
    assert not (room / "out" / ".impasto").exists()


def test_a_picture_of_ones_own_is_never_written_over(here: Here, room: Path) -> None:
    before = (room / "content.png").read_bytes()
    assert here.one_line(*LIGHT, "-o", ".") == "content.png would be written over or deleted: give another folder."
    assert (room / "content.png").read_bytes() == before


@pytest.mark.long
def test_a_painting_that_fails_says_why_on_standard_error(room: Path) -> None:
    reply = run(room, *LIGHT, "--iterations", "60", "--set", "beta=1e300", "-o", "failed")
    assert reply.returncode == 1
    assert reply.stderr.startswith("The painting broke off at iteration ")
    assert reply.stderr.count("\n") == 1
    assert "broke off" not in reply.stdout


@pytest.mark.long
def test_a_dry_run_is_an_object_for_programs(room: Path) -> None:
    reply = run(room, *LIGHT, "--iterations", "30", "--dry-run", "--json")
    assert (reply.returncode, reply.stderr) == (0, "")
    told = json.loads(reply.stdout)
    assert told["kind"] == "dry_run"
    assert told["recipe"]["style_layers"] == ["relu1_1"]
    assert sum(scale["iterations"] for scale in told["plan"]) == 30
    assert told["memory_bytes"] > 0
    assert told["seconds"] > 0
    assert told["device"].startswith("cpu")


@pytest.mark.long
def test_a_dry_run_tells_recipe_memory_and_time_and_paints_nothing(room: Path) -> None:
    before = sorted(room.iterdir())
    reply = run(room, *LIGHT, "--iterations", "30", "--snapshots", "29, auto", "--dry-run")
    assert (reply.returncode, reply.stderr) == (0, "")
    words = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in reply.stdout.splitlines() if line}
    assert words["iterations"] == "30"
    assert len(words["snapshots"].split(", ")) == AUTO_COUNT + 1
    assert "29, 30" in words["snapshots"]
    assert words["style_layers"] == "relu1_1"
    assert words["plan"].count("iterations at") == int(words["scales"])
    assert words["memory"].startswith("about ")
    assert words["time"].startswith("about ")
    assert sorted(room.iterdir()) == before


def test_a_dry_run_without_torch_tells_all_but_the_time(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else name)
    reply = here.run(*LIGHT, "--dry-run")
    assert (reply.returncode, reply.stderr.count("\n")) == (1, 1)
    assert reply.stderr.startswith("PyTorch is not installed here")
    words = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in reply.stdout.splitlines() if line}
    assert words["style_layers"] == "relu1_1"
    assert words["memory"].startswith("about ")
    assert words["time"].startswith("not known")
    # A device is none of the workers' here, whose Redis is not asked either.
    reply = here.run(*LIGHT, "--dry-run", "--json", "--device", "cpu", REDIS_URL="redis://127.0.0.1:1")
    assert (reply.returncode, reply.stderr.count("\n")) == (1, 1)
    told = json.loads(reply.stdout)
    assert told["memory_bytes"] > 0
    assert (told["seconds"], told["device"]) == (None, None)


@pytest.mark.long
def test_a_name_that_no_disk_takes_is_a_sentence(here: Here) -> None:
    for folder in (LONG, f"{LONG}/out"):
        assert here.one_line(*LIGHT, "-o", folder) == f"{folder} cannot be written to: File name too long."
    refused = here.run(*LIGHT, "--start", LONG, "-o", "out")
    assert refused.returncode == 2
    assert f"{LONG} is neither a file nor one of patches, content, " in refused.stderr
    assert here.run(*LIGHT, "--dry-run", "--weights", "auto", IMPASTO_CACHE=LONG).returncode == 0
