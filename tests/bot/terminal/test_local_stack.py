"""The Redis and the worker that live as long as the command."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from pathlib import Path

import psutil
import pytest
from impasto_command import LIGHT, environment, left_over, make_room, run, start
from support.jobs import JobClient, light, uncut_sha256
from support.workers import ONE_THREAD

from bot.terminal import local_stack
from bot.terminal.local_stack import open_stack
from bot.terminal.worker_process import WorkerError, WorkerProcess
from engine.contract.settings import read_settings


@pytest.mark.long
async def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", "")
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    async with open_stack(read_settings(impasto_device="cpu"), tmp_path / "work", "random") as stack:
        os.kill(int(stack.worker.id.rpartition(":")[2]), signal.SIGKILL)
        client, recipe = JobClient(stack.redis, stack.store), light(20)
        run = await client.run(await client.submit(recipe))
        assert run["slices"][0]["worker"] != stack.worker.id
        assert run["final"]["sha256"] == uncut_sha256(recipe)
    monkeypatch.chdir("/")
    assert left_over(tmp_path) == []


@pytest.mark.long
async def test_a_worker_that_ends_at_once_is_no_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setattr(
        local_stack, "WorkerProcess", lambda _, environment, *_reasons: WorkerProcess(["/bin/false"], environment)
    )
    for _ in range(20):  # asyncio's quarrel over who reaps the child came in half of the runs
        with pytest.raises(WorkerError):
            async with open_stack(read_settings(), tmp_path, "random"):
                pass
    assert caplog.messages == []


async def test_a_worker_that_ends_without_words_is_told_with_the_last_line_of_its_log(tmp_path: Path) -> None:
    log = {**os.environ, "IMPASTO_LOG": str(tmp_path / "worker.log")}
    killed = ["sh", "-c", 'printf "first\\nlast\\n\\n" > "$IMPASTO_LOG"; kill -KILL $$']
    with pytest.raises(WorkerError) as told:
        await WorkerProcess(killed, log).start()
    assert str(told.value) == "The worker ended by signal 9 (Killed) before it was ready, and its log with: last"
    with pytest.raises(WorkerError, match=r"^The worker ended with status 7 before it was ready\.$"):
        await WorkerProcess(["sh", "-c", "exit 7"], log).start()  # the log's lines are of the one before


async def test_a_worker_that_cannot_be_started_again_is_told_with_the_reason(tmp_path: Path) -> None:
    once = ["sh", "-c", f"test -e '{tmp_path}/been' && exit 7; touch '{tmp_path}/been'; echo ready"]
    process = WorkerProcess(once, dict(os.environ))
    await process.start()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.Event().wait()
    assert process.lost == (
        "The worker ended and could not be started again. The worker ended with status 7 before it was ready."
    )


def test_a_worker_that_breaks_off_unexpectedly_as_it_starts_is_told_in_a_line(tmp_path: Path) -> None:
    room, library = make_room(tmp_path), tmp_path / "broken"
    library.mkdir()
    (library / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open shared object file')\n")
    reply = run(room, *LIGHT, "-o", "out", PYTHONPATH=os.pathsep.join([str(library), environment()["PYTHONPATH"]]))
    assert (reply.returncode, reply.stdout) == (1, "")
    assert reply.stderr == "The worker broke off: OSError: libcudart.so.12: cannot open shared object file\n"
    assert not (room / "out").exists()


@pytest.mark.long
def test_nothing_goes_on_when_the_command_itself_is_killed(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    process = start(room, *LIGHT, "--iterations", "90000", "--snapshots", "10", "-o", "out")
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("iteration 10:"))
    children = [os.pidfd_open(child.pid) for child in psutil.Process(process.pid).children()]
    assert len(children) == 2  # Redis and the worker
    process.kill()
    process.communicate()
    for child in children:
        select.select([child], [], [])  # until it has ended
        os.close(child)
    assert left_over(room) == []
