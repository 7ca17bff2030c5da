"""`impasto gc`: deletes what has expired, or says what that would be."""

from __future__ import annotations

from engine.contract.connection import connect
from engine.contract.expiry import find_expired, kept_unknown, remove_expired
from engine.contract.redis_check import check_redis
from engine.contract.saved_styles import FOLDER as STYLES
from engine.contract.settings import Settings, SettingsError
from engine.contract.store import Blob, Store
from engine.contract.store_users import adopt

_LATER = (
    "Those of paintings go {days} days after they were written, or after this Redis signed in the store if it did so "
    "later, as long as no other has; saved styles' pictures stay. Restore Redis' back-up before, if they are in that."
)


async def collect(settings: Settings, *, dry: bool, adopting: bool = False) -> int:
    """The exit status. Raises `SettingsError`, `RedisAway` or `StoreError`."""
    if settings.redis_url is None:
        raise SettingsError(
            "REDIS_URL is not set: only Redis knows which paintings are kept. `impasto up` deletes by itself."
        )
    await check_redis(settings.redis_url)
    store = Store(settings.store)
    async with connect(settings.redis_url, retries=1) as redis:
        if adopting:
            await adopt(redis, store)
        after = kept_unknown(settings.impasto_keep_days)
        expired = await (find_expired if dry else remove_expired)(redis, store, unknown_after=after)
    for blob in expired.blobs if dry else []:
        print(blob.key)
    print(f"{_sum(expired.blobs)}, {'would be' if dry else 'were'} deleted.")
    if expired.left:
        why = expired.trouble or _LATER.format(days=after.days)
        print(f"{_sum(expired.left)}, are left, for Redis never knew them. {why}")
    return 0


def _sum(blobs: list[Blob]) -> str:
    paintings = len({blob.key.split("/")[1] for blob in blobs if not blob.key.startswith(STYLES)})
    return f"{len(blobs):,} files of {paintings:,} paintings, {sum(blob.size for blob in blobs) / 1e6:,.1f} MB"
