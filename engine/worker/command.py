"""What `python -m engine.worker` goes on to once its settings are sound: all that imports torch."""

from __future__ import annotations

import os
import sys

from engine.contract.settings import Settings
from engine.process.redaction import redact
from engine.worker import fast_path_check
from engine.worker.context import WorkerContext
from engine.worker.main import run_worker
from engine.worker.weights.load import in_words
from engine.worker.weights.weights_file import WeightsError, WrongWeights


async def work(settings: Settings) -> int:
    """Run one worker until it is asked to end; the exit status. Raises what `run_worker` does, but `WeightsError`."""
    try:
        await run_worker(settings, _say_ready)
    except WeightsError as error:
        print(redact(str(error)), file=sys.stderr)
        return os.EX_CONFIG if isinstance(error, WrongWeights) else 1
    return 0


def _say_ready(context: WorkerContext) -> None:
    context.say(f"ready: {context.id} paints on {context.device_name} with {in_words(context.weights)}")
    if context.slow:
        context.say(f"{context.id}: {fast_path_check.in_words(context.slow)}")
