"""Saved styles in Redis and the store: caps, what is swept and what stays, and entries that cannot be read."""

from __future__ import annotations

import asyncio
import io
import os
from contextlib import suppress
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from rotten import ROTTEN
from structlog.testing import capture_logs
from support.pictures import noise

from engine.contract.expiry import remove_expired
from engine.contract.models import StoredPicture
from engine.contract.saved_styles import SavedStyle, SavedStyles, StyleRefused, measured
from engine.contract.store import Store

MANY = 1000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store((tmp_path / "store").as_uri())


def a_style(name: str, owner: str = "1", key: str = "styles/7/a.png") -> SavedStyle:
    picture = StoredPicture(key=key, name="strokes.png", width=8, height=8)
    return SavedStyle(name=name, picture=picture, digest="0" * 12, owner=owner)


async def refused(styles: SavedStyles, style: SavedStyle, member: int, server: int) -> str:
    try:
        await styles.save(7, style, member, server)
    except StyleRefused as error:
        return error.cap
    return ""


async def test_caps_hold_when_many_save_at_once(redis: ArqRedis, store: Store) -> None:
    styles = SavedStyles(redis, store)
    answers = await asyncio.gather(*(refused(styles, a_style(f"a{n}"), 3, MANY) for n in range(8)))
    assert sorted(answers) == ["", "", "", *["member"] * 5]
    answers = await asyncio.gather(*(refused(styles, a_style(f"b{n}", str(n + 10)), 3, 5) for n in range(8)))
    assert sorted(answers) == ["", "", *["server"] * 6]
    assert await refused(styles, a_style("A0 "), MANY, MANY) in ("name", "")
    assert len({style.name.casefold().strip() for style in await styles.all(7)}) == len(await styles.all(7))


async def test_first_styles_count_for_nobody_and_do_not_come_back(redis: ArqRedis, store: Store) -> None:
    out = io.BytesIO()
    noise(1, 8).save(out, "PNG")
    styles = SavedStyles(redis, store, {"dots": out.getvalue()})
    (first,) = await styles.all(7)
    assert (first.name, first.owner, first.picture.key) == ("dots", None, "drawn/dots.png")
    assert await refused(styles, a_style("mine"), 1, 1) == ""
    await styles.delete(7, first)
    assert [style.name for style in await styles.all(7)] == ["mine"]
    assert [style.name for style in await styles.all(8)] == ["dots"]
    assert await store.get("drawn/dots.png")


async def test_the_sweep_leaves_what_is_saved_however_old_and_takes_the_rest(
    redis: ArqRedis, store: Store, tmp_path: Path
) -> None:
    styles = SavedStyles(redis, store)
    keys = {name: f"styles/7/{name}.png" for name in ("kept", "lost", "new")}
    keys |= {name: f"styles/{name}" for name in ("print.css", "night/print.png")}  # another program's
    for name, key in keys.items():
        await store.put(key, b"x")
        if name != "new":
            os.utime(tmp_path / "store" / key, (1, 1))
    for name in ("kept", "lost"):
        await styles.save(7, a_style(name, key=keys[name]), MANY, MANY)
    await remove_expired(redis, store)
    await redis.hdel("impasto:styles:7", "lost")  # type: ignore[misc]  # and the store was away
    await remove_expired(redis, store)
    assert {blob.key for blob in await store.blobs("styles/")} == {*keys.values()} - {keys["lost"]}


@pytest.mark.parametrize("rotten", ["an entry", "the key"])
async def test_a_style_that_cannot_be_read_makes_no_other_picture_one_that_redis_knew(
    rotten: str, redis: ArqRedis, store: Store, tmp_path: Path
) -> None:
    """Such as one that was saved after the copy that Redis was restored from: a newer copy may know it."""
    key = "styles/7/unknown.png"
    await store.put(key, b"x")
    os.utime(tmp_path / "store" / key, (1, 1))
    if rotten == "an entry":
        await redis.hset("impasto:styles:7", "mine", '{"of a newer": "version"}')  # type: ignore[misc]
    else:
        await redis.set("impasto:styles:7", b"a text")
    assert (await remove_expired(redis, store)).left == []
    await redis.delete("impasto:styles:7")
    assert [blob.key for blob in (await remove_expired(redis, store)).left] == [key]
    assert await store.get(key) == b"x"


