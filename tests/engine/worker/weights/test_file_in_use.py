"""A worker with weights from a file: what it says they are, and what it refuses to paint with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.jobs import JobClient, light
from support.workers import WorkerPool
from torchvision_files import ours, saved

from engine.contract import workers
from engine.contract.drawn_texts import WEIGHTS_NOTES
from engine.contract.events import Failed, Started
from engine.worker.weights.named_weights import load_weights

LAYERS = {"content_layers": ("conv1_1",), "style_layers": ("relu1_1",)}


@pytest.mark.long
async def test_it_says_whose_they_are_and_paints_with_the_layers_that_they_have(
    pool: WorkerPool, client: JobClient, tmp_path: Path
) -> None:
    path = saved(ours(1, 1), tmp_path / "slim.pth")
    name = load_weights(str(path), tmp_path, input_="caffe").name
    process = pool.start_worker(weights=str(path), IMPASTO_WEIGHTS_INPUT="caffe").ready()
    assert process.said.endswith(f"with {name} weights, a file with Caffe's input (BGR, 0 to 255)")
    (worker,) = await workers.living(client.redis)
    assert (worker.weights, worker.input, worker.network) == (name, "caffe", "4|6")

    job = await client.submit(light(2, weights=name, networks=1, network="4|6", **LAYERS))
    started = next(event for event in await client.events(job) if isinstance(event, Started))
    assert started.note == "Painted with weights from a file, taken for a network with Caffe's input (BGR, 0 to 255)."
    assert started.note in WEIGHTS_NOTES
    run = await client.run(job)
    assert run["weights"] == {
        "name": name, "identity": name, "stand_in": False, "note": started.note, "input": "caffe",
        "network": "4|6",
    }  # fmt: skip

    job = await client.submit(light(2, weights=name, networks=1, **(LAYERS | {"content_layers": ("relu1_2",)})))
    (failed,) = await client.events(job)
    assert isinstance(failed, Failed)
    assert failed.reason == (f"The weights {name} have no layer relu1_2; they have conv1_1, conv2_1.")
