"""Which application of Discord's a Redis is of: two on one would take each other's events and stop the other's jobs."""

from __future__ import annotations

from arq.connections import ArqRedis

from engine.contract.settings import SettingsError

APPLICATION = "impasto:application"
"""The key of the id of the application that has the Redis."""


async def claim_redis(redis: ArqRedis, application: int) -> None:
    """Note that the Redis is this application's. Raises `SettingsError` where it is another's already."""
    await redis.set(APPLICATION, application, nx=True)
    if trouble := await trouble_with_application(redis, application):
        raise SettingsError(trouble)


async def trouble_with_application(redis: ArqRedis, application: int) -> str:
    """What is wrong and what to do, where the Redis is another application's; else empty."""
    known = await redis.get(APPLICATION)
    if known in (None, str(application).encode()):
        return ""
    return (
        f"The Redis at REDIS_URL is that of the Discord application {known.decode(errors='replace')}, and this token "
        f"is of {application}: give each a database of its own (redis://host:6379/1), or, where this one is to take "
        f"the other's place, run `redis-cli del {APPLICATION}`."
    )


async def give_up_redis(redis: ArqRedis) -> None:
    """Let whichever application comes next have the Redis."""
    await redis.delete(APPLICATION)
