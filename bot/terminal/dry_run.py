"""`impasto paint --dry-run`: the full recipe, the memory and the time that it expects."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

from bot.terminal.content_files import read_content
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.worker_process import require_torch
from bot.text.formatting import exact_duration
from engine.contract.settings import Settings
from engine.process.child_process import module_command
from engine.recipe import cost
from engine.recipe.recipe import Recipe


async def dry_run(arguments: PaintArguments, settings: Settings) -> int:
    """Print it all; returns the exit status. Raises `RecipeError`, `BadPicture` and `WorkerError`."""
    arguments.check(settings)
    content = read_content(arguments.content, still=arguments.still)
    expected = await arguments.expected(settings)
    picture = await content.take_in(arguments.fps)
    arguments = arguments.sized(picture)
    recipe = arguments.recipe_for(expected.weights, frames=picture.frames, network=expected.network)
    aspect = min(picture.width, picture.height) / max(picture.width, picture.height)
    for field, value in recipe.as_dict().items():
        print(f"{field:20} {', '.join(map(str, value)) if isinstance(value, tuple) else value}")
    scales = ", ".join(f"{count} iterations at {side} px" for side, count in recipe.plan()[: recipe.scales])
    further = f"; {recipe.frame_iterations} iterations for each of {recipe.frames - 1} further frames"
    print(f"{'plan':20} {scales}{further if recipe.frames > 1 else ''}")
    print(f"\nmemory               about {cost.peak_memory(recipe, aspect) / 2**30:.1f} GB")
    reply = await asyncio.to_thread(_measure, recipe, settings.impasto_device)
    if reply is None:
        print("time                 not known: it could not be measured")
        return 1
    seconds = cost.remaining_flops(recipe, aspect) / reply["flops_per_second"]
    print(
        f"time                 about {exact_duration(seconds)} of painting on {reply['device']}, as measured just now"
    )
    return 0


def _measure(recipe: Recipe, device: str) -> dict[str, Any] | None:
    """A few real iterations in a process of its own: the front has no torch."""
    require_torch()
    command = [*module_command("engine.worker.device_speed"), device]
    reply = subprocess.run(command, input=json.dumps(recipe.as_dict()), capture_output=True, text=True, check=False)
    if reply.returncode:
        print(reply.stderr.strip().splitlines()[-1] if reply.stderr else "", file=sys.stderr)
        return None
    answer: dict[str, Any] = json.loads(reply.stdout)
    return answer
