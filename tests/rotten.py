"""What somebody who can write to Redis may leave in a key: nothing of it is what belongs there."""

from __future__ import annotations

from arq.connections import ArqRedis

ROTTEN = {
    "empty": b"",
    "no JSON": b"\x80\x04\x95\x00",  # how a pickle begins
    "no text": b"\xff\xfe",
    "too deep": b"[" * 100_000,
    "deep and closed": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "too large": b'{"x": "' + b"x" * 3_000_000 + b'"}',
    "another type": b"5",
    "nothing": b"null",
    "a list": b"[1, 2]",
    "an empty object": b"{}",
}


async def other_kinds(redis: ArqRedis, name: str) -> None:
    """Two keys that begin with `name`, and hold what is neither a text nor a hash."""
    await redis.rpush(f"{name}list", "x")  # type: ignore[misc]
    await redis.xadd(f"{name}stream", {"x": "y"})
