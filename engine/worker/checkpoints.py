"""A painting's state and journal as one blob: bit for bit, and nothing in it can run.

A SHA-256 digest (32 bytes), then safetensors whose metadata holds numbers and journal as JSON.
"""

from __future__ import annotations

import hashlib
import json
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from engine.contract.store import BlobMissing, ReadError, Store, StoreError
from engine.painting.state import State
from engine.recipe.recipe import Recipe

_DIGEST = 32  # bytes
_LOST = 600.0  # s for which a checkpoint cannot be read, in a store that answers, until it counts as lost
_FAILURES = 4
"""Failed reads, at least, before a checkpoint counts as lost: two far apart are two passing troubles."""
_REMEMBERED = 6 * 3600.0  # s since the last one; between two tries there may be the turns of many other jobs
_MALFORMED = (SafetensorError, LookupError, ValueError, TypeError, AttributeError, RecursionError, struct.error)
"""What reading a header may raise that is no header of ours."""


class CheckpointError(Exception):
    """The blob is not a whole checkpoint of this recipe."""


@dataclass
class Journal:
    """What the worker remembers beside the state, from the first slice on; JSON can hold it."""

    frames: dict[int, str] = field(default_factory=dict)
    """Iteration -> key of the film's frame in the store."""
    snapshots: dict[int, str] = field(default_factory=dict)
    """Iteration -> key of the snapshot's picture."""
    slices: list[dict[str, Any]] = field(default_factory=list)
    """For each: from, to, seconds of painting, worker, device."""
    part: int = 0
    """Which painting of a study the state is of, counted from 0."""
    records: list[str] = field(default_factory=list)
    """Key of the record of each painting of a study that is done."""
    troubles: list[str] = field(default_factory=list)
    """The kinds of trouble that were told, see `loss_stagnation.py`."""

    def as_dict(self) -> dict[str, Any]:
        return vars(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Journal:
        return cls(
            frames={int(i): key for i, key in saved["frames"].items()},
            snapshots={int(i): key for i, key in saved["snapshots"].items()},
            slices=saved["slices"],
            part=saved.get("part", 0),
            records=saved.get("records", []),
            troubles=saved.get("troubles", []),
        )


def pack(state: State, journal: Journal, identity: str) -> bytes:
    """The blob; `identity` names the weights that it was painted with. The state must be on the CPU."""
    header = {"numbers": json.dumps(state.numbers()), "journal": json.dumps(journal.as_dict()), "weights": identity}
    body = save({name: tensor.contiguous() for name, tensor in state.tensors().items()}, metadata=header)
    return hashlib.sha256(body).digest() + body


def unpack(blob: bytes, recipes: Sequence[Recipe], identity: str, device: torch.device) -> tuple[State, Journal]:
    """`recipes` are those of the job's parts. Raises `CheckpointError` for what is damaged, or of other weights."""
    digest, blob = blob[:_DIGEST], blob[_DIGEST:]
    if hashlib.sha256(blob).digest() != digest:
        raise CheckpointError("it is damaged: its bytes are not those that were saved")
    try:
        (length,) = struct.unpack("<Q", blob[:8])
        header = json.loads(blob[8 : 8 + length])["__metadata__"]
        if header["weights"] != identity:
            raise CheckpointError(f"it was painted with other weights ({header['weights']}, here {identity})")
        journal = Journal.from_dict(json.loads(header["journal"]))
        state = State.restore(recipes[journal.part], load(blob), json.loads(header["numbers"]), device)
        return state, journal
    except _MALFORMED as error:
        raise CheckpointError(f"it is damaged: {error}") from error


class CheckpointReader:
    """Reads checkpoints from a store, and tells those that are lost from those that are out of reach for a while."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unread: dict[str, tuple[float, float, int]] = {}
        """Unread checkpoints by key: their first failure and the last, by `time.monotonic`, and how many there were."""

    async def read(self, key: str) -> bytes:
        """The blob. Raises `ReadError`; `BlobMissing` also where it alone is not in four tries and ten minutes."""
        try:
            blob = await self._store.get(key)
        except ReadError as error:
            now = time.monotonic()
            self._unread = {other: tries for other, tries in self._unread.items() if now - tries[1] <= _REMEMBERED}
            since, _, count = self._unread.pop(key, (now, now, 0))
            if not await self._store_answers():
                raise  # while nothing of the store can be had, nothing of it is lost
            self._unread[key] = since, now, count + 1
            if now - since < _LOST or count + 1 < _FAILURES:
                raise
            raise BlobMissing(str(error)) from error
        self._unread.pop(key, None)
        return blob

    async def _store_answers(self) -> bool:
        try:
            await self._store.prove()
        except StoreError:
            return False
        return True
