"""`impasto weights fetch|show|check`, with a server and files of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torchvision_files import NAME, Original, Serve, nowhere, ours, saved

from engine.contract.settings import WEIGHTS_CACHED
from engine.worker.weights import command
from engine.worker.weights.fetch import Source
from engine.worker.weights.named_weights import load_weights


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / ".cache" / "impasto"


def test_a_fetch_that_breaks_off_is_gone_on_with_by_the_next(
    serve: Serve, original: Original, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, whole = (Source(serve(original.path, how).url, original.prefix) for how in ("truncates", "right"))
    assert command.main(["fetch"], broken) == 1
    out, err = capsys.readouterr()
    assert out == f"Fetching {broken.url} to {cache} …\n"
    assert err.startswith("The download of the pretrained VGG19 broke off: try again with `impasto weights fetch`, or ")

    assert command.main(["show"], whole) == 0
    said = capsys.readouterr().out
    assert f"{NAME}.partial, 40 MB: a download that broke off: `impasto weights fetch` goes on" in said
    assert "auto       imagenet, if it can be fetched when a worker starts" in said

    assert command.main(["fetch"], whole) == 0
    fetching, done = capsys.readouterr().out.splitlines()
    assert fetching.endswith(", on from 40 MB …")
    assert done.startswith(f"The pretrained VGG19 is in {cache} now: imagenet sha256:")
    assert [file.name for file in cache.iterdir()] == [WEIGHTS_CACHED]

    assert command.main(["fetch"], broken) == 0
    assert "already" in capsys.readouterr().out
    assert command.main(["show"], broken) == 0
    assert f"auto       {load_weights('imagenet', cache).identity} weights, from the cache" in capsys.readouterr().out


def test_what_was_put_into_the_cache_by_hand_is_shown(
    original: Original, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.mkdir(parents=True)
    (cache / NAME).symlink_to(original.path)
    source = Source(f"{nowhere()}/{NAME}", original.prefix)
    assert command.main(["show"], source) == 0
    assert f"auto       imagenet, from {NAME}" in capsys.readouterr().out
    (cache / NAME).unlink()
    (cache / NAME).write_bytes(b"another")
    assert command.main(["show"], source) == 0
    assert "is not the pretrained VGG19 (its sha256 is another): delete that file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("counts", "widths", "network", "recipes"),
    [
        (
            (2, 2, 4, 4, 4),
            (4, 4, 4, 4, 4),
            "VGG19 of other widths: 16 layers, conv1_1 to conv5_4",
            "classic, gatys, fine",
        ),
        (
            (2, 2, 3, 3, 3),
            (4, 4, 4, 4, 4),
            "VGG16 of other widths: 13 layers, conv1_1 to conv5_3",
            "classic, gatys, fine",
        ),
        ((1, 1), (64, 128), "a VGG: 2 layers, conv1_1 to conv2_1", "none as it is: choose layers"),
        ((2, 1), (64, 128), "VGG19 cut short: 3 layers, conv1_1 to conv2_1", "none as it is: choose layers"),
        ((1,), (64,), "VGG19 cut short: conv1_1 alone", "none as it is: choose layers"),
    ],
)
def test_a_file_is_described(  # noqa: PLR0917
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
    counts: tuple[int, ...], widths: tuple[int, ...], network: str, recipes: str,
) -> None:  # fmt: skip
    tensors = ours(*counts, widths=widths) | {"classifier.0.weight": torch.zeros(1)}
    path = saved(tensors, tmp_path / "mine.pth")
    assert command.main(["check", str(path)]) == 0
    out, err = capsys.readouterr()
    lines = dict(line.split(maxsplit=1) for line in out.splitlines()[1:])
    assert err == ""
    assert lines["network"] == network
    assert lines["filters"].split(" | ") == [" ".join([str(w)] * n) for n, w in zip(counts, widths, strict=False)]
    assert lines["classifier"].startswith("there")
    assert lines["identity"] == load_weights(str(path), tmp_path).name
    assert lines["recipes"].startswith(recipes)
    assert lines["takes"].startswith("torchvision's input")

    told = ["check", "--json", "--weights-input", "caffe", str(path)]
    assert command.main(told) == 0
    assert json.loads(capsys.readouterr().out)["input"] == "caffe"


def test_why_a_file_cannot_be_used_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "page.pth").write_text("<html>")
    assert command.main(["check", "page.pth"]) == os.EX_CONFIG
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("The file page.pth holds no plain state dict: give the path of ")


@pytest.mark.skipif(sys.platform != "linux", reason="of what cannot be read just now, Linux has an example")
def test_the_status_tells_what_may_pass_by_itself_from_what_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["check", "/proc/self/mem"]) == 1
    assert "input/output error" in capsys.readouterr().err
    (tmp_path / "file").touch()
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "file" / "cache"))
    assert command.main(["fetch"], Source(f"{nowhere()}/{NAME}", "0")) == os.EX_CONFIG
    assert "make room there, or set IMPASTO_CACHE to a folder that can be written in" in capsys.readouterr().err
    monkeypatch.setenv("IMPASTO_SLICE_SECONDS", "soon")
    assert command.main(["show"]) == os.EX_CONFIG


def test_a_terminal_that_lacks_letters_shows_others(tmp_path: Path) -> None:
    path = saved(ours(2, 2, 3, 3, 3), tmp_path / "größe.pth")
    reply = subprocess.run(
        [sys.executable, "-m", "engine.worker.weights.command", "check", path], capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4]), "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (reply.returncode, reply.stderr) == (0, b"")
    assert b"gr??e.pth can be used\n" in reply.stdout
