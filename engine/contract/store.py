"""The object store: pictures in, pictures out, checkpoints. One URL: `file://` for one box, `s3://` for many."""

from __future__ import annotations

import asyncio
import errno
import glob
import math
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from engine.contract.settings import SettingsError
from engine.process.folders import make_folder
from engine.process.metrics import STORE_BYTES, STORE_ERRORS
from engine.process.redaction import redact
from engine.process.waiting import until_there

_IDENTITY = "identity"
_PATIENCE = 8.0  # s; obstore itself would try for longer
_RETRY_TIMEOUT = timedelta(seconds=30)  # a worker that is told to end has two minutes in all
_SETTLED = 1.0  # s after which whoever looked for an identity before there was one has written its own
_WRONG_SETTINGS = re.compile("NoSuchBucket|InvalidAccessKeyId|SignatureDoesNotMatch")
"""Refusals of an S3 that only other settings end; a wrong clock, a full quota or a proxy's own answer may pass."""
# The last two are obstore's for a key that is none, such as one with dots that would lead out of the store.
_FAILURES = (BaseError, OSError, ValueError, TypeError)


class StoreError(Exception):
    """A blob could not be read or written; the text says which."""


class StoreRefused(StoreError):
    """The store takes neither these keys nor this bucket: only the operator can mend it."""


class ReadError(StoreError):
    """A blob could not be read: it may be there, and be read later."""


class BlobMissing(StoreError):
    """There is no such blob."""


class Blob(NamedTuple):
    """A blob as the store lists it; `modified` is the time of its last change, `size` its bytes."""

    key: str
    modified: datetime
    size: int


