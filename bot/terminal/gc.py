"""`impasto gc`: deletes what has expired, or says what that would be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bot.terminal.up import alone
from engine.contract import early_expiry
from engine.contract.connection import connect
from engine.contract.expiry import find_expired, kept_unknown, remove_expired
from engine.contract.redis_check import check_redis
from engine.contract.saved_styles import FOLDER as STYLES
from engine.contract.settings import Settings, SettingsError
from engine.contract.store import Blob, Store
from engine.contract.store_users import adopt
from engine.contract.stored_blobs import owner_of
from engine.process.local_redis import embedded_redis

_LATER = (
    "Those of paintings go {days} days after they were written, or after this Redis signed in the store if it did so "
    "later, as long as no other has; saved styles' pictures stay. Restore Redis' back-up before, if they are in that."
)


async def collect(settings: Settings, *, dry: bool, adopting: bool = False, older_than: int | None = None) -> int:
    """The exit status. Paintings that were posted `older_than` days ago go too, before their time.

    Raises `SettingsError`, `RedisAway`, `StoreError`, or what `_redis_url` does.
    """
    with _redis_url(settings) as url:
        await check_redis(url)
        store = Store(settings.store)
        async with connect(url, retries=1) as redis:
            if adopting:
                await adopt(redis, store)
            early = [] if older_than is None else await early_expiry.posted_before(redis, _days_ago(older_than))
            posted = await early_expiry.blobs_of(store, early)
            if not dry:
                forgotten = {f"jobs/{job}" for job in await early_expiry.forget(redis, store, early)}
                posted = [blob for blob in posted if owner_of(blob.key) in forgotten]
            after = kept_unknown(settings.impasto_keep_days)
            expired = await (find_expired if dry else remove_expired)(redis, store, unknown_after=after)
    blobs = list({blob.key: blob for blob in (*posted, *expired.blobs)}.values())
    for blob in blobs if dry else []:
        print(blob.key)
    print(f"{_sum(blobs)}, {'would be' if dry else 'were'} deleted.")
    if expired.left:
        why = expired.trouble or _LATER.format(days=after.days)
        print(f"{_sum(expired.left)}, are left, for Redis never knew them. {why}")
    return 0


def _days_ago(days: int) -> float:
    return time.time() - days * 86400


@contextmanager
def _redis_url(settings: Settings) -> Iterator[str]:
    """REDIS_URL, or a Redis on what `impasto up` has left. Raises `SettingsError`, `EmbeddedError` or `WorkerError`."""
    data = settings.impasto_data.absolute()
    if settings.redis_url is not None:
        yield settings.redis_url
    elif (data / "redis").is_dir():
        with alone(data), embedded_redis(data / "redis") as url:
            yield url
    else:
        raise SettingsError("REDIS_URL is not set: only Redis knows which paintings are kept.")


def _sum(blobs: list[Blob]) -> str:
    paintings = len({blob.key.split("/")[1] for blob in blobs if not blob.key.startswith(STYLES)})
    return f"{len(blobs):,} files of {paintings:,} paintings, {sum(blob.size for blob in blobs) / 1e6:,.1f} MB"
