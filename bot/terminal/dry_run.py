"""`impasto paint --dry-run`: the full recipe, the memory and the time that it expects."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

from bot import intake
from bot.terminal.content_files import read_content
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.paint_job import note_on_size, take_in
from bot.terminal.worker_process import WorkerError, require_torch
from bot.text.formatting import exact_duration
from engine.contract.settings import Settings, SettingsError
from engine.process.child_process import module_command
from engine.recipe import cost
from engine.recipe.recipe import Recipe


async def dry_run(arguments: PaintArguments, settings: Settings, *, as_json: bool) -> int:
    """Print it all; returns the exit status.

    Raises `RecipeError`, `BadPicture`, `WorkerError` and `SettingsError`, where painting would.
    """
    arguments.check(settings)
    content = read_content(arguments.content, still=arguments.still)
    blobs = [intake.read_picture_file(path) for path in arguments.files]
    expected = await arguments.expected(settings)
    picture, *_ = await take_in(content, arguments, blobs)
    recipe = arguments.sized(picture).recipe_for(expected.weights, frames=picture.frames, network=expected.network)
    if note := note_on_size(arguments, recipe, picture):
        print(note, file=sys.stderr)
    aspect = min(picture.width, picture.height) / max(picture.width, picture.height)
    memory = cost.peak_memory(recipe, aspect)
    device, speed = await asyncio.to_thread(_measure, recipe, settings.impasto_device) or (None, None)
    seconds = None if speed is None else cost.remaining_flops(recipe, aspect) / speed
    if as_json:
        plan = [{"size": side, "iterations": count} for side, count in recipe.plan()]
        known = {"plan": plan, "memory_bytes": round(memory), "seconds": seconds, "device": device}
        print(json.dumps({"kind": "dry_run", "recipe": recipe.as_dict(), **known}))
    else:
        _tell(recipe, memory)
        if seconds is None:
            print("time                 not known: it could not be measured")
        else:
            print(f"time                 about {exact_duration(seconds)} of painting on {device}, as measured just now")
    return int(seconds is None)


def _tell(recipe: Recipe, memory: float) -> None:
    for field, value in recipe.as_dict().items():
        print(f"{field:20} {', '.join(map(str, value)) if isinstance(value, tuple) else value}")
    scales = ", ".join(f"{count} iterations at {side} px" for side, count in recipe.plan()[: recipe.scales])
    further = f"; {recipe.frame_iterations} iterations for each of {recipe.frames - 1} further frames"
    print(f"{'plan':20} {scales}{further if recipe.frames > 1 else ''}")
    print(f"\nmemory               about {memory / 2**30:.1f} GB")


def _measure(recipe: Recipe, device: str) -> tuple[str, float] | None:
    """The device in words, and its operations per second; None where they cannot be measured, which is told.

    A few real iterations in a process of its own: the front has no torch. Raises `SettingsError`.
    """
    try:
        require_torch()
    except WorkerError as missing:
        print(missing, file=sys.stderr)
        return None
    command = [*module_command("engine.worker.device_speed"), device]
    reply = subprocess.run(command, input=json.dumps(recipe.as_dict()), capture_output=True, text=True, check=False)
    if reply.returncode:
        said = reply.stderr.strip().splitlines()[-1] if reply.stderr else ""
        if reply.returncode == os.EX_CONFIG:
            raise SettingsError(said)
        print(said, file=sys.stderr)
        return None
    answer: dict[str, Any] = json.loads(reply.stdout)
    return answer["device"], answer["flops_per_second"]
