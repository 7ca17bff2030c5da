"""Workers are told apart, wherever they run."""

from __future__ import annotations

from pathlib import Path

from arq.connections import ArqRedis

from engine.contract.settings import read_settings
from engine.worker.context import WorkerContext
from engine.worker.weights.named_weights import load_weights


async def test_machines_that_are_copies_of_one_another_have_workers_of_different_names(
    redis: ArqRedis, tmp_path: Path
) -> None:
    """Here both have this machine's name, and this process's number: as containers with the host's network do."""
    settings, weights = read_settings(store_url=tmp_path.as_uri()), load_weights("random", tmp_path)
    one, other = (WorkerContext(settings, redis, weights, "cpu") for _ in range(2))
    assert one.id != other.id
