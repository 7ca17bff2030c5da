"""A worker paints the fast way only where that paints what the plain one does.

A processor has no fast way; what stands here for one records as a CUDA graph does (see `test_graphs.py`), in bfloat16,
and is right, or made to be wrong in each way that a driver might be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from arq.connections import ArqRedis
from support.jobs import JobClient, light
from torch import Tensor

from engine.contract.settings import read_settings
from engine.contract.store import Store
from engine.painting.cuda.graphs import Graphs, Unrecordable
from engine.recipe.recipe import RecipeError
from engine.worker import fast_path_check
from engine.worker.context import WorkerContext
from engine.worker.fast_path_check import fault_of_fast_path, in_words
from engine.worker.weights.named_weights import load_weights

CPU = torch.device("cpu")
Work = Callable[[], Any]


class Recorder:
    """Replays do what was recorded, and then what `spoil` does to the result."""

    def __init__(self, spoil: Callable[[Tensor], object] = lambda _: None, *, stale: bool = False) -> None:
        self._spoil, self._stale = spoil, stale
        self.replays = 0

    def __call__(self, work: Work) -> tuple[Callable[[], None], Any]:
        found = work()

        def replay() -> None:
            self.replays += 1
            if not self._stale:
                found.copy_(work())
            self._spoil(found)

        return replay, found


def refuse(_: Work) -> tuple[Callable[[], None], Any]:
    raise Unrecordable("operation not permitted when stream is capturing")


def break_off(_: Tensor) -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with TORCH_USE_CUDA_DSA.")


def skewed(work: Work) -> tuple[Callable[[], None], Any]:
    """The losses are right, and the pixels are not."""
    state = next(cell.cell_contents for cell in work.__closure__ or () if hasattr(cell.cell_contents, "pixels"))
    found = work()

    def replay() -> None:
        found.copy_(work())
        state.pixels.add_(3)

    return replay, found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller painting of shallower layers: a processor takes its time."""
    layers = {"content_layers": ("relu1_2",), "style_layers": ("relu1_1", "relu1_2"), "style_layer_weights": (1.0, 1.0)}
    monkeypatch.setattr(fast_path_check, "_RECIPE", replace(fast_path_check._RECIPE, size=32, iterations=6, **layers))  # type: ignore[arg-type]


@pytest.mark.long
def test_a_right_way_is_trusted_also_in_bfloat16() -> None:
    recorder = Recorder()
    assert fault_of_fast_path(CPU, Graphs(recorder), torch.bfloat16) == ""
    assert recorder.replays == 2 * fast_path_check._RECIPE.iterations


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Recorder(stale=True), "its losses are "),
        (Recorder(lambda found: found.mul_(torch.nan)), "its losses are no numbers"),
        (Recorder(lambda found: found.mul_(1.2)), "its losses are 20% off"),
        (Recorder(lambda found: found.mul_(torch.inf)), "its losses are no numbers"),
        (Recorder(break_off), "it fails (CUDA error: an illegal memory access was encountered Compile with"),
        (skewed, "its "),
        (refuse, "no graph can be recorded"),
    ],
)
@pytest.mark.usefixtures("small")
def test_a_wrong_way_is_not(record: Any, reason: str) -> None:
    assert fault_of_fast_path(CPU, Graphs(record)).startswith(reason)


@pytest.mark.usefixtures("small")
def test_pixels_alone_tell_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_path_check, "_LOSSES", 1e9)
    assert fault_of_fast_path(CPU, Graphs(skewed)).startswith("its pixels are ")


@pytest.mark.usefixtures("small")
def test_a_device_that_cannot_even_paint_plainly_is_a_sentence() -> None:
    with pytest.raises(RecipeError, match=r"^meta cannot be painted on \(.*\): use --device cpu\.$"):
        fault_of_fast_path(torch.device("meta"), Graphs(None))


@pytest.mark.parametrize(("record", "slow"), [(Recorder(), ""), (Recorder(stale=True), "its losses are ")])
@pytest.mark.usefixtures("small")
async def test_a_worker_takes_the_fast_way_only_where_it_is_right(
    redis: ArqRedis, tmp_path: Path, record: Recorder, slow: str
) -> None:
    settings = read_settings(store_url=tmp_path.as_uri())
    context = WorkerContext(settings, redis, load_weights("random", tmp_path), "cpu", Graphs(record))
    await context.check_fast_path(fault_of_fast_path)
    assert context.heartbeat.slow.startswith(slow)
    assert bool(context.slow) == bool(slow)
    assert "painted the slow way" in in_words(context.slow)

    client, replays = JobClient(redis, Store(settings.store)), record.replays
    job = await client.submit(light(4, scales=1), queued=False)
    claim = await context.jobs.start(job.id, 0, 0, context.id)
    assert claim is not None
    session = await context.session(claim)
    *_, state = session.painter.paint(session.state)
    assert state.iteration == 4
    assert (record.replays > replays) == (not slow)


async def test_where_nothing_is_recorded_there_is_nothing_to_check(redis: ArqRedis, tmp_path: Path) -> None:
    context = WorkerContext(read_settings(store_url=tmp_path.as_uri()), redis, load_weights("random", tmp_path), "cpu")
    await context.check_fast_path(lambda *_: "it was asked")
    assert context.slow == ""
