"""What a worker says when it cannot paint, or not without trouble."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from arq.connections import ArqRedis
from support.jobs import SLICE_TIMEOUT, JobClient, light, uncut_sha256
from support.workers import WorkerPool

from engine.contract import workers
from engine.contract.connection import connect
from engine.contract.events import Cancelled, Done, Failed, Notice, follow
from engine.contract.models import DEATHS, JobState, job_key
from engine.contract.reconcile import GRACE, reconcile
from engine.contract.store import Store
from engine.process.local_redis import embedded_redis
from engine.recipe.recipe import VERSION
from engine.worker.context import WorkerContext
from engine.worker.results.film import film_iterations


def start(redis_url: str, folder: Path, weights: str = "random", device: str = "cpu") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "engine.worker", "--weights", weights, "--device", device],
        env={**os.environ, "REDIS_URL": redis_url, "PYTHONPATH": str(Path(__file__).parents[3])},
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@asynccontextmanager
async def living(redis: ArqRedis, worker: workers.Worker) -> AsyncIterator[None]:
    """It has a heartbeat meanwhile, however long the machine takes."""
    await workers.beat(redis, worker)
    await redis.persist(f"impasto:worker:{worker.id}")
    try:
        yield
    finally:
        await workers.sign_off(redis, worker.id)


async def test_a_job_that_killed_three_workers_is_set_aside_by_the_fourth(busy_client: JobClient) -> None:
    job = await busy_client.submit(light(50), queued=False)
    for epoch in range(DEATHS):
        assert await busy_client.jobs.start(job.id, 0, epoch, "a worker that died") is not None
    await busy_client.queue.enqueue(job, 0, DEATHS, 1.0)
    (last,) = await busy_client.events(job)
    assert isinstance(last, Failed)
    assert last.reason == "The painting was set aside: 3 workers ended while on it."
    assert await busy_client.jobs.state(job.id) is JobState.QUARANTINED


async def test_a_recipe_that_this_worker_cannot_paint_fails_with_the_remedy(busy_client: JobClient) -> None:
    for recipe, sentence in (
        (light(50, weights="imagenet"), "start a worker with those weights"),
        (light(50, style_weights=(1.0, 1.0)), "The recipe weighs 2 styles, but 1 were given."),
    ):
        job = await busy_client.submit(recipe)
        (last,) = await busy_client.events(job)
        assert isinstance(last, Failed)
        assert sentence in last.reason
        assert await busy_client.jobs.state(job.id) is JobState.FAILED


async def test_a_painting_whose_pictures_are_gone_or_damaged_fails_with_the_remedy(busy_client: JobClient) -> None:
    for spoil in (busy_client.store.delete, partial(busy_client.store.put, data=b"no picture")):
        job = await busy_client.submit(light(50), queued=False)
        await spoil(job.content.key)
        await busy_client.queue.enqueue(job, 0, 0, 1.0)
        (last,) = await busy_client.events(job)
        assert isinstance(last, Failed)
        assert last.reason == "The pictures of this painting were lost (content.png): send them again."


@pytest.mark.long
async def test_a_job_of_a_newer_version_is_left_to_a_worker_that_knows_it_and_else_refused(
    busy_client: JobClient,
) -> None:
    redis, job = busy_client.redis, await busy_client.submit(light(50), queued=False)
    newer = job.model_dump(mode="json")
    newer["recipe"] |= {"version": VERSION + 1, "brush": "wide"}
    await redis.hset(job_key(job.id), "spec", json.dumps(newer))  # type: ignore[misc]
    able = workers.Worker(id="a newer one", device="cpu", weights="random", recipes=VERSION + 1)
    async with living(redis, able):
        await busy_client.queue.enqueue(job, 0, 0, 1.0)
        fields = await busy_client.given_back(job)
    assert (fields["state"], fields["deaths"]) == (JobState.PAINTING, "0")
    (last,) = await busy_client.events(job)
    assert isinstance(last, Failed)
    assert "newer version" in last.reason
    assert job.id not in await busy_client.jobs.open()


@pytest.mark.long
async def test_a_job_of_other_weights_is_left_to_a_worker_that_has_them_and_else_fails(busy_client: JobClient) -> None:
    redis, job = busy_client.redis, await busy_client.submit(light(50, weights="imagenet"), queued=False)
    able = workers.Worker(id="one with the pretrained ones", device="cpu", weights="imagenet")
    async with living(redis, able):
        await busy_client.queue.enqueue(job, 0, 0, 1.0)
        fields = await busy_client.given_back(job)
    assert (fields["state"], fields["deaths"]) == (JobState.PAINTING, "0")
    (last,) = await busy_client.events(job)
    assert isinstance(last, Failed)
    assert "start a worker with those weights" in last.reason


@pytest.mark.long
async def test_a_cancelled_job_of_other_weights_is_ended_by_anyone(busy_client: JobClient) -> None:
    job = await busy_client.submit(light(50, weights="imagenet"), queued=False)
    async with living(busy_client.redis, workers.Worker(id="a busy one", device="cpu", weights="imagenet")):
        await busy_client.queue.enqueue(job, 0, 0, 1.0)
        await busy_client.given_back(job)
        await busy_client.jobs.cancel(job.id)
        (last,) = await busy_client.events(job)
    assert isinstance(last, Cancelled)


@pytest.mark.long
async def test_a_store_that_goes_away_costs_the_job_a_slice_and_no_death(client: JobClient, pool: WorkerPool) -> None:
    pool.start_worker(seconds=0.1).ready()
    recipe = light(400, snapshots=tuple(range(5, 400, 5)))  # each is an event, and a look at the checkpoints
    job, store = await client.submit(recipe), pool.folder / "store"
    await client.until_it_has_checkpoints(job, 2)
    store.rename(store.with_name("away"))
    while True:  # the worker may make the folder anew at any moment
        try:
            store.touch(exist_ok=False)  # not even a folder can be made there
            break
        except FileExistsError:
            shutil.rmtree(store)
    async for _, event in follow(client.redis, job.id):
        if isinstance(event, Notice) and event.waits:
            break
    fields = await client.given_back(job)
    assert (fields["state"], fields["deaths"]) == (JobState.PAINTING, "0")
    store.unlink()
    store.with_name("away").rename(store)
    await client.redis.hincrbyfloat(job_key(job.id), "since", -GRACE - 1)  # type: ignore[misc]
    assert await reconcile(client.redis, 1.0, SLICE_TIMEOUT) == 1
    assert (await client.run(job))["final"]["sha256"] == uncut_sha256(recipe)


@pytest.mark.long
async def test_nothing_that_nobody_will_look_at_is_left_in_the_store(
    busy_client: JobClient, busy_pool: WorkerPool
) -> None:
    recipe = light(60, snapshots=(20,))
    job = await busy_client.submit(recipe, queued=False)
    folder = busy_pool.folder / "store" / "jobs" / job.id
    for name in ("checkpoint-00010-0.safetensors", "checkpoint-00010-0.safetensors#1", "snapshot-00030.png"):
        (folder / name).write_bytes(b"left by a worker that was killed")
    await busy_client.queue.enqueue(job, 0, 0, 1.0)
    run = await busy_client.run(job)
    done = await busy_client.jobs.outcome(job.id)
    assert isinstance(done, Done)
    await busy_client.run(await busy_client.submit(light(10)))  # it tidies after the last event
    frames = {f"frame-{iteration:05d}.jpg" for iteration in film_iterations(recipe)}
    snapshots = {f"snapshot-{snapshot['iteration']:05d}.png" for snapshot in run["snapshots"]}
    assert snapshots == {"snapshot-00020.png", "snapshot-00060.png"}
    kept = {key.rpartition("/")[2] for key in done.files.values()} | {"content.png", "style.png"}
    assert {path.name for path in folder.iterdir()} == kept | frames | snapshots


async def test_where_no_film_is_wanted_none_is_made_nor_its_frames(
    busy_client: JobClient, busy_pool: WorkerPool
) -> None:
    for vary in ([], [light(12), light(9)]):
        job = await busy_client.submit(light(12), vary=vary, film=False)
        await busy_client.run(job)
        done = await busy_client.jobs.outcome(job.id)
        assert isinstance(done, Done)
        assert done.files.keys() == {"final.png", "loss.png", "run.json", "checkpoint.safetensors"}
        folder = busy_pool.folder / "store" / "jobs" / job.id
        assert not [path.name for path in folder.iterdir() if "frame" in path.name or "film" in path.name]


async def test_a_step_back_is_told_at_once_and_recorded_with_the_step_that_followed(busy_client: JobClient) -> None:
    # So long a step explodes on every processor, before the last look, and too late for a fourth time.
    job = await busy_client.submit(light(25, optimiser="lbfgs", step=50.0, clamp=False, scales=1))
    run, story = await busy_client.run(job), await busy_client.events(job)
    steps = [back["step"] for back in run["rollbacks"]]
    assert steps
    assert steps == [25.0, 12.5, 6.25][: len(steps)]
    told = [(event.iteration, event.text) for event in story if isinstance(event, Notice)]
    assert [iteration for iteration, _ in told] == [back["iteration"] for back in run["rollbacks"]]
    assert all(back["reason"] in text for back, (_, text) in zip(run["rollbacks"], told, strict=True))


@pytest.mark.long
async def test_a_worker_asked_to_end_does_not_wait_for_a_redis_that_has_gone(tmp_path: Path) -> None:
    with embedded_redis(tmp_path / "redis") as url:
        pool = WorkerPool(url, tmp_path)
        process = pool.start_worker(seconds=60).ready()
        async with connect(url) as redis:
            client = JobClient(redis, Store(pool.store_url))
            job = await client.submit(light(50_000))
            await client.until(job, 1)
    process.send(signal.SIGTERM)
    assert process.ended() == 1


def test_a_worker_that_is_interrupted_as_it_starts_ends_without_a_word(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        worker = start(f"redis://127.0.0.1:{silent.getsockname()[1]}", tmp_path)
        connection, _ = silent.accept()
        with connection:
            worker.send_signal(signal.SIGINT)
            assert worker.communicate() == ("", "")
    assert worker.returncode == 130


def test_a_worker_with_an_address_of_no_redis_says_so_in_a_line(tmp_path: Path) -> None:
    worker = start("nonsense", tmp_path)
    out, err = worker.communicate()
    assert (worker.returncode, out) == (os.EX_CONFIG, "")
    (line,) = err.splitlines()
    assert line.startswith("The setting REDIS_URL is not usable: ")


@pytest.mark.long
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"device": "toaster"}, "There is no device toaster: use auto, cpu, mps, cuda or cuda:N."),
        (
            {"weights": "/nowhere.pth"},
            "The weights file /nowhere.pth cannot be read (no such file or directory): give ",
        ),
    ],
    ids=["device", "weights"],
)
def test_a_worker_whose_settings_are_wrong_ends_so_that_it_is_not_started_again(
    wrong: dict[str, str], sentence: str, tmp_path: Path, redis_server: str
) -> None:
    worker = start(redis_server, tmp_path, **wrong)
    out, err = worker.communicate()
    assert (worker.returncode, out) == (os.EX_CONFIG, "")
    (line,) = err.splitlines()
    assert line.startswith(sentence)


def test_where_nobody_reads_what_it_says_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails, too
    monkeypatch.setattr(sys, "stdout", full)
    WorkerContext.say(cast("WorkerContext", None), "painting")
    monkeypatch.undo()
    with suppress(OSError):
        full.close()
