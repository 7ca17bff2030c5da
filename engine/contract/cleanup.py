"""Deletes what an ended job has left in the store and nobody will look at again."""

from __future__ import annotations

from engine.contract.events import Cancelled, Done
from engine.contract.jobs import Jobs
from engine.contract.store import Blob, Store


async def clean_up(jobs: Jobs, store: Store, job: str) -> None:
    """Delete what an ended job needs no more: old checkpoints, untold pictures, frames if it failed, unfinished files.

    Workers that died have left some of them. Harmless while the job is open, and when repeated. Raises `StoreError`.
    """
    if await jobs.outcome(job) is not None:
        await store.delete(*(blob.key for blob in await useless(jobs, store, job)))
        await store.delete_unfinished(f"jobs/{job}/")


async def useless(jobs: Jobs, store: Store, job: str) -> list[Blob]:
    """The blobs that `clean_up` deletes. Raises `StoreError`."""
    known, outcome, told = await jobs.get(job), await jobs.outcome(job), await jobs.told(job)
    if known is None or outcome is None:
        return []
    needed: set[str | None] = {known.checkpoint}
    if isinstance(outcome, Done):
        needed.add(outcome.files["checkpoint.safetensors"])
    if isinstance(outcome, Cancelled):
        needed |= {outcome.checkpoint, outcome.picture}
    folder, found = f"jobs/{job}/", []
    for blob in await store.blobs(folder):
        kind, _, rest = blob.key.removeprefix(folder).partition("-")
        of_no_use = {
            "checkpoint": blob.key not in needed,
            "cancelled": blob.key not in needed,
            "snapshot": rest.split(".")[0] not in told,
            "frame": not isinstance(outcome, (Done, Cancelled)),
        }
        if of_no_use.get(kind):
            found.append(blob)
    # A Redis that lost its data between the questions knew of nothing that was told.
    return found if await jobs.get(job) is not None else []
