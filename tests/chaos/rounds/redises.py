"""Redis dies, loses its last words, stands still, loads, is full, and may not be written to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from chaos.rounds.scene import Fault, Scene


def killed(seconds: float) -> Fault:
    async def fault(scene: Scene) -> None:
        async with scene.cluster.redis_down():
            await asyncio.sleep(seconds)

    return fault


async def cut(scene: Scene) -> None:
    """As after a power cut: the last commands, which were acknowledged, are gone."""
    async with scene.cluster.redis_down():
        scene.cluster.redis.cut(scene.load.dice.randint(1, 400))
        await asyncio.sleep(1)


def stopped(seconds: float) -> Fault:
    async def fault(scene: Scene) -> None:
        scene.cluster.redis.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        scene.cluster.redis.send(signal.SIGCONT)

    return fault


async def loading(scene: Scene) -> None:
    """It answers LOADING for some seconds."""
    async with _aside(scene) as redis:
        size = int((await redis.info("persistence"))["aof_current_size"])
    microseconds = min(20_000, 5_000_000 // max(1, size // 200))  # for each command that it reads back
    scene.cluster.redis.kill()
    scene.cluster.redis.launch("--key-load-delay", str(microseconds))
    await asyncio.sleep(8)


async def full(scene: Scene) -> None:
    async with _aside(scene) as redis:
        await redis.config_set("maxmemory", "1mb")
        await asyncio.sleep(8)
        await redis.config_set("maxmemory", "0")


async def read_only(scene: Scene) -> None:
    async with _aside(scene) as redis:
        await redis.config_set("min-replicas-to-write", "1")
        await asyncio.sleep(8)
        await redis.config_set("min-replicas-to-write", "0")


@asynccontextmanager
async def _aside(scene: Scene) -> AsyncIterator[Redis]:
    client = Redis.from_url(scene.cluster.redis.url)
    try:
        yield client
    finally:
        await client.aclose()


FAULTS: dict[str, Fault] = {
    "Redis is killed, back after 1 s": killed(1),
    "Redis is killed, back after 5 s": killed(5),
    "Redis is killed, back after 60 s": killed(60),
    "Redis is killed, and its file has lost its end": cut,
    "Redis stands still for 5 s": stopped(5),
    "Redis stands still for 20 s": stopped(20),
    "Redis is loading": loading,
    "Redis is out of memory": full,
    "Redis may not be written to": read_only,
}
