"""The object store on one box: blobs in a folder, whole or not at all."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import obstore
import obstore.exceptions
import pytest
from obstore.store import LocalStore, S3Store
from s3_stand_in import s3
from structlog.testing import capture_logs

from engine.contract import store as module
from engine.contract.settings import SettingsError
from engine.contract.store import BlobMissing, Store, StoreError, StoreRefused
from engine.process.metrics import REGISTRY


@pytest.fixture(params=["store", "a folder with spaces, 100% ünlike a URL #1"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param) / "blobs"


async def test_what_is_put_can_be_got_from_a_file_in_the_folder(folder: Path) -> None:
    store = Store(folder.as_uri())
    assert await store.put("jobs/1/final.png", b"pixels") == "jobs/1/final.png"
    assert await store.get("jobs/1/final.png") == b"pixels"
    assert (folder / "jobs" / "1" / "final.png").read_bytes() == b"pixels"
    await store.put("jobs/1/final.png", b"other")
    assert await Store(folder.as_uri()).get("jobs/1/final.png") == b"other"
    assert [path.name for path in (folder / "jobs" / "1").iterdir()] == ["final.png"]


async def test_a_missing_blob_is_a_sentence_of_one_line(folder: Path) -> None:
    with pytest.raises(BlobMissing) as raised:
        await Store(folder.as_uri()).get("jobs/none.png")
    assert "jobs/none.png could not be read" in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_blob_can_be_deleted_twice(folder: Path) -> None:
    store = Store(folder.as_uri())
    for name in ("a", "b", "c"):
        await store.put(f"jobs/{name}", b"x")
    await store.delete("jobs/a", "jobs/b")
    await store.delete("jobs/a", "jobs/never")
    assert [blob.key for blob in await store.blobs("jobs")] == ["jobs/c"]


async def test_a_folder_is_deleted_with_all_that_is_in_it_and_nothing_else(folder: Path) -> None:
    store = Store(folder.as_uri())
    for key in ("jobs/1/a.png", "jobs/1/deep/b.png", "jobs/12/a.png", "jobs/2/a.png"):
        await store.put(key, b"x")
    await store.delete_folder("jobs/1")
    await store.delete_folder("jobs/1")
    assert sorted(blob.key for blob in await store.blobs("jobs")) == ["jobs/12/a.png", "jobs/2/a.png"]


async def test_a_copy_is_a_blob_of_its_own_and_as_old_as_its_making(folder: Path) -> None:
    store = Store(folder.as_uri())
    await store.put("jobs/1/a.png", b"pixels")
    os.utime(folder / "jobs" / "1" / "a.png", (1, 1))
    assert await store.copy("jobs/1/a.png", "jobs/2/b.png") == "jobs/2/b.png"
    await store.delete_folder("jobs/1")
    assert await store.get("jobs/2/b.png") == b"pixels"
    ((_, modified, _),) = await store.blobs("jobs/2")
    assert modified.year > 1970
    with pytest.raises(BlobMissing, match=r"jobs/1/a\.png could not be read"):
        await store.copy("jobs/1/a.png", "jobs/3/a.png")


async def test_a_store_that_does_not_answer_is_a_sentence_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ours = {"ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}", "ALLOW_HTTP": "true"}
        for name, value in {**ours, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "c"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setattr(module, "_PATIENCE", 0.1)
        store, before = Store("s3://bucket"), REGISTRY.get_sample_value("impasto_store_errors_total")
        assert before is not None
        with pytest.raises(StoreError) as away:
            await store.prove()
        assert REGISTRY.get_sample_value("impasto_store_errors_total") == before + 1
    told = "The store cannot be used (it does not answer within 0.1 s): see to it, or mend STORE_URL."
    assert str(away.value) == told


def test_a_store_that_does_not_answer_is_given_up_while_a_worker_that_is_told_to_end_still_may_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_REGION", "here")
    inner = Store("s3://bucket")._store
    assert isinstance(inner, S3Store)
    assert inner.retry_config is not None
    assert inner.retry_config["retry_timeout"] <= timedelta(minutes=1)


async def test_other_stores_copy_by_themselves() -> None:
    store = Store("memory:///")
    await store.put("jobs/1/a.png", b"pixels")
    assert await store.copy("jobs/1/a.png", "jobs/2/b.png") == "jobs/2/b.png"
    assert await store.get("jobs/2/b.png") == b"pixels"
    with pytest.raises(BlobMissing, match=r"jobs/9/a\.png could not be read"):
        await store.copy("jobs/9/a.png", "jobs/3/a.png")


async def test_a_list_holds_what_is_under_the_prefix(folder: Path) -> None:
    store = Store(folder.as_uri())
    keys = [f"jobs/1/{number}.png" for number in range(3)]
    for key in [*keys, "jobs/2/0.png"]:
        await store.put(key, b"x")
    assert sorted(blob.key for blob in await store.blobs("jobs/1")) == keys
    assert await store.blobs("nowhere") == []


async def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="could not be written"):
        await Store(tmp_path.as_uri()).put("jobs/1.png", b"x")


@pytest.mark.parametrize("url", ["nonsense", "ftp://host/path", "s3://"])
def test_a_url_of_no_store_is_a_sentence_with_the_url(url: str) -> None:
    with pytest.raises(StoreError, match=url) as raised:
        Store(url)
    assert "\n" not in str(raised.value)


def test_a_folder_that_can_never_be_written_in_is_a_setting_to_mend() -> None:
    with pytest.raises(
        SettingsError, match=r"^The store's folder /dev/null/store cannot be used \(.*\): set STORE_URL"
    ):
        Store("file:///dev/null/store")


async def test_a_store_is_known_by_what_is_kept_in_it(folder: Path, tmp_path: Path) -> None:
    store = Store(folder.as_uri())
    found = await asyncio.gather(*(Store(folder.as_uri()).identity() for _ in range(8)))
    assert len({*found, await store.identity()}) == 1
    (tmp_path / "mounted elsewhere").symlink_to(folder)
    assert await Store((tmp_path / "mounted elsewhere").as_uri()).identity() == found[0]
    assert await Store((tmp_path / "another").as_uri()).identity() != found[0]


@pytest.mark.parametrize("late", [False, True])
async def test_those_who_are_first_in_a_folder_without_hard_links_agree(
    *, late: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As exFAT and SMB are: to create a file there fails, and says that it exists where it does already."""
    put, written = obstore.put_async, asyncio.Event()
    at_once = asyncio.Barrier(8)

    async def without_links(store: LocalStore, key: str, data: bytes, *, mode: str = "overwrite") -> None:
        if mode == "create":
            if await at_once.wait() == 7 and late:
                await written.wait()
                raise obstore.exceptions.AlreadyExistsError(f"{key} is there")
            raise obstore.exceptions.GenericError("Operation not permitted (os error 1)")
        await put(store, key, data)
        written.set()

    monkeypatch.setattr(obstore, "put_async", without_links)
    found = await asyncio.gather(*(Store(folder.as_uri()).identity() for _ in range(8)))
    assert len({*found, await Store(folder.as_uri()).identity()}) == 1


