"""Which Redis databases use a store: each signs there, so that none takes for nobody's what another may know."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import NamedTuple

from arq.connections import ArqRedis

from engine.contract.store import Blob, Store

_NAME = "impasto:name"
"""What this Redis signs with. Who loses its data, or counts to another database, has another name or none."""
_FOLDER = "used-by/"
_OURS = re.compile(rf"{_FOLDER}[0-9a-f]{{16}}")
ANOTHER_REDIS = (
    "Another Redis signed in this store too, so what this one never knew is not deleted: correct REDIS_URL if it is "
    "wrong, and give each bot a store of its own; if the other Redis is gone for good, give `impasto gc --adopt`."
)


class Users(NamedTuple):
    """`since` is when this Redis signed, None where it has not; `others` says whether any other has."""

    since: datetime | None
    others: bool


async def users(redis: ArqRedis, store: Store) -> Users:
    """Who uses the store; changes nothing. Raises `StoreError`."""
    name: bytes | None = await redis.get(_NAME)
    signed = {blob.key: blob.modified for blob in await _signatures(store)}
    mine = signed.pop(_signature(name), None) if name else None
    return Users(mine, bool(signed))


async def sign(redis: ArqRedis, store: Store) -> None:
    """Sign for this Redis, unless it has: when it first did is what counts. Raises `StoreError`."""
    await redis.setnx(_NAME, secrets.token_hex(8))
    if (await users(redis, store)).since is None:
        await store.put(_signature(await redis.get(_NAME)), b"")


async def adopt(redis: ArqRedis, store: Store) -> None:
    """Sign for this Redis alone, from now on; another that still uses the store signs again. Raises `StoreError`."""
    await store.delete(*(blob.key for blob in await _signatures(store)))
    await sign(redis, store)


async def _signatures(store: Store) -> list[Blob]:
    """The signatures in the store, and no files of somebody else's: the store may be a folder that holds others."""
    return [blob for blob in await store.blobs(_FOLDER) if _OURS.fullmatch(blob.key)]


def _signature(name: bytes) -> str:
    return f"{_FOLDER}{name.decode(errors='replace')}"
