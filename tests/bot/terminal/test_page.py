from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bot.terminal.batch_folder import Pair, render_batch_page
from bot.terminal.page import MOST_SNAPSHOTS, render_page, words
from engine.recipe.presets import preset

NOTE = "Painted with random stand-in weights: the pretrained VGG19 was not at hand."


class Reader(HTMLParser):
    """What a browser would find: elements with their attributes, and the text outside style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in {"style", "script"}:
            self.text += data

    def every(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]


def noise(seed: int, size: tuple[int, int]) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(levels)


def a_run(folder: Path, *, size: tuple[int, int] = (48, 32), snapshots: int = 3, **entries: Any) -> dict[str, Any]:
    """A run of 120 iterations, with all of its pictures, made of noise, in the folder."""
    shown = [round(i) for i in np.linspace(10, 120, snapshots)]
    for k, name in enumerate(("content.png", "style-1.png", "final.png", "loss.png")):
        noise(k, size).save(folder / name, compress_level=1)
    noise(9, size).save(folder / "film.webp", save_all=True, append_images=[noise(8, size)])
    for i in shown:
        noise(i, size).save(folder / f"{i:05d}.png", compress_level=1)
    recipe = preset("fine", weights="random", seed=77, iterations=120, scales=3)
    run = {
        "impasto": "0.1.0", "job": "01JABC", "state": "done", "recipe": recipe.as_dict(),
        "content": {"name": "harbour.jpg", "width": 512, "height": 341},
        "styles": [{"name": "strokes.jpg", "width": 64, "height": 64, "weight": 1.0}],
        "weights": {"name": "random", "identity": "random:1", "stand_in": True, "note": NOTE},
        "device": {"name": "cpu", "model": "AMD EPYC", "threads": 2},
        "versions": {"python": "3.11.7", "torch": "2.15.0"}, "width": size[0], "height": size[1],
        "losses": {"columns": ["total", "content"], "rows": [[2.5e6 / i, 1.0] for i in range(1, 121)]},
        "slices": [{"from": 0, "to": 120, "seconds": 14.9, "worker": "host:123"}],
        "rollbacks": [{"iteration": 40, "reason": "the loss exploded", "step": 1.0}],
        "snapshots": [{"iteration": i, "file": f"{i:05d}.png"} for i in shown],
        "final": {"file": "final.png", "sha256": "c0ffee"}, "seconds": 143.2,
    }  # fmt: skip
    stored: dict[str, Any] = json.loads(json.dumps(run | entries))
    return stored


def test_the_page_holds_every_picture_and_fetches_nothing(tmp_path: Path) -> None:
    page = Reader(render_page(a_run(tmp_path), tmp_path))
    pictures = page.every("img")
    assert len(pictures) == 1 + 3 + 1 + 3 + 1  # hero; content, style, painting; film; snapshots; plot
    assert all(picture["src"].startswith("data:image/") for picture in pictures)
    assert all(picture["alt"].strip() for picture in pictures)
    fetched = [attrs.get(key, "") for _, attrs in page.elements for key in ("src", "href", "srcset", "action")]
    assert all(url == "" or url.startswith("data:") for url in fetched)


def test_the_page_has_no_address_and_no_blank_left_open(tmp_path: Path) -> None:
    page = render_page(a_run(tmp_path), tmp_path)
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    assert "$" not in page


def test_the_page_tells_what_happened(tmp_path: Path) -> None:
    page = Reader(render_page(a_run(tmp_path), tmp_path)).text
    for told in (
        "Harbour in the style of strokes", "48 × 32 px · 120 iterations · 2 min 23 s on AMD EPYC",
        "random:1", "c0ffee", "torch 2.15.0", "77", "Adam took 120 steps",
        "At iteration 40: the loss exploded; painted on with step 1.",
        "256, 362 and 512 px", "relu1_1, relu1_2 and relu2_1", "Iteration 10", "loss 250,000", "loss 20,800",
    ):  # fmt: skip
        assert told in page


def test_it_tells_what_a_painting_began_with() -> None:
    assert words(preset("fine")).startswith("Starting from the content picture in the style's colours, L-BFGS took ")
    assert words(preset("classic")).startswith("Starting from the content picture with 60% of noise, Adam took ")


def test_the_stand_in_note_is_shown_only_for_stand_ins(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    assert NOTE in Reader(render_page(run, tmp_path)).text
    run["weights"] |= {"stand_in": False}
    assert NOTE not in Reader(render_page(run, tmp_path)).text


def test_every_value_is_escaped(tmp_path: Path) -> None:
    bad = '"><script>alert(1)</script><img src=x onerror=$title>{{ title }}'
    run = a_run(tmp_path, job=bad, impasto=bad, state=bad, versions={bad: bad})
    run["content"]["name"] = run["styles"][0]["name"] = bad
    run["weights"] |= {"name": bad, "identity": bad, "note": bad}
    run["device"] |= {"name": bad, "model": bad}
    run["rollbacks"][0]["reason"] = run["final"]["sha256"] = bad
    plain, hostile = (Reader(render_page(r, tmp_path)) for r in (a_run(tmp_path), run))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    assert all("onerror" not in attrs for _, attrs in hostile.elements)
    assert bad in hostile.text


def test_names_and_reasons_in_the_table_of_a_batch_are_escaped() -> None:
    bad = '"><script>alert(1)<'
    pairs = [Pair(Path(bad), Path(f"{bad}{k}"), f"{bad}{k}", "failed" if k else "done", reason=bad) for k in range(2)]
    page = Reader(render_batch_page(pairs))
    assert [tag for tag, _ in page.elements].count("script") == 0
    assert page.text.count(bad) == 4  # a row, two columns, a reason
    assert page.every("a")[0]["href"] == "%22%3E%3Cscript%3Ealert%281%29%3C0/index.html"


def test_pictures_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    for name in ("content.png", "style-1.png", "film.webp", "loss.png", "00010.png"):
        (tmp_path / name).unlink()
    page = Reader(render_page(run, tmp_path))
    assert len(page.every("img")) == 1 + 1 + 2
    assert "The film" not in page.text
    for path in tmp_path.iterdir():
        path.unlink()
    assert Reader(render_page(run, tmp_path)).every("img") == []


def test_an_entry_cannot_reach_out_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    run = a_run(inside, snapshots=1)
    noise(5, (48, 32)).save(tmp_path / "secret.png")
    before = len(Reader(render_page(run, inside)).every("img"))
    run["snapshots"][0]["file"] = "../secret.png"
    assert len(Reader(render_page(run, inside)).every("img")) == before - 1


def test_several_styles_are_told_with_their_shares(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    noise(6, (48, 32)).save(tmp_path / "style-2.png")
    run["styles"].append({"name": "waves.png", "width": 64, "height": 64, "weight": 3.0})
    page = Reader(render_page(run, tmp_path)).text
    assert "strokes and waves" in page
    assert "Style, 25%" in page
    assert "Style, 75%" in page


LOSSES = [(None, "not finite"), (float("nan"), "not finite"), (0.0, "loss 0"), (0.25, "loss 0.25")]
LOSSES += [(3.2e9, "loss 3.2 billion"), (1e-9, "loss 1.00e-09"), (4321.0, "loss 4,320")]


@pytest.mark.parametrize(("total", "told"), LOSSES)
def test_losses_are_told_whatever_they_are(tmp_path: Path, total: float | None, told: str) -> None:
    run = a_run(tmp_path, losses={"columns": ["total"], "rows": [[total]] * 120})
    assert told in Reader(render_page(run, tmp_path)).text


@pytest.mark.long
def test_a_great_many_large_noisy_pictures_stay_below_25_mb(tmp_path: Path) -> None:
    run = a_run(tmp_path, size=(720, 540), snapshots=60)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) > 50_000_000
    page = render_page(run, tmp_path)
    assert len(page) < 25_000_000
    shown = [attrs for attrs in Reader(page).every("img") if "after iteration" in attrs["alt"]]
    assert len(shown) <= MOST_SNAPSHOTS
    assert "iteration 120," in shown[-1]["alt"]


def test_pictures_are_what_the_folder_holds(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    Image.new("RGB", (48, 32), (200, 40, 20)).save(tmp_path / "final.png")
    hero = Reader(render_page(run, tmp_path)).every("img")[0]
    with Image.open(BytesIO(b64decode(hero["src"].partition(",")[2]))) as image:
        assert image.size == (48, 32)
        assert np.abs(np.asarray(image.convert("RGB"), dtype=float) - (200, 40, 20)).max() < 8


def test_the_page_is_made_without_torch_and_matplotlib() -> None:
    heavy = ("torch", "matplotlib", "numpy", "engine.worker")
    code = f"import sys, bot.terminal.page; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