@pytest.mark.parametrize("if_none_match", ["heeded", "ignored", "refused"])
async def test_those_who_are_first_in_a_bucket_at_once_agree(
    if_none_match: Literal["heeded", "ignored", "refused"], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with s3("AKID", "a-region", secure=False) as (stand_in, url):
        stand_in.if_none_match = if_none_match
        set_s3(monkeypatch, url)
        stores = [Store("s3://bucket/prefix") for _ in range(8)]
        found = await asyncio.gather(*(store.identity() for store in stores))
        assert {*found, await stores[0].identity()} == {found[0]}
        assert stand_in.blobs == {"/bucket/prefix/identity": found[0].encode()}


def set_s3(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """What tells the store's client of the stand-in at this address."""
    own = {"ENDPOINT_URL": url, "ALLOW_HTTP": "true", "REGION": "a-region"}
    for name, value in (own | dict.fromkeys(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"), "AKID")).items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.mark.parametrize(
    ("refusal", "final"),
    [
        ((403, "RequestTimeTooSkewed"), False),
        ((403, "QuotaExceeded"), False),
        ((404, ""), False),
        ((401, ""), False),
        ((403, "InvalidAccessKeyId"), True),
    ],
)
async def test_only_what_other_settings_alone_would_end_is_called_a_wrong_setting(
    refusal: tuple[int, str], final: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with s3("AKID", "a-region", secure=False) as (stand_in, url):
        stand_in.refuses = refusal
        set_s3(monkeypatch, url)
        with pytest.raises(StoreError) as told:
            await Store("s3://bucket").prove()
    assert isinstance(told.value, StoreRefused) == final


async def test_whoever_waits_for_a_store_is_told_why(tmp_path: Path) -> None:
    (tmp_path / "identity").mkdir()
    with capture_logs() as log:
        waiting = asyncio.create_task(Store(tmp_path.as_uri()).ready())
        while not log:  # noqa: ASYNC110 - the log tells nobody
            await asyncio.sleep(0.01)
        (tmp_path / "identity").rmdir()
        assert await waiting == await Store(tmp_path.as_uri()).identity()
    assert log[0]["event"].startswith("The store cannot be used (identity could not be ")
    assert log[0]["event"].endswith("): see to it, or mend STORE_URL. Trying on.")
    assert log[-1]["event"] == "The store answers."


@pytest.mark.parametrize("key", ["../secret", "jobs/../../secret", "jobs/1/..", "a\0b"])
async def test_no_key_leads_out_of_the_store(folder: Path, key: str) -> None:
    store, secret = Store(folder.as_uri()), folder.parent / "secret"
    secret.write_bytes(b"a secret")
    await store.put("mine", b"x")
    with pytest.raises(BlobMissing):
        await store.get(key)
    for refused in (store.put(key, b"x"), store.delete(key), store.copy(key, "mine"), store.copy("mine", key)):
        with pytest.raises(StoreError):
            await refused
    assert secret.read_bytes() == b"a secret"


async def test_what_cannot_be_listed_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> AsyncIterator[list[object]]:
        raise obstore.exceptions.GenericError("the bucket does not answer")
        yield []

    monkeypatch.setattr(obstore, "list", lambda *_: broken())
    with pytest.raises(StoreError, match=r"^jobs could not be listed: the bucket does not answer"):
        await Store((tmp_path / "store").as_uri()).blobs("jobs")