async def test_the_picture_of_a_deleted_style_that_the_store_kept_goes_with_a_sweep(
    redis: ArqRedis, store: Store, tmp_path: Path
) -> None:
    """Also where no sweep has seen the style while it was saved."""
    styles, key = SavedStyles(redis, store), "styles/7/a.png"
    path = tmp_path / "store" / key
    (path / "in the way").mkdir(parents=True)  # so that it cannot be deleted
    await styles.save(7, a_style("mine", key=key), MANY, MANY)
    with capture_logs() as log:
        assert await styles.forget("1") == 1
    assert [entry["event"] for entry in log] == ["pictures of deleted styles are left to the sweep"]
    (path / "in the way").rmdir()
    path.rmdir()
    await store.put(key, b"x")
    await remove_expired(redis, store)
    assert await store.get(key) == b"x"  # for a day nobody can know that it is of no style that is being saved
    os.utime(path, (1, 1))
    await remove_expired(redis, store)
    assert await store.blobs("styles/") == []


async def test_a_style_that_is_saved_while_the_member_is_forgotten_is_found_the_next_time(
    redis: ArqRedis, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    styles = SavedStyles(redis, store)
    for guild in (7, 8):
        await styles.save(guild, a_style("mine"), MANY, MANY)
    with monkeypatch.context() as patch:

        async def save_another(*keys: str) -> None:
            for guild in (7, 8):
                with suppress(StyleRefused):  # there the first one of that name is still
                    await styles.save(guild, a_style("late"), MANY, MANY)

        patch.setattr(styles, "delete_pictures", save_another)
        assert await styles.forget("1") >= 2
    left = [style.name for guild in (7, 8) for style in await styles.all(guild)]
    assert left
    assert await styles.forget("1") == len(left)


async def test_where_all_styles_have_expired_forgetting_begins_none(redis: ArqRedis, tmp_path: Path) -> None:
    """Also while the store is away, which would have to be asked for the first ones."""
    (tmp_path / "store").mkdir()
    styles = SavedStyles(redis, Store((tmp_path / "store").as_uri()), {"dots": b"a PNG"})
    await redis.sadd("impasto:saved:1", 7)  # type: ignore[misc]
    (tmp_path / "store").rmdir()
    (tmp_path / "store").write_text("no folder")
    assert await styles.forget("1") == 0
    assert await redis.keys() == []


@pytest.mark.parametrize("rotten", ["an entry", "the key"])
async def test_the_sweep_takes_no_style_of_a_server_of_which_something_cannot_be_read(
    rotten: str, redis: ArqRedis, store: Store, tmp_path: Path
) -> None:
    styles, key = SavedStyles(redis, store), "styles/7/a.png"
    await store.put(key, b"x")
    os.utime(tmp_path / "store" / key, (1, 1))
    await styles.save(7, a_style("mine", key=key), MANY, MANY)
    await remove_expired(redis, store)
    if rotten == "an entry":
        await redis.hset("impasto:styles:7", "mine", '{"of a newer": "version"}')  # type: ignore[misc]
    else:
        await redis.set("impasto:styles:7", b"a text")
    await remove_expired(redis, store)
    assert await store.get(key) == b"x"


async def test_those_of_a_server_that_is_gone_end_unless_it_comes_back(redis: ArqRedis, store: Store) -> None:
    styles = SavedStyles(redis, store)
    for guild in (7, 8):
        await styles.save(guild, a_style("a"), MANY, MANY)
    await styles.keep_alone([7])
    assert await redis.ttl("impasto:styles:7") == -1
    assert 0 < await redis.ttl("impasto:styles:8") <= 7 * 86400
    await styles.keep_alone([7, 8])
    assert await redis.ttl("impasto:styles:8") == -1
    await styles.keep_alone([7])
    await styles.keep(8)
    assert await redis.ttl("impasto:styles:8") == -1


async def test_what_cannot_be_read_hides_no_other_and_counts_for_nobody(redis: ArqRedis, store: Store) -> None:
    styles = SavedStyles(redis, store)
    await styles.save(7, a_style("sound"), MANY, MANY)
    for name, value in ROTTEN.items():
        await redis.hset("impasto:styles:7", name, value)  # type: ignore[misc, arg-type]
    assert [style.name for style in await styles.all(7)] == ["sound"]
    assert await refused(styles, a_style("another"), 2, 2) == ""
    await redis.set("impasto:styles:9", b"a text")
    assert await styles.all(9) == []
    assert await styles.forget("1") == 2


def test_the_digest_is_of_pixels_however_they_are_packed(tmp_path: Path) -> None:
    image = noise(3, 16)
    digests = set()
    for level in (0, 9):
        image.save(tmp_path / "one.png", compress_level=level)
        digests.add(measured((tmp_path / "one.png").read_bytes()))
    assert len(digests) == 1
    noise(4, 16).save(tmp_path / "one.png")
    assert measured((tmp_path / "one.png").read_bytes()) not in digests
