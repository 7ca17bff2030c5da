"""Nothing is written over or deleted that Impasto did not make, and two commands never share a folder."""

from __future__ import annotations

import dataclasses
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from arq.connections import ArqRedis
from impasto_command import LIGHT, Here, left_over, make_room, run, start
from support.jobs import a_job

from bot.terminal.batch_folder import BatchFolder, Pair
from bot.terminal.main import main
from bot.terminal.output_folder import FolderError, OutputFolder
from bot.terminal.paint_job import reopen
from bot.terminal.unfinished import Unfinished
from engine.contract.events import Failed, Snapshot
from engine.contract.jobs import Jobs
from engine.contract.settings import read_settings
from engine.contract.store import Store

OWN = ("final.png", "index.html", "loss.png", "00008.png", "run.json", "content.png", "style-sheet.png", "film.webp")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Path, str], str]:
    """What the command has against a folder to paint in."""

    def refused(room: Path, output: str) -> str:
        monkeypatch.chdir(room)
        monkeypatch.setenv("REDIS_URL", "")
        monkeypatch.setattr(sys, "argv", ["impasto", *LIGHT, "-o", output])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return refused


@pytest.mark.parametrize("name", OWN)
def test_somebody_elses_file_stands_in_the_way(name: str, tmp_path: Path, line: Callable[[Path, str], str]) -> None:
    room = make_room(tmp_path)
    (room / "out").mkdir()
    (room / "out" / name).write_bytes(b"mine")
    (room / "out" / "run.json").write_bytes(b'{"tool": "another"}')
    before = contents(room)
    said = line(room, "out")
    assert "would be written over, and Impasto did not make" in said
    assert said.startswith("out/")
    assert contents(room) == before


def test_what_stands_in_the_way_is_named_and_counted(tmp_path: Path, line: Callable[[Path, str], str]) -> None:
    room = make_room(tmp_path)
    (room / "out" / "loss.png").mkdir(parents=True)  # and what is no file at all
    assert line(room, "out") == (
        "out/loss.png would be written over, and Impasto did not make it: move it away, or give another folder."
    )
    (room / "out" / "00001.png").symlink_to("../content.png")
    assert line(room, "out").startswith("out/00001.png and 1 more would be written over, and Impasto did not make them")


@pytest.mark.parametrize("name", ["redis", "lock", "notes.txt"])
def test_a_folder_of_another_programs_that_is_called_as_ours_is_left_alone(
    name: str, tmp_path: Path, line: Callable[[Path, str], str]
) -> None:
    room = make_room(tmp_path)
    (room / "out" / ".impasto").mkdir(parents=True)
    (room / "out" / ".impasto" / name).write_bytes(b"mine")
    assert line(room, "out") == "out/.impasto was not made by Impasto: move it away, or give another folder."
    assert contents(room / "out") == {f".impasto/{name}": b"mine"}


async def test_what_was_changed_since_is_somebody_elses(tmp_path: Path) -> None:
    output, store = OutputFolder(tmp_path / "out"), Store((tmp_path / "store").as_uri())
    events = [
        Snapshot(job="a", iteration=i, picture=await store.put(f"{i}.png", bytes([i])), loss=1.0) for i in (1, 2, 3)
    ]
    with output.reserved():
        output.check([])
        for event in events[:2]:
            await output.save(store, event)
        await output.save(store, events[0])  # told twice
        output.check([])
        (tmp_path / "out" / "00002.png").write_bytes(b"retouched")
        with pytest.raises(FolderError, match=r"^.*/00002\.png would be written over"):
            output.check([])
        with pytest.raises(FolderError, match=r"^.*/00002\.png would be written over"):
            await output.save(store, events[1])
        (tmp_path / "out" / "00003.png").write_bytes(b"it came while we painted")
        with pytest.raises(FolderError, match=r"^.*/00003\.png would be written over"):
            await output.save(store, events[2])
        output.clear()
    left = contents(tmp_path / "out")
    assert left == {"00002.png": b"retouched", "00003.png": b"it came while we painted"}


LEFT_OVER = ("final.jpg", "final-16.png", "film.mp4", "film.webm", "before-and-after.jpg", "short-film.webp")


async def test_a_picture_is_not_painted_over_by_its_own_painting_whatever_it_is_called_by(tmp_path: Path) -> None:
    output, store = OutputFolder(tmp_path / "out"), Store((tmp_path / "store").as_uri())
    key = await store.put("1.png", b"a picture")
    with output.reserved():
        made = await output.save(store, Snapshot(job="a", iteration=1, picture=key, loss=1.0))
        assert made is not None
        link = tmp_path / "link.png"
        link.symlink_to(made)
        for picture in (made, link, *(output.write(name, b"of an earlier painting") for name in LEFT_OVER)):
            with pytest.raises(FolderError, match=r"would be written over or deleted: give another folder\.$"):
                output.check([picture])
        mine = tmp_path / "out" / "final.webp"
        mine.write_bytes(b"mine")
        output.check([mine])  # a PNG is painted, and what is not Impasto's is not deleted
        with pytest.raises(FolderError, match=r"final\.webp would be written over or deleted"):
            output.check([mine], "webp")
        output.clear()
    assert contents(tmp_path / "out") == {"final.webp": b"mine"}