class Store:
    """Named blobs. A put is atomic: a name holds all of a blob or none of it."""

    def __init__(self, url: str) -> None:
        """Raises `StoreError` when the URL cannot be opened, `SettingsError` when its folder cannot be written in."""
        try:
            self._store = _open(url)
        except (BaseError, OSError, ValueError) as error:
            raise StoreError(redact(f"The store {url} cannot be opened: {_why(error)}")) from error

    async def ready(self) -> str:
        """Wait until the store takes what is written, and return its identity; meanwhile the log says why it doesn't.

        Raises `SettingsError` where it refuses what the settings say.
        """
        return await until_there("The store", self._prove_settings, StoreError)

    async def _prove_settings(self) -> str:
        try:
            return await self.prove()
        except StoreRefused as error:
            raise SettingsError(str(error)) from error

    async def prove(self) -> str:
        """The store's identity, within 8 s. Raises `StoreError` or `StoreRefused`, each a sentence for the operator."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self.identity()
        except (StoreError, TimeoutError) as error:
            if isinstance(error, TimeoutError):  # what fails by itself is counted where it does
                STORE_ERRORS.inc()
            if not isinstance(self._store, LocalStore) and _WRONG_SETTINGS.search(str(error.__cause__)):
                raise StoreRefused(
                    f"The store refuses what the settings say ({_why(error)}): check the bucket in STORE_URL, "
                    "AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what the key may."
                ) from error
            reason = str(error).rstrip(".") or f"it does not answer within {_PATIENCE:g} s"
            raise StoreError(f"The store cannot be used ({reason}): see to it, or mend STORE_URL.") from error

    async def put(self, key: str, data: bytes) -> str:
        """Write the blob; returns its key. Raises `StoreError`."""
        with _failures(f"{key} could not be written"):
            await obstore.put_async(self._store, key, data)
        STORE_BYTES.labels("to").inc(len(data))
        return key

    async def identity(self) -> str:
        """What tells this store from any other, by whatever address: kept in it, and proof that it can be written.

        Raises `StoreError`.
        """
        try:
            known = await self.get(_IDENTITY)
        except BlobMissing:
            return (await self._new_identity()).decode(errors="replace")
        await self.put(_IDENTITY, known)
        return known.decode(errors="replace")

    async def known_identity(self) -> str:
        """The identity without a proof of anything; empty where there is none yet. Raises `StoreError`."""
        try:
            return (await self.get(_IDENTITY)).decode(errors="replace")
        except BlobMissing:
            return ""

    async def _new_identity(self) -> bytes:
        """Write an identity and return it; where several write one at once, the last stands, and all take that."""
        mine = secrets.token_hex(8).encode()
        sure = isinstance(self._store, LocalStore)  # an S3 may not heed the mode, and say nothing
        try:
            await obstore.put_async(self._store, _IDENTITY, mine, mode="create")
        except AlreadyExistsError:  # perhaps of one that could not do this
            sure = False
        except (BaseError, FileNotFoundError):  # an S3, or a folder without hard links; else `put` fails too
            await self.put(_IDENTITY, mine)
            sure = False
        if not sure:
            await asyncio.sleep(_SETTLED)
        return await self.get(_IDENTITY)

    async def get(self, key: str) -> bytes:
        """The whole blob. Raises `BlobMissing` where there is none, else `ReadError`."""
        with _failures(f"{key} could not be read", missing=(FileNotFoundError, ValueError), kind=ReadError):
            reply = await obstore.get_async(self._store, key)
            data = bytes(await reply.bytes_async())
        STORE_BYTES.labels("from").inc(len(data))
        return data

    async def delete(self, *keys: str) -> None:
        """Remove the blobs; those already gone are no error."""
        for key in keys:
            with suppress(BlobMissing), _failures(f"{key} could not be deleted", missing=(FileNotFoundError,)):
                await obstore.delete_async(self._store, key)

    async def copy(self, source_key: str, target_key: str) -> str:
        """Write the source's blob under the target's name too; returns that. Raises as `get` and `put` do."""
        if isinstance(self._store, LocalStore):
            # obstore would make a hard link, as old as its source, and the sweep goes by age.
            return await self.put(target_key, await self.get(source_key))
        with _failures(f"{source_key} could not be copied to {target_key}"):
            try:
                await obstore.copy_async(self._store, source_key, target_key)
            except FileNotFoundError as error:
                raise BlobMissing(f"{source_key} could not be read: {_why(error)}") from error
        return target_key

    async def delete_folder(self, prefix: str) -> None:
        """Remove every blob under `prefix`, such as `jobs/<id>`; none is no error. Raises `StoreError`."""
        await self.delete(*(blob.key for blob in await self.blobs(prefix)))
        await self.delete_unfinished(f"{prefix.rstrip('/')}/")

    async def delete_unfinished(self, beginning: str, after: timedelta | None = None) -> bool:
        """Remove what writers that were killed have left, which is no blob yet, of keys with this `beginning`.

        With `after`, what was written on less long ago stays, for its writer may be alive; whether nothing stays.
        """
        if not isinstance(self._store, LocalStore) or self._store.prefix is None:
            return True
        folder, _, name = beginning.rpartition("/")
        before = time.time() - after.total_seconds() if after else math.inf
        return await asyncio.to_thread(_delete_staged, self._store.prefix / folder, name, before)

    async def delete_empty_folders(self, prefix: str, names: re.Pattern[str], after: timedelta) -> None:
        """Remove the folders of such `names` right under `prefix` that are empty, and have not changed for so long."""
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            before = time.time() - after.total_seconds()
            await asyncio.to_thread(_delete_empty_folders, self._store.prefix / prefix, names, before)

    async def blobs(self, prefix: str) -> Sequence[Blob]:
        """Every blob under `prefix`. Raises `StoreError`."""
        with _failures(f"{prefix or 'The store'} could not be listed"):
            batches = obstore.list(self._store, prefix)
            return [Blob(one["path"], one["last_modified"], one["size"]) async for batch in batches for one in batch]


@contextmanager
def _failures(
    what: str, missing: tuple[type[Exception], ...] = (), kind: type[StoreError] = StoreError
) -> Iterator[None]:
    """Whatever fails is told as of this `kind`, and what says that the blob is `missing` as `BlobMissing`."""
    try:
        yield
    except missing as error:
        raise BlobMissing(f"{what}: {_why(error)}") from error
    except _FAILURES as error:
        STORE_ERRORS.inc()
        raise kind(f"{what}: {_why(error)}") from error


def _delete_staged(folder: Path, name: str, before: float) -> bool:
    """obstore writes beside the blob, under its name and a number, and renames."""
    all_gone = True
    for path in folder.glob(f"{glob.escape(name)}*#*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime <= before:
                path.unlink()
            else:
                all_gone = False
    return all_gone


def _delete_empty_folders(folder: Path, names: re.Pattern[str], before: float) -> None:
    for path in (path for path in folder.glob("*/") if names.fullmatch(path.name)):
        with suppress(OSError):  # also one that is not empty
            if path.stat().st_mtime <= before:
                path.rmdir()


def _why(error: Exception) -> str:
    """obstore adds what helps to debug it, on further lines."""
    return str(error).partition("\n")[0]


def reason_of(error: Exception) -> str:
    """Why the store failed, in the system's words if there are any: without the folders that obstore tells of."""
    found = re.findall(r"([A-Z][A-Za-z ,'-]+) \(os error \d+\)", str(error))
    return found[-1] if found else "it does not answer"


def _open(url: str) -> ObjectStore:
    if url.startswith("file://"):
        folder = Path(unquote(urlsplit(url).path))
        try:
            make_folder(folder)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise SettingsError(
                f"The store's folder {folder} cannot be used ({error.strerror}): set STORE_URL, or IMPASTO_DATA, to "
                "one that can be written in."
            ) from error
        return LocalStore(folder)
    return from_url(url, retry_config={"retry_timeout": _RETRY_TIMEOUT})
