"""`impasto doctor`: all that the bot stands on, a line each."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import discord
from arq.connections import ArqRedis
from discord import app_commands
from redis.exceptions import RedisError

from bot.child_signals import outcome
from bot.client import INTENTS
from bot.commands import add_commands
from bot.discord_api.private_api import api_url
from bot.discord_api.proxy import proxy_for, proxy_trouble
from bot.lifecycle.application import trouble_with_application
from bot.settings import BotSettings
from bot.terminal.local_stack import DIFFERENT_STORES
from bot.terminal.serve import NOT_ACCEPTED
from bot.terminal.weights_check import inspect_weights
from bot.terminal.worker_process import WorkerError, has_torch
from engine.contract import workers
from engine.contract.connection import connect
from engine.contract.redis_check import RedisAway, check_redis
from engine.contract.settings import SettingsError, unread_names
from engine.contract.store import Store, StoreError, StoreRefused
from engine.contract.store_users import ANOTHER_REDIS, users
from engine.monitoring import Ill
from engine.process.child_process import module_command
from engine.process.redaction import redact
from engine.recipe.presets import STAND_INS

_PATIENCE = 9.0  # s for each check
_LONGER = {"weights": 60.0, "GPU": 120.0}  # s; torch is loaded, and on a GPU painted with
_LITTLE = 5 * 2**30  # bytes of free disk
_MARKS = {0: "ok ", None: "-- "}
_REMEDY = "`impasto weights fetch`, where a worker runs, gets the pretrained ones"


Examination = Callable[[BotSettings], Awaitable[str]]
"""Returns what is well in a few words; raises `Ill`, or `_NotHere`."""


class _NotHere(Exception):
    """Why it cannot be looked at from here, where it need not be."""


async def examine(settings: BotSettings) -> int:
    """Print a line for each check; 0 when all that was looked at is well, 78 when a setting is wrong, else 1."""
    # At once, so that none waits for another's patience; told in order.
    found = {name: asyncio.create_task(_result(name, check, settings)) for name, check in CHECKS.items()}
    statuses = []
    for name, finding in found.items():
        status, text = await finding
        print(redact(f"{_MARKS.get(status, 'BAD')}  {name:9} {text}"), flush=True)
        statuses.append(status or 0)
    return max(statuses)


async def _result(name: str, check: Examination, settings: BotSettings) -> tuple[int | None, str]:
    """The exit status that the check calls for, None where nothing was looked at, and its words."""
    try:
        async with asyncio.timeout(patience := _LONGER.get(name, _PATIENCE)):
            return 0, await check(settings)
    except _NotHere as why:
        return None, str(why)
    except (Ill, RedisAway) as ill:
        return 1, str(ill)
    except SettingsError as wrong:
        return os.EX_CONFIG, str(wrong)
    except TimeoutError:
        return 1, f"no answer within {patience:g} s"


async def _settings(_settings: BotSettings) -> str:
    if unread := unread_names(BotSettings.model_fields):
        raise SettingsError(" ".join(unread))
    return "every name in the environment is known"


async def _token(settings: BotSettings) -> str:
    async with _logged_in(settings) as client:
        if trouble := await _trouble_with_redis(settings, client):
            raise SettingsError(trouble)
        return f"Discord knows it as {client.user}"


async def _trouble_with_redis(settings: BotSettings, client: discord.Client) -> str:
    """What is wrong where the Redis is another bot's; empty where it cannot be asked: that has a check of its own."""
    with suppress(SettingsError, RedisError, OSError, TimeoutError):
        if settings.redis_url is not None and client.application_id is not None:
            async with asyncio.timeout(_PATIENCE / 2), connect(settings.redis_url, retries=0) as redis:
                return await trouble_with_application(redis, client.application_id)
    return ""


async def _intents(_settings: BotSettings) -> str:
    return f"{', '.join(name for name, on in INTENTS if on)}; none of them needs Discord's approval"


async def _commands(settings: BotSettings) -> str:
    async with _logged_in(settings) as client:
        tree = app_commands.CommandTree(client)
        add_commands(tree)
        known = {command.name for command in await tree.fetch_commands()}
        if not known:
            return "Discord was not told them yet: the bot does it at its start"
        missing = sorted({command.name for command in tree.get_commands()} - known)
        if missing:
            raise Ill(f"Discord does not know {', '.join(missing)} yet: start the bot anew, which tells it.")
        return f"Discord knows all {len(known)}"


@asynccontextmanager
async def _logged_in(settings: BotSettings) -> AsyncIterator[discord.Client]:
    """A client that can ask, but has no gateway and runs nothing."""
    if not settings.discord_token.get_secret_value():
        raise _NotHere("DISCORD_TOKEN is not set here: only the bot needs it")
    try:
        async with discord.Client(intents=discord.Intents.none(), proxy=proxy_for(api_url())) as client:
            await client.login(settings.discord_token.get_secret_value())
            yield client
    except discord.LoginFailure:
        raise SettingsError(NOT_ACCEPTED) from None
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        raise Ill(f"Discord cannot be reached: {proxy_trouble(error) or _plain(error)}.") from error


