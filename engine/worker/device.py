"""The device that a worker paints on: which one was asked for, and what it is called."""

from __future__ import annotations

import logging
import platform
import re
from pathlib import Path

import torch

from engine.contract.settings import SettingsError
from engine.recipe.recipe import RecipeError

DRIVER_TOO_OLD = "NVIDIA's driver here is too old for this PyTorch: install branch 580 or later, or use --device cpu."

_log = logging.getLogger(__name__)


def choose_device(wanted: str) -> str:
    """`auto`, `cpu`, `mps`, `cuda` or `cuda:N` as a device that is there.

    Raises, with one sentence, `SettingsError` where it cannot ever be there, and `RecipeError` where it may come back.
    """
    if wanted == "auto":
        return "cuda" if _finds_gpu() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "mps", "cuda"):
        raise SettingsError(f"There is no device {wanted}: use auto, cpu, mps, cuda or cuda:N.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("mps was asked for, but there is no Apple GPU here: use --device cpu.")
    if device.type == "cuda" and not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        raise SettingsError(f"{wanted} was asked for, but PyTorch was built without CUDA here: use --device cpu.")
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        raise RecipeError(f"{wanted} was asked for, but {count} CUDA devices are usable here: use --device cpu.")
    if device.type == "cuda":
        _start_cuda(device.index or 0)
    return wanted


def _finds_gpu() -> bool:
    """Whether there is one that can be used; in the log, why one that is there cannot."""
    if not torch.cuda.device_count():
        return False
    try:
        _start_cuda(0)
    except (SettingsError, RecipeError) as error:
        _log.warning(f"There is a GPU here, but the CPU paints: {error}")
        return False
    return True


def _start_cuda(index: int) -> None:
    """Raises, as `choose_device` does, where CUDA does not start: also a driver that is too old counts its GPUs.

    So does a GPU for which this PyTorch has no code: its first computation would fail.
    """
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, torch.cuda.DeferredCudaCallError) as error:
        why = str(error).partition("\n")[0].rstrip(".")
        if "driver on your system is too old" in why:
            raise SettingsError(DRIVER_TOO_OLD) from error
        raise RecipeError(f"CUDA does not start here: {why}.") from error
    major, minor = torch.cuda.get_device_capability(index)
    if (major, minor) < (oldest := _oldest_capability()):
        raise SettingsError(
            f"{torch.cuda.get_device_name(index)} is too old for this PyTorch: it has compute capability "
            f"{major}.{minor}, and {oldest[0]}.{oldest[1]} is the least. Use a newer GPU, or --device cpu."
        )


def _oldest_capability() -> tuple[int, int]:
    """The least compute capability that PyTorch was built for here; (0, 0) where it does not say, as for AMD's GPUs."""
    numbers = [int(found[1]) for name in torch.cuda.get_arch_list() if (found := re.match(r"sm_(\d+)", name))]
    return divmod(min(numbers, default=0), 10)


def describe(device: torch.device) -> str:
    """The device in words, its kind first: `cpu: AMD EPYC, 2 threads`."""
    if device.type == "cuda":
        return f"{device}: {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads()
    return f"{device}: {_cpu_model()}, {threads} {'thread' if threads == 1 else 'threads'}"


def fault_of(device: torch.device) -> str:
    """Why the device does nothing more for this process, in CUDA's words; empty where it does.

    After some errors, such as an illegal access, CUDA refuses whatever else the process asks of it.
    """
    if device.type == "cuda":
        try:
            torch.cuda.synchronize(device)
        except RuntimeError as error:
            return str(error).partition("\n")[0]
    return ""


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
