"""The comparison with other programs: what it paints, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image, ImageChops
from support.pictures import CONTENT, STYLE
from torchvision_files import Original, ours, saved

from benchmarks.blind_pairs import same_size
from benchmarks.compare import COLUMNS, main
from benchmarks.compare_rows import CompareError, Ours, Pair, Peer, read_pairs, read_rows

SIZE = 32
ROWS = ("--row", "fine: fine iterations=2", "--row", "two steps: classic iterations=2", "--only", "fine")


class Run(NamedTuple):
    """A finished comparison, and the pair that it was of."""

    folder: Path
    pair: str


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("pictures of a pair")
    CONTENT.save(folder / "photo.png")
    STYLE.resize((40, 30)).save(folder / "the style.png")
    return f"{folder / 'photo.png'}:{folder / 'the style.png'}"


@pytest.fixture(scope="module")
def run(original: Original, pair: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run") / "compare"
    peers = ("--peer", "a copy=echo {size}; cp {content} {out}")
    asked = [str(original.path), pair, "--size", str(SIZE), *ROWS, "--only", "two steps", *peers]
    assert main([*asked, "--blind", "2", "-o", str(folder)]) == 0
    return Run(folder, pair)


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def alike(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


def refusal(capsys: pytest.CaptureFixture[str], arguments: Sequence[object]) -> str:
    assert main([str(argument) for argument in arguments]) == 1
    sentence = capsys.readouterr().err.strip()
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_every_picture_is_kept_with_what_the_peer_said(run: Run) -> None:
    names = ["photo-after-the-style." + rest for rest in ("a-copy.png", "fine.png", "two-steps.png")]
    assert sorted(path.name for path in run.folder.glob("*style.*.png")) == names
    assert alike(opened(run.folder / names[0]), CONTENT)
    assert not alike(opened(run.folder / names[1]), opened(run.folder / names[2]))
    assert (run.folder / "photo-after-the-style.a-copy.log").read_text() == f"{SIZE}\n"


def test_the_table_has_a_line_for_each_picture(run: Run) -> None:
    lines = (run.folder / "table.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert rows[0] == list(COLUMNS)
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert [row[0] for row in rows[2:]] == ["fine", "two steps", "a copy"]
    assert rows[-1][1:7] == ["0.00", *["1.000"] * 5]
    assert "## photo after the style" in lines
    assert "- two steps: `classic iterations=2`" in lines


def test_the_sheet_shows_every_picture_as_it_is(run: Run) -> None:
    sheet = opened(run.folder / "sheet.png")
    last = sheet.height - 20 - 20  # the margin, and the words under a picture
    left = next(x for x in range(sheet.width) if alike(sheet.crop((x, last - 32, x + 32, last)), CONTENT))
    assert left > 150


def test_the_key_says_which_picture_is_whose(run: Run) -> None:
    blind = run.folder / "blind"
    key = json.loads((run.folder / "key.json").read_text())
    assert sorted(path.name for path in blind.iterdir()) == [
        *(f"{number}-{letter}.png" for number in ("01", "02") for letter in "AB"), "pairs.md",
    ]  # fmt: skip
    assert isinstance(key["seed"], int)
    for number, match in key["matches"].items():
        assert {match["A"], match["B"]} == {"fine", "a copy"}
        for letter in "AB":
            made = run.folder / f"photo-after-the-style.{match[letter].replace(' ', '-')}.png"
            assert alike(opened(blind / f"{number}-{letter}.png"), opened(made))
    page = (blind / "pairs.md").read_text()
    assert all(f"{number}-A.png" in page for number in key["matches"])
    assert "fine" not in page
    assert "copy" not in page


def test_somebodys_choices_are_not_overwritten(
    run: Run, original: Original, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = ("--peer", "a copy=cp {content} {out}")
    asked = (original.path, run.pair, *ROWS, *peer, "--blind", 1, "-o", run.folder)
    assert "move both elsewhere" in refusal(capsys, asked)


def test_what_cannot_be_compared_is_one_sentence(
    pair: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    shallow = saved(ours(2), tmp_path_factory.mktemp("weights") / "shallow.pth")
    asked = ("nowhere.pth", pair, "-o", tmp_path)
    assert "cannot be read" in refusal(capsys, asked)
    assert "have no" in refusal(capsys, (shallow, pair, "-o", tmp_path))
    assert "nowhere.png" in refusal(capsys, ("starter", "nowhere.png:nowhere.png"))
    assert "at least one --peer" in refusal(capsys, (*asked, "--blind", 1))
    assert "Two pictures" in refusal(capsys, (*asked, "--peer", "Fine=cp {content} {out}"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("command", "told"), [("true # {out}", "left no picture"), ("exit 3; {out}", "status 3"),
                                               ("echo no picture > {out}", "left no picture")])  # fmt: skip
def test_a_peer_without_a_picture_is_one_sentence(pair: str, tmp_path: Path, command: str, told: str) -> None:
    with pytest.raises(CompareError, match=told):
        Peer("peer", command).paint(read_pairs([pair])[0], SIZE, tmp_path / "log")


def test_a_peer_works_in_a_folder_of_its_own(pair: str, tmp_path: Path) -> None:
    command = "pwd; touch left-over; cp {style} {out}"
    folders = []
    for _ in range(2):
        picture, seconds = Peer("peer", command).paint(read_pairs([pair])[0], SIZE, tmp_path / "log")
        folders.append((tmp_path / "log").read_text().strip())
        assert picture.size == (40, 30)
        assert seconds > 0
    assert folders[0] != folders[1]
    assert not any(Path(folder).exists() for folder in folders)


def test_rows_are_the_usual_ones_and_those_that_are_added() -> None:
    rows = read_rows(["strong: fine beta=800 style_layers=relu1_1,relu2_1", "fine: fine iterations=9"], [])
    assert [row.name for row in rows] == ["fine", "classic", "gatys", "strong"]
    assert rows[0].fields == {"iterations": 9}
    assert rows[-1].fields == {"beta": 800.0, "style_layers": ("relu1_1", "relu2_1")}
    assert [row.name for row in read_rows([], ["gatys"])] == ["gatys"]
    with pytest.raises(CompareError, match="no row called other"):
        read_rows([], ["other"])


@pytest.mark.parametrize("text", ["fine", "fine:", ": fine", "--: fine"])
def test_a_row_needs_a_name_and_a_recipe(text: str) -> None:
    with pytest.raises(CompareError, match="A row is written"):
        Ours.parse(text)


@pytest.mark.parametrize("text", ["a copy", "=cp {content} {out}", "a copy=cp {content} there"])
def test_a_peer_needs_a_name_and_a_place_for_its_picture(text: str) -> None:
    with pytest.raises(CompareError, match="A peer is written"):
        Peer.parse(text)


def test_pairs_that_are_called_alike_get_names_of_their_own(pair: str) -> None:
    assert [found.name for found in read_pairs([pair, pair])] == ["photo after the style", "photo after the style 2"]
    assert isinstance(read_pairs([pair])[0], Pair)


def test_pictures_to_choose_from_have_one_size() -> None:
    one, other = CONTENT.resize((40, 31)), CONTENT.resize((40, 30))
    cropped, same = same_size(one, other)
    assert alike(cropped, one.crop((0, 0, 40, 30)))
    assert alike(same, other)
    assert [picture.size for picture in same_size(CONTENT.resize((80, 60)), other)] == [(40, 30)] * 2
