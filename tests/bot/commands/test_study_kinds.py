"""`/study` of each kind that test_study.py does not paint, with real workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from discord_server.message_text import text_of
from PIL import Image
from scene import Scene, pictures, scene
from study_kit import ask, tiles
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(busy_pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(busy_pool, tmp_path_factory.mktemp("kinds")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.refusals == []


@pytest.mark.parametrize(
    ("vary", "there"),
    [
        ("start", (9, "noise, seed 5")),
        ("layers", (5, "all 3")),
        pytest.param("depth", (5, "relu5_2"), marks=pytest.mark.long),
        pytest.param("optimiser", (6, "L-BFGS"), marks=pytest.mark.long),
        pytest.param("size", (5, "128 px"), marks=pytest.mark.long),
        ("iterations", (8, "30 iterations")),
        pytest.param("white", (5, "white left out"), marks=pytest.mark.long),
    ],
)
async def test_every_other_kind_comes_to_its_end(
    stage: Scene, tmp_path: Path, vary: str, there: tuple[int, str]
) -> None:
    """`there` is how many pictures come, and the last one's label. The other kinds are in the other tests."""
    bordered = Image.new("RGB", (96, 72), "white")
    with Image.open(stage.style) as style:
        bordered.paste(style.resize((60, 40)), (18, 16))
    bordered.save(tmp_path / "bordered.png")
    options = {"iterations": {"iterations": 30, "size": 4}.get(vary, 1), "size": 128 if vary == "size" else 64}
    card = await stage.ended(
        await stage.card(await ask(stage, vary, style=tmp_path / "bordered.png", seed=3, **options))
    )
    labels = [text_of(message).split("**")[1].replace("\\", "") for message in tiles(stage, card)]
    assert (len(labels), labels[-1]) == there
    ends = ["final.png", "loss.png", *(["time.png"] if vary == "size" else []), "film.webp"]
    assert pictures(stage.discord.world, card["id"])[len(labels) :] == ends
    assert ", kept until " in text_of(card)