async def _redis(settings: BotSettings) -> str:
    if settings.redis_url is None:
        return "REDIS_URL is not set: `impasto up` brings its own"
    await check_redis(settings.redis_url)
    try:
        async with connect(settings.redis_url, retries=1) as redis:
            server, kept = await redis.info("server"), await redis.info("persistence")
            policy = (await redis.info("memory"))["maxmemory_policy"]
    except (RedisError, OSError) as error:
        raise Ill(f"Redis cannot be asked how it is set up: {_plain(error)}.") from error
    if not kept["aof_enabled"]:
        raise Ill(
            "It forgets what was accepted when it is restarted: give it `redis-cli config set appendonly yes` and then "
            "`redis-cli config rewrite` while it runs, for a restart with that newly in its file begins empty."
        )
    if policy != "noeviction":
        raise Ill(
            f"It throws out what was accepted when its memory is full ({policy}): set maxmemory-policy to noeviction."
        )
    # Valkey also tells a version of Redis, that of the commands it knows.
    version = f"Valkey {server['valkey_version']}" if "valkey_version" in server else f"Redis {server['redis_version']}"
    return f"{version}, append-only file on"


def _plain(error: Exception) -> str:
    """The error's text without the full stop that some have and some have not."""
    return str(error).rstrip(".")


async def _store(settings: BotSettings) -> str:
    probe, key = secrets.token_bytes(1024), f"doctor/{secrets.token_hex(8)}"
    try:
        store = Store(settings.store)
        await store.prove()
        await store.put(key, probe)
        same = await store.get(key) == probe
        await store.delete(key)
    except StoreRefused as error:
        raise SettingsError(str(error)) from error
    except StoreError as error:
        raise Ill(str(error)) from error
    if not same:
        raise Ill(f"{settings.store} does not give back what was put there: check STORE_URL.")
    return f"{settings.store.partition('?')[0]} takes and gives"


async def _workers(settings: BotSettings) -> str:
    if settings.redis_url is None:
        return "`impasto up` brings its own"
    try:
        await check_redis(settings.redis_url)
        async with connect(settings.redis_url, retries=1) as redis:
            living = await workers.living(redis)
            await _same_store(settings, redis, living)
    except (RedisError, OSError, RedisAway, SettingsError) as error:
        raise Ill("Redis cannot be used, and only it knows.") from error
    if not living:
        raise Ill("None is there: start one with `impasto worker`.")
    return "; ".join(f"{worker.device}, {_of(worker)}{_way(worker)}" for worker in living)


async def _same_store(settings: BotSettings, redis: ArqRedis, living: list[workers.Worker]) -> None:
    with suppress(StoreError, SettingsError):  # that is said elsewhere
        store = Store(settings.store)
        if strangers := workers.elsewhere(living, await store.prove()):
            raise Ill(f"{', '.join(worker.id for worker in strangers)}: {DIFFERENT_STORES}")
        if (await users(redis, store)).others:
            raise Ill(ANOTHER_REDIS)


def _of(worker: workers.Worker) -> str:
    """The worker's weights in words, and what to do where they are stand-ins."""
    if worker.weights in STAND_INS:
        return f"{worker.weights} weights, a stand-in ({_REMEDY}; then start it anew)"
    return f"{worker.weights} weights" + (", read from Caffe's" if worker.input == "caffe" else "")


def _way(worker: workers.Worker) -> str:
    return f", painted the slow way, for the fast one is wrong there: {worker.slow}" if worker.slow else ""


async def _weights(settings: BotSettings) -> str:
    wanted = settings.impasto_weights
    if wanted in STAND_INS:
        return f"{wanted}, a stand-in, as asked by IMPASTO_WEIGHTS"
    if wanted in ("auto", "imagenet"):
        if settings.weights_cached:
            return f"{wanted}; the pretrained ones are cached here"
        last = "; if it cannot, `starter` stands in" if wanted == "auto" else ""
        return f"{wanted}; not cached here: {_REMEDY}, else a worker tries to at its start{last}"
    if not has_torch():
        return f"{wanted}, a file; only a worker can look into it"
    try:
        file = await inspect_weights(wanted, settings.impasto_weights_input)
    except WorkerError as error:
        raise Ill(str(error)) from error
    return f"{file.name}, {file.words}, with {file.input}'s input"


async def _gpu(_settings: BotSettings) -> str:
    if not has_torch():
        raise _NotHere("not to be seen from here, where no worker can run: run `impasto doctor` beside the workers")
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "none here (no NVIDIA driver); workers here paint on the CPU"
    process = await asyncio.create_subprocess_exec(
        tool, "--query-gpu=name,memory.total", "--format=csv,noheader", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await outcome(process)
    if process.returncode:
        raise Ill("nvidia-smi fails: check the driver.")
    return "; ".join(said.decode().split("\n")).strip("; ") + await _tried()


async def _tried() -> str:
    """What came of painting a little on the first GPU, where a worker could be started here."""
    command = [*module_command("engine.worker.fast_path_check"), "cuda"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, err = await outcome(process)
    if process.returncode == 0:
        return f"; {said.decode().strip()}"
    raise Ill(err.decode(errors="replace").strip().rpartition("\n")[2])


async def _disk(settings: BotSettings) -> str:
    free = shutil.disk_usage(settings.data_folder()).free
    if free < _LITTLE:
        raise Ill(f"{free / 2**30:.1f} GB free in {settings.impasto_data}: make room, 5 GB at least.")
    return f"{free / 2**30:.0f} GB free in {settings.impasto_data}"


CHECKS: dict[str, Examination] = {
    "settings": _settings,
    "token": _token,
    "intents": _intents,
    "commands": _commands,
    "Redis": _redis,
    "store": _store,
    "workers": _workers,
    "weights": _weights,
    "GPU": _gpu,
    "disk": _disk,
}
"""The checks by name, in the order in which their results are told."""
