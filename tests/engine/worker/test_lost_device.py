"""A device that does nothing more for the process, as after an illegal access on CUDA: another process must begin."""

from __future__ import annotations

import json
from pathlib import Path

import hanging_worker
import pytest
import torch
from support.jobs import JobClient, light
from support.workers import WorkerPool

from engine.contract import workers
from engine.worker.device import fault_of


def test_the_fault_is_what_cuda_says_and_other_devices_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(device: torch.device) -> None:
        raise RuntimeError(f"{hanging_worker.FAULT}\nCUDA kernel errors might be asynchronously reported")

    monkeypatch.setattr(torch.cuda, "synchronize", refuse)
    assert fault_of(torch.device("cuda:1")) == hanging_worker.FAULT
    assert fault_of(torch.device("cpu")) == ""
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    assert fault_of(torch.device("cuda:1")) == ""


@pytest.mark.long
async def test_the_worker_ends_and_that_is_a_death_of_what_it_painted_alone(
    client: JobClient, pool: WorkerPool, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    process = pool.start_worker(seconds=60, program=[hanging_worker.__file__], IMPASTO_LOG=str(log)).ready()
    other = await client.submit(light(20, seed=hanging_worker.FILM_SEED), user="ann")
    await client.until(other, 20)
    lost = await client.submit(light(50, seed=hanging_worker.LOST_SEED), user="bob")

    assert process.ended() == 1
    said = [line for line in map(json.loads, log.read_text().splitlines()) if line["level"] == "error"]
    assert [(line["job"], line["fault"]) for line in said] == [(lost.id, hanging_worker.FAULT)]
    assert "Traceback" in said[0]["exception"]  # of what broke off
    assert await workers.living(client.redis) == []
    fields = await client.jobs.fields(other.id)
    assert (fields["worker"], fields["deaths"]) == ("", "0")
    assert await client.jobs.start(lost.id, 0, 1, "the next worker") is not None
    assert (await client.jobs.fields(lost.id))["deaths"] == "1"
