"""The pictures of a study's paintings: what it changes, it changes in each style."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from support.jobs import a_job

from bot.requests.study_parts import recipe_maker, with_study
from engine.contract.models import Job, StoredPicture
from engine.contract.store import Store
from engine.recipe.recipe import RecipeError

RED, BLUE = (200, 40, 30), (20, 20, 160)


def png(colour: tuple[int, int, int], margin: int) -> bytes:
    picture = Image.new("RGB", (96, 72), "white")
    ImageDraw.Draw(picture).rectangle((margin, margin, 95 - margin, 71 - margin), colour)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


async def job_of(store: Store, *styles: bytes) -> Job:
    kept = [
        StoredPicture(key=await store.put(f"jobs/a/picture-{n}.png", style), name=f"{n}.png", width=96, height=72)
        for n, style in enumerate(styles, 1)
    ]
    return a_job().model_copy(update={"styles": tuple(kept)})


async def study_of_white(store: Store, *styles: bytes) -> dict[str, list[Image.Image]]:
    """Each painting's styles, and of the last their masks, by its label."""
    fields = {"style_weights": (1.0,) * len(styles)}
    made = await with_study(await job_of(store, *styles), "white", fields, recipe_maker("fine", "random", None), store)
    assert made.study is not None
    found = {}
    for part in made.study.parts:
        keys = [picture.key for picture in part.style_masks or part.styles]
        found[part.label] = [Image.open(io.BytesIO(await store.get(key))).convert("RGB") for key in keys]
    return found


async def test_a_study_of_white_does_the_same_to_each_style(tmp_path: Path) -> None:
    store = Store(tmp_path.as_uri())
    found = await study_of_white(store, png(RED, 10), png(BLUE, 20))
    assert [picture.size for picture in found["margin trimmed"]] == [(76, 52), (56, 32)]
    assert [picture.getpixel((2, 2)) for picture in found["the style as it is"]] == [(255, 255, 255)] * 2
    assert [picture.getpixel((2, 2)) for picture in found["white toned down"]] == [RED, BLUE]
    halves = [picture.getpixel((2, 2)) for picture in found["white toned by half"]]
    assert halves == [pytest.approx([(255 + level) / 2 for level in colour], abs=1) for colour in (RED, BLUE)]
    assert [picture.getpixel((2, 2)) for picture in found["white left out"]] == [(0, 0, 0)] * 2
    assert [picture.getpixel((15, 15)) for picture in found["white left out"]] == [(255, 255, 255), (0, 0, 0)]


async def test_white_is_studied_where_any_of_the_styles_has_some(tmp_path: Path) -> None:
    store = Store(tmp_path.as_uri())
    found = await study_of_white(store, png(RED, 0), png(BLUE, 20))
    assert [picture.size for picture in found["margin trimmed"]] == [(96, 72), (56, 32)]
    with pytest.raises(RecipeError, match="There is no white in the style"):
        await study_of_white(store, png(RED, 0), png(BLUE, 0))
