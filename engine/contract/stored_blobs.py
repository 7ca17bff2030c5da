"""What Redis knew to be in a store, noted there so that the sweep may delete it once Redis has forgotten whose it was.

The notes are of one store each, by its identity: whoever looks into another one, or into a folder that is not mounted,
finds none, and takes none away.
"""

from __future__ import annotations

from typing import Any

from arq.connections import ArqRedis

from engine.contract.store import Store


def owner_of(key: str) -> str:
    """What the blob belongs to: its job's folder, `jobs/<id>`, or for a saved style's picture its own key."""
    return "/".join(key.split("/")[:2]) if key.startswith("jobs/") else key


async def note(redis: ArqRedis, store: Store, *keys: str) -> None:
    """Note whose blobs these are, which the store has or is about to be given. Raises `StoreError`."""
    if keys:
        identity = await store.known_identity() or await store.identity()
        await redis.sadd(_noted_key(identity), *map(owner_of, keys))  # type: ignore[misc]


async def noted(redis: ArqRedis, store: Store) -> set[str]:
    """Whose blobs were noted. Raises `StoreError`."""
    members: Any = await redis.smembers(_noted_key(await store.known_identity()))  # type: ignore[misc]
    return {member.decode(errors="replace") for member in members}


async def strike(redis: ArqRedis, store: Store, *owners: str) -> None:
    """Take the notes away of owners of which the store has nothing any more. Raises `StoreError`."""
    if owners:
        await redis.srem(_noted_key(await store.known_identity()), *owners)  # type: ignore[misc]


def _noted_key(identity: str) -> str:
    return f"impasto:stored:{identity}"
