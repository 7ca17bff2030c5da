"""What is told about a job while it is painted: a Redis Stream of small facts, never images.

Every event has a key (job, kind, iteration); a slice that is painted again tells the same keys, and they are dropped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import structlog
from arq.connections import ArqRedis
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from engine.contract.connection import BLOCK, within

STREAM = "impasto:events"

_log = structlog.get_logger(__name__)


class _Event(BaseModel):
    # A loss may be no number for a while, before the painter goes back to its last good state.
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    job: str
    iteration: int


class Started(_Event):
    """Painting began: `device` and `note` in words; width and height of the finished picture, px."""

    kind: Literal["started"] = "started"
    device: str
    width: int
    height: int
    note: str = ""


class Progress(_Event):
    """At most one a second. Losses are weighted; `rate` in iterations/s; `eta` in seconds of painting.

    Each takes the place of the job's one before, whose entry is deleted from the stream.
    """

    kind: Literal["progress"] = "progress"
    loss: float
    content: float
    style: float
    rate: float
    eta: float


class Snapshot(_Event):
    """A promised picture: `picture` is its key in the store (PNG), `loss` the total at that iteration."""

    kind: Literal["snapshot"] = "snapshot"
    picture: str
    loss: float


class Best(BaseModel):
    """The best picture so far: `picture` is its key in the store (PNG), `loss` the total that `iteration` saw."""

    model_config = ConfigDict(frozen=True)

    iteration: int
    picture: str
    loss: float


class Notice(_Event):
    """Something the audience should know, in a sentence; `waits` when the painting waits now, or goes on again.

    `best` is offered where it does not get better any more.
    """

    kind: Literal["notice"] = "notice"
    text: str
    waits: bool | None = None
    best: Best | None = None


class Done(_Event):
    """The painting is finished. Keys in the store: final.png, loss.png, run.json, and film.webp where one is wanted.

    Where it ended no better than it was before, `note` says so, and best.png is among the files. `left_out` says, in a
    sentence, what is missing from them.
    """

    kind: Literal["done"] = "done"
    files: dict[str, str]
    note: str = ""
    left_out: str = ""


class Failed(_Event):
    """The job ended without a picture; `reason` is one sentence with what to do."""

    kind: Literal["failed"] = "failed"
    reason: str


class Cancelled(_Event):
    """Stopped on request. `picture` is the key of what there was, `checkpoint` of where to go on; null if unpainted."""

    kind: Literal["cancelled"] = "cancelled"
    picture: str | None = None
    checkpoint: str | None = None


Event = Annotated[Started | Progress | Snapshot | Notice | Done | Failed | Cancelled, Field(discriminator="kind")]
Last = (Done, Failed, Cancelled)
"""The kinds after which a job tells nothing more."""

_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def parse(fields: dict[bytes, bytes]) -> Event:
    """The event in a stream entry. Raises `ValueError`.

    A consumer group still hands out what was deleted while it was pending (old progress): without fields, for which
    this raises `KeyError`. Acknowledge those unread.
    """
    return _adapter.validate_json(within(fields[b"event"]))


async def follow(redis: ArqRedis, job: str, after: str = "0") -> AsyncIterator[tuple[str, Event]]:
    """(entry id, event) of one job from the entry after `after` on, up to and with its last. Waits for new ones.

    What cannot be read is logged and passed over.
    """
    while True:
        reply: Any = await redis.xread({STREAM: after}, count=100, block=BLOCK)
        for _, entries in reply:
            for entry, fields in entries:
                after = entry.decode()
                if fields.get(b"job") != job.encode():
                    continue
                try:
                    event = parse(fields)
                except (ValueError, KeyError) as error:
                    _log.warning("an event cannot be read", entry=after, reason=str(error)[:300])
                    continue
                yield after, event
                if isinstance(event, Last):
                    return
