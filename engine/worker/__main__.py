"""`python -m engine.worker`: what `impasto worker` runs."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TextIO

from redis.exceptions import RedisError

from engine.contract.settings import Settings, SettingsError, read_settings
from engine.contract.store import StoreError
from engine.painting.memory.allocator import keep_memory
from engine.process.exit import exit_now
from engine.process.logs import log_to
from engine.process.redaction import redact
from engine.recipe.recipe import RecipeError
from engine.worker import self_check
from engine.worker.context import WorkerContext
from engine.worker.main import run_worker
from engine.worker.weights.file import WeightsError
from engine.worker.weights.load import in_words


def main() -> int:
    """Run one worker; the exit status is 0 after an orderly end, 78 when the settings are wrong, else 1."""
    keep_memory()
    parser = argparse.ArgumentParser("impasto worker")
    parser.add_argument("--device", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--weights", help="auto, imagenet, starter, random, or the path of a file")
    parser.add_argument("--weights-input", help="what a file's weights expect: auto, torchvision or caffe")
    options = parser.parse_args()
    try:
        log = _log_file()
        log_to(log)
        settings = read_settings(
            impasto_device=options.device, impasto_weights=options.weights, impasto_weights_input=options.weights_input
        )
        log_to(log, settings.impasto_log_level, settings.impasto_log_format)
        if settings.redis_url is None:
            raise SettingsError("REDIS_URL is not set: a worker needs the Redis that its jobs come from.")
        asyncio.run(_work(settings))
    except SettingsError as error:
        print(redact(str(error)), file=sys.stderr)
        return os.EX_CONFIG
    except (WeightsError, RecipeError, StoreError) as error:
        print(redact(str(error)), file=sys.stderr)
        return 1
    except (RedisError, OSError) as error:
        print(redact(f"Redis cannot be used: {str(error).rstrip('.')}."), file=sys.stderr)
        return 1
    return 0


async def _work(settings: Settings) -> None:
    await run_worker(settings, _say_ready)
    exit_now(
        0
    )  # asyncio would wait for its threads, and one may still be at the film of a painting that was handed over


def _log_file() -> TextIO:
    """Standard error, unless `IMPASTO_LOG` names a file: beside a live display there is no room for a log.

    Raises `SettingsError`.
    """
    path = os.environ.get("IMPASTO_LOG")
    try:
        return Path(path).open("a") if path else sys.stderr
    except OSError as error:
        raise SettingsError(f"The log cannot be written to IMPASTO_LOG, {path}: {error.strerror}.") from error


def _say_ready(context: WorkerContext) -> None:
    context.say(f"ready: {context.id} paints on {context.device_name} with {in_words(context.weights)}")
    if context.slow:
        context.say(f"{context.id}: {self_check.in_words(context.slow)}")


exit_now(main())