def test_one_command_at_a_time(tmp_path: Path) -> None:
    output = OutputFolder(tmp_path / "new" / "out")
    with output.reserved():
        again = OutputFolder(tmp_path / "new" / "out").reserved()
        with pytest.raises(FolderError, match=r"^Another command is painting in .*/out: wait for its end, or"), again:
            pass
        with OutputFolder(tmp_path / "new" / "other").reserved():
            pass
    with output.reserved():
        pass
    assert list(tmp_path.iterdir()) == []  # nothing came of it


def test_a_batchs_painting_and_one_of_its_own_do_not_share_a_folder(tmp_path: Path) -> None:
    own, pair = tmp_path / "cat-dots", Pair(Path("cat.png"), Path("dots.png"), "cat-dots")
    batched, alone = BatchFolder(tmp_path).painting(pair), OutputFolder(own)
    for first, second in ((batched, alone), (alone, batched)):
        with first.reserved():
            again = second.reserved()
            with pytest.raises(FolderError, match=r"^Another command is painting in .*/cat-dots: wait for its"), again:
                pass
        assert not own.exists()
    with alone.reserved():
        (own / ".impasto" / "job.json").write_text("{}")  # it was stopped
    with batched.reserved(), pytest.raises(FolderError, match=r"unfinished painting: go on with `impasto paint --res"):
        batched.check([])
    assert (own / ".impasto" / "job.json").exists()


@pytest.mark.long
def test_a_second_command_or_a_resumption_does_not_meddle_with_the_first(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    process = start(room, *LIGHT, "--iterations", "90000", "--snapshots", "10", "-o", "out")
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("iteration 10:"))
    sentence = "Another command is painting in out: wait for its end, or give another folder.\n"
    for second in ([*LIGHT, "--seed", "1", "-o", "out"], ["paint", "--resume", "out"]):
        reply = run(room, *second)
        assert (reply.returncode, reply.stdout, reply.stderr) == (1, "", sentence)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    assert left_over(room) == []


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, line: Callable[[Path, str], str]) -> None:
    room = make_room(tmp_path)
    assert line(room, "content.png/out") == "content.png/out cannot be written to: Not a directory."


async def test_a_painting_that_failed_is_not_in_the_way_of_a_new_one(redis: ArqRedis, tmp_path: Path) -> None:
    output, job = OutputFolder(tmp_path / "out"), a_job()
    stack: Any = SimpleNamespace(redis=redis)
    with output.reserved():
        output.remember(job, "starter", "auto", own_redis=True)
        note = output.remembered()
        with pytest.raises(
            FolderError, match=r"the painting of .*/out: it was kept for 30 days, so delete .*/\.impasto "
        ):
            await reopen(stack, note, output)
        unset = r"/out: set REDIS_URL as it was, or leave it out where it was not set; where it is so, it was kept"
        with pytest.raises(FolderError, match=unset):
            await reopen(stack, dataclasses.replace(note, own_redis=None), output)
        assert output.unfinished
        await Jobs(redis).create(job)
        claim = await Jobs(redis).start(job.id, 0, 0, "worker")
        assert claim is not None
        await Jobs(redis).finish(claim, Failed(job=job.id, iteration=0, reason="It broke."))
        with pytest.raises(FolderError, match=r"failed, so there is nothing to go on with: start a new one"):
            await reopen(stack, note, output)
        assert not output.unfinished


def test_a_note_tells_its_redis_and_older_ones_are_still_read() -> None:
    shared = read_settings(redis_url="redis://localhost")
    older = Unfinished.parse('{"job": "a", "weights": "starter"}')
    assert older == Unfinished("a", "starter", "auto", None)
    assert older.settings(shared).redis_url == "redis://localhost"
    own = Unfinished.parse(Unfinished("a", "v.pth", "caffe", own_redis=True).text())
    assert own.settings(shared).redis_url is None
    assert own.settings(shared).impasto_weights_input == "caffe"


def test_what_is_painted_by_shared_workers_is_not_looked_for_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Here(make_room(tmp_path), monkeypatch, capsys)
    Path("out", ".impasto").mkdir(parents=True)
    Path("out", ".impasto", "job.json").write_text(Unfinished("a", "starter", "auto", own_redis=False).text())
    assert here.one_line("paint", "--resume", "out") == (
        "The painting of out was begun by the workers of a REDIS_URL: set that as it was, or delete out/.impasto and "
        "start a new one."
    )
    reply = here.run("paint", "--resume", "out", "--device", "cpu", REDIS_URL="redis://127.0.0.1:1")
    assert (reply.returncode, "leave out --device" in reply.stderr) == (2, True)


@pytest.mark.parametrize(
    ("there", "words", "sentence"),
    [
        ("study.json", ["batch", "content.png", "--style", "style.png"], "out holds a painting: give another folder "),
        ("run.json", ["batch", "content.png", "--style", "style.png"], "out holds a painting: give another folder "),
        ("batch.json", ["paint", "content.png", "style.png"], "out holds the paintings of a batch: give another "),
    ],
)  # fmt: skip
def test_paintings_studies_and_batches_do_not_write_over_one_another(  # noqa: PLR0917
    there: str, words: list[str], sentence: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    here, out = Here(make_room(tmp_path), monkeypatch, capsys), OutputFolder(Path("out"))
    with out.reserved():
        for name in (there, "index.html"):
            out.write(name, b"{}")
    before = contents(Path("out"))
    assert here.one_line(*words, "-o", "out").startswith(sentence)
    assert contents(Path("out")) == before
