"""What a file of weights is, asked of a process that has torch: the front has none."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE

from pydantic import BaseModel

from bot.child_signals import outcome
from bot.terminal.worker_process import WorkerError, require_torch
from engine.contract.settings import SettingsError
from engine.process.child_process import module_command


class WeightsFile(BaseModel):
    """What is known of a file of weights that can be used."""

    name: str
    """`sha256:<16 hex digits>` of its tensors, as recipes call it."""
    network: str
    """The weights' architecture, as in `Recipe.network`."""
    words: str
    """The weights in words, for people."""
    input: str
    """Which network's input the weights expect: `torchvision` or `caffe`."""


async def inspect_weights(path: str, weights_input: str) -> WeightsFile:
    """What lies at `path`, taken for `weights_input` (auto, torchvision or caffe).

    Raises `SettingsError` where it cannot be used, and `WorkerError` where it cannot be read just now.
    """
    require_torch()
    command = [*module_command("engine.worker.weights.command"), "check", "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, "--weights-input", weights_input, "--", path, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    out, err = await outcome(process)
    if process.returncode:
        said = err.decode(errors="replace").strip().splitlines()
        kind = SettingsError if process.returncode == os.EX_CONFIG else WorkerError
        raise kind(said[-1] if said else f"The weights file {path} cannot be looked at: try again.")
    return WeightsFile.model_validate_json(out)
