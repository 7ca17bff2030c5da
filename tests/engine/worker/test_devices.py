"""Devices as people name them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.jobs import light

from engine.contract.settings import SettingsError
from engine.recipe.recipe import RecipeError
from engine.worker.device import DRIVER_TOO_OLD, choose_device

OLD_DRIVER = """
int nvmlInit(void) { return 0; }
int nvmlDeviceGetCount_v2(int *count) { *count = 1; return 0; }
int cuInit(unsigned flags) { return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDriverGetVersion(int *version) { *version = 12020; return 0; }
"""
"""The functions that torch asks of NVIDIA's driver at first, as Debian 12's has them: one GPU, and CUDA 12.2."""


@pytest.fixture
def old_driver(tmp_path: Path) -> dict[str, str]:
    """An environment in which torch finds that driver."""
    if torch.version.cuda is None or (compiler := shutil.which("cc")) is None:
        pytest.skip("it takes a torch with CUDA, and a C compiler")
    (tmp_path / "driver.c").write_text(OLD_DRIVER)
    for name in ("libcuda.so.1", "libnvidia-ml.so.1"):
        subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / name, tmp_path / "driver.c"], check=True)
    path = str(Path(__file__).parents[3])
    return {**os.environ, "LD_LIBRARY_PATH": str(tmp_path), "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "0"}


def test_the_processor_is_always_there() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("toaster", "There is no device toaster"),
        ("meta", "There is no device meta"),
    ],
)
def test_what_is_no_device_is_a_wrong_setting(wanted: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        choose_device(wanted)


def test_a_gpu_may_come_back_where_pytorch_can_use_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    with pytest.raises(RecipeError, match="CUDA devices are usable here"):
        choose_device("cuda:77")
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    with pytest.raises(SettingsError, match="PyTorch was built without CUDA here"):
        choose_device("cuda:77")


def test_an_apple_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="no Apple GPU"):
        choose_device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == "mps"


@pytest.mark.long
@pytest.mark.parametrize("program", ["engine.worker", "engine.worker.fast_path_check", "engine.worker.device_speed"])
def test_a_driver_that_is_too_old_is_said_in_a_sentence(
    old_driver: dict[str, str], redis_server: str, tmp_path: Path, program: str
) -> None:
    device = ["--device", "cuda:0", "--weights", "random"] if program == "engine.worker" else ["cuda:0"]
    done = subprocess.run(
        [sys.executable, "-m", program, *device], input=json.dumps(light(2).as_dict()), cwd=tmp_path,
        env={**old_driver, "REDIS_URL": redis_server}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1 if program == "engine.worker.fast_path_check" else os.EX_CONFIG, "")
    assert done.stderr == f"{DRIVER_TOO_OLD}\n"


@pytest.mark.long
def test_auto_paints_on_the_processor_then_and_says_why(old_driver: dict[str, str]) -> None:
    script = "from engine.worker.device import choose_device; print(choose_device('auto'))"
    done = subprocess.run([sys.executable, "-c", script], env=old_driver, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("cpu\n", f"There is a GPU here, but the CPU paints: {DRIVER_TOO_OLD}\n")


@pytest.mark.parametrize(("capability", "code"), [((6, 1), "sm_75"), ((8, 9), "sm_90a"), ((9, 0), "sm_120")])
def test_a_gpu_that_is_too_old_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capability: tuple[int, int], code: str
) -> None:
    _with_a_gpu(monkeypatch, capability, [code, "sm_120", "compute_120"])
    least = {"sm_75": "7.5", "sm_90a": "9.0", "sm_120": "12.0"}[code]
    has = ".".join(map(str, capability))
    told = f"An old GPU is too old for this PyTorch: it has compute capability {has}, and {least}"
    with pytest.raises(SettingsError, match=told):
        choose_device("cuda")
    with caplog.at_level("WARNING"):
        assert choose_device("auto") == "cpu"
    assert caplog.messages[0].startswith(f"There is a GPU here, but the CPU paints: {told}")


@pytest.mark.parametrize("codes", [["sm_75", "sm_120"], ["gfx90a", "gfx1100"], []])
def test_a_gpu_that_is_no_older_than_pytorch_knows_is_taken(monkeypatch: pytest.MonkeyPatch, codes: list[str]) -> None:
    _with_a_gpu(monkeypatch, (7, 5), codes)
    assert (choose_device("cuda"), choose_device("auto")) == ("cuda", "cuda")


def _with_a_gpu(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], codes: list[str]) -> None:
    """As PyTorch tells of one, and of the GPUs that it was built for."""
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    for name, told in (
        ("device_count", 1), ("init", None), ("get_device_capability", capability), ("get_arch_list", codes),
        ("get_device_name", "An old GPU"),
    ):  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda *_, told=told: told)


def test_the_documents_name_what_torch_needs() -> None:
    """Branch 580 is CUDA 13's, Turing is compute capability 7.5, Ampere 8.0: another torch may need others."""
    if torch.version.cuda is None:
        pytest.skip("this torch has no CUDA")
    major, minor = torch.version.cuda.split(".")[:2]
    assert major == "13"
    codes = torch.cuda.PYTORCH_RELEASES_CODE_CC[f"{major}.{minor}"]
    assert (min(codes["x86_64"]), min(codes["aarch64"])) == (75, 80)
