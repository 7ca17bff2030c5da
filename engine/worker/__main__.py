"""`python -m engine.worker`: what `impasto worker` runs."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import TextIO

import structlog
from redis.exceptions import RedisError

from engine.contract.redis_check import await_redis
from engine.contract.settings import Settings, SettingsError, read_settings, unread_names
from engine.contract.store import Store, StoreError
from engine.painting.memory.allocator import keep_memory
from engine.process.exit import exit_now
from engine.process.logs import log_to
from engine.process.redaction import redact
from engine.recipe.recipe import RecipeError

_INTERRUPTED = 130


def main() -> int:
    """Run one worker; the exit status is 0 after an orderly end, 78 when the settings are wrong, else 1.

    It has said why where it is 78 or 1. After Ctrl-C before it is ready it is 130.
    """
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
        for sentence in unread_names():
            structlog.get_logger("impasto.worker").warning(sentence)
        if settings.redis_url is None:
            raise SettingsError("REDIS_URL is not set: a worker needs the Redis that its jobs come from.")
        asyncio.run(_work(settings))
    except SettingsError as error:
        print(redact(str(error)), file=sys.stderr)
        return os.EX_CONFIG
    except (RecipeError, StoreError) as error:
        print(redact(str(error)), file=sys.stderr)
        return 1
    except RedisError as error:
        print(redact(f"Redis cannot be used: {str(error).rstrip('.')}."), file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # as it starts; later Ctrl-C is a wish to end in order
        return _INTERRUPTED
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)  # the log gets all of it
        what, *_ = f"{type(error).__name__}: {error}".splitlines()
        print(redact(f"The worker broke off: {what}"), file=sys.stderr)
        return 1
    return 0


async def _work(settings: Settings) -> None:
    assert settings.redis_url is not None  # noqa: S101 - the caller has seen to it
    Store(settings.store)
    await await_redis(settings.redis_url)  # what is wrong is said before torch is loaded, which takes seconds
    gc.disable()  # what is imported stays: to look through it for rubbish takes a tenth of the start
    from engine.worker.main import work

    gc.freeze()
    gc.enable()
    status = await work(settings)
    # asyncio would wait for its threads, and one may still be at the film of a painting that was handed over
    exit_now(status)


def _log_file() -> TextIO:
    """Standard error, unless `IMPASTO_LOG` names a file: beside a live display there is no room for a log.

    Raises `SettingsError`.
    """
    path = os.environ.get("IMPASTO_LOG")
    try:
        return Path(path).open("a") if path else sys.stderr
    except OSError as error:
        raise SettingsError(f"The log cannot be written to IMPASTO_LOG, {path}: {error.strerror}.") from error


exit_now(main())
