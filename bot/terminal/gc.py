"""`impasto gc`: deletes what has expired, or says what that would be."""

from __future__ import annotations

from engine.contract.connection import connect
from engine.contract.expiry import expired_blobs, remove_expired
from engine.contract.redis_check import check_redis
from engine.contract.saved_styles import FOLDER as STYLES
from engine.contract.settings import Settings, SettingsError
from engine.contract.store import Store


async def collect(settings: Settings, *, dry: bool) -> int:
    """The exit status. Raises `SettingsError`, `RedisAway` or `StoreError`."""
    if settings.redis_url is None:
        raise SettingsError(
            "REDIS_URL is not set: only Redis knows which paintings are kept. `impasto up` deletes by itself."
        )
    await check_redis(settings.redis_url)
    store = Store(settings.store)
    async with connect(settings.redis_url, retries=1) as redis:
        expired = await expired_blobs(redis, store)
        for blob in expired if dry else []:
            print(blob.key)
        if not dry:
            await remove_expired(redis, store)
    paintings = len({blob.key.split("/")[1] for blob in expired if not blob.key.startswith(STYLES)})
    size = sum(blob.size for blob in expired) / 1e6
    what = f"{len(expired):,} files of {paintings:,} paintings, {size:,.1f} MB"
    print(f"{what}, would be deleted." if dry else f"{what}, were deleted.")
    return 0
