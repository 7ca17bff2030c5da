"""What the doctor says of weights: those of the workers, and those of the settings."""

from __future__ import annotations

import asyncio
import os
import select
import sys
from pathlib import Path

import pytest
from redis import Redis
from torchvision_files import ours, saved

from bot.settings import BotSettings, read_bot_settings
from bot.terminal.doctor import CHECKS
from engine.contract import workers
from engine.contract.settings import WEIGHTS_CACHED, SettingsError
from engine.monitoring import Ill


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def settings(weights: str = "auto", redis_url: str | None = None) -> BotSettings:
    return read_bot_settings(discord_token="a.token", impasto_weights=weights, redis_url=redis_url)


async def test_where_weights_are_stand_ins_it_says_what_to_do() -> None:
    assert await CHECKS["weights"](settings()) == (
        "auto; not cached here: `impasto weights fetch`, where a worker runs, gets the pretrained ones, else a worker "
        "tries to at its start; if it cannot, `starter` stands in"
    )
    assert await CHECKS["weights"](settings("starter")) == "starter, a stand-in, as asked by IMPASTO_WEIGHTS"
    cache = settings().impasto_cache
    cache.mkdir(parents=True)
    (cache / WEIGHTS_CACHED).symlink_to("gone")
    assert (await CHECKS["weights"](settings())).startswith("auto; not cached here: ")
    (cache / "gone").touch()
    assert await CHECKS["weights"](settings()) == "auto; the pretrained ones are cached here"


@pytest.mark.long
async def test_it_says_what_a_file_is_or_why_it_cannot_be_used(tmp_path: Path) -> None:
    path = saved(ours(2, 2, 3, 3, 3), tmp_path / "mine.pth")
    said = await CHECKS["weights"](settings(str(path)))
    assert said.endswith(", VGG16 of other widths: 13 layers, conv1_1 to conv5_3, with torchvision's input")
    path.write_text("<html>")
    with pytest.raises(SettingsError, match=r"holds no plain state dict: give the path of"):
        await CHECKS["weights"](settings(str(path)))


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="of what cannot be read just now, Linux has an example")
async def test_what_may_pass_by_itself_is_no_wrong_setting() -> None:
    with pytest.raises(Ill, match="The weights file /proc/self/mem cannot be read"):
        await CHECKS["weights"](settings("/proc/self/mem"))


async def test_a_check_that_is_given_up_leaves_no_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "begun")
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho $$ >'{tmp_path}/begun'\nexec sleep 600\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    checking = asyncio.ensure_future(CHECKS["GPU"](settings()))
    child = os.pidfd_open(int(await asyncio.to_thread((tmp_path / "begun").read_text)))
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    ended, _, _ = await asyncio.to_thread(select.select, [child], [], [], 20)
    assert ended == [child]
    os.close(child)


async def test_where_there_is_no_torch_a_file_is_left_to_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else name)
    said = await CHECKS["weights"](settings("/data/vgg16.pth"))
    assert said == "/data/vgg16.pth, a file; only a worker can look into it"


async def test_it_says_what_each_worker_paints_with_and_how(empty_redis_url: str) -> None:
    made = [
        workers.Worker(id="w1", device="cpu: fast", weights="starter"),
        workers.Worker(id="w2", device="cuda: new", weights="sha256:1", input="caffe", slow="its losses are 20% off"),
    ]
    with Redis.from_url(empty_redis_url) as redis:
        for worker in made:
            redis.set(f"impasto:worker:{worker.id}", worker.model_dump_json(), ex=60)
        said = await CHECKS["workers"](settings(redis_url=empty_redis_url))
    assert set(said.split("; ")) == {
        "cpu: fast, starter weights, a stand-in (`impasto weights fetch`, where a worker runs, gets the pretrained "
        "ones",
        "then start it anew)",
        "cuda: new, sha256:1 weights, read from Caffe's, painted the slow way, for the fast one is wrong there: "
        "its losses are 20% off",
    }


async def test_a_gpu_that_torch_does_not_see_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'A GPU, 80 GB'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(Ill, match="cuda was asked for, but "):
        await CHECKS["GPU"](settings())
