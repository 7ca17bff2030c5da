"""What a job is, where it may stand, and the keys that Redis knows of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.contract.study import StoredPicture as StoredPicture  # noqa: PLC0414 - most know it from here
from engine.contract.study import Study, Tile, Value
from engine.recipe.cost import remaining_flops
from engine.recipe.recipe import Recipe

OPEN = "impasto:open"
"""Set of the jobs that are queued or painting."""
USERS = "impasto:users"
"""Hash of the users with open jobs, over all guilds: user -> how many."""
HELD_USERS, HELD_GUILDS = "impasto:held:users", "impasto:held:guilds"
"""Hashes of the users and of the guilds whose jobs are held by workers: name -> how many."""
POSTED = "posted"
"""Field of a job's hash: when all of it had been posted, in whole seconds of Unix time."""
SPENT = "impasto:spent"
"""Prefix of the hashes, one for each UTC day, of the seconds that were painted for each user and guild."""
CONTROL = "impasto:control"
"""Stream of job ids to stop, read by every worker."""
Format = Literal["png", "jpeg", "webp", "png16", "tiff16"]
FINAL_FILES: dict[Format, str] = {
    "png": "final.png", "jpeg": "final.jpg", "webp": "final.webp", "png16": "final-16.png", "tiff16": "final-16.tif",
}  # fmt: skip
"""What the finished picture may be called, by its format; final.png is always there."""
KEEP_DAYS = 30
"""How long an ended job can still be asked for, unless it was posted and the settings say otherwise."""
MOST_KEEP_DAYS = 3650
"""The most that the settings may say."""
DEATHS = 3
"""Workers that may die on one slice without progress before the job is set aside; four count as one where the slice
was only waiting while another job was painted."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    PAINTING = "painting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"


class Asked(BaseModel):
    """What was asked for in full, where a draft is painted first."""

    model_config = ConfigDict(frozen=True)

    recipe: str
    """Name of the preset."""
    fields: dict[str, Value | tuple[Value, ...]]
    """The recipe's fields that were set over the preset, and the strength."""
    weights: str = "auto"
    """The weights to finish the draft with, as of `impasto paint --weights`; a bot's workers have their own."""
    weights_input: Literal["auto", "torchvision", "caffe"] | None = None
    """What a file of these weights expects, as of `--weights-input`; None: as the settings say."""
    format: Format = "png"
    """The format of the finished picture, written beside its PNG."""
    film: bool = True
    """Whether a film of its making is made."""

    @property
    def size(self) -> int:
        """Longest side of the finished painting, px."""
        return self._number("size", Recipe.size)

    @property
    def iterations(self) -> int:
        """The number of iterations, where it was set; 0 where it is the preset's."""
        return self._number("iterations", 0)

    def _number(self, field: str, usual: int) -> int:
        value = self.fields.get(field, usual)
        assert isinstance(value, int)  # noqa: S101 - a recipe was made of them
        return value


class Job(BaseModel):
    """A painting that someone asked for. `guild` and `user` share the queue fairly.

    A study is one job too: its iterations are those of all its parts, and it pays for each of them. `recipe`, `content`
    and `styles` are then what its parts are varied from.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    guild: str
    user: str
    recipe: Recipe
    content: StoredPicture
    styles: tuple[StoredPicture, ...]
    created: float = Field(default_factory=time.time)
    parent: str | None = None
    came_from: tuple[str, ...] = ()
    """The paintings whose pictures are in its film too, for it goes on from their checkpoints; the last one first."""
    checkpoint: str | None = None
    """Key of a checkpoint to go on from, instead of the recipe's start."""
    reached: int = 0
    """Iterations that the checkpoint holds, so that forecasts do not count them; the checkpoint itself decides."""
    start: StoredPicture | None = None
    """What a recipe with the start `picture` begins with."""
    content_masks: tuple[StoredPicture, ...] = ()
    """For each style where in the painting it applies (white), or none."""
    style_masks: tuple[StoredPicture, ...] = ()
    """For each style which part of it counts (white), or none."""
    alpha: StoredPicture | None = None
    """How opaque the finished picture is (white: wholly), where the content's transparency is kept."""
    format: Format = "png"
    """The finished picture's format, beside its PNG."""
    draft_of: Asked | None = None
    """What it is a draft of, if it is one."""
    study: Study | None = None
    film: bool = True
    """Whether a film of it is made."""
    drawn_texts: Mapping[str, str] = Field(default_factory=dict)
    """What stands in its pictures, from English to the language of its place; see `drawn_texts.py`."""

    @property
    def parts(self) -> tuple[Job, ...]:
        """The job's paintings in their order, each as a job without a study; most jobs are one."""
        if self.study is None:
            return (self,)
        own = ("recipe", "content", "styles", "content_masks", "style_masks")
        return tuple(
            self.model_copy(update={"study": None, **{name: getattr(part, name) for name in own}})
            for part in self.study.parts
        )

    @property
    def iterations(self) -> int:
        """How many iterations all parts have together."""
        return sum(recipe.iterations for recipe in self._recipes)

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The pictures that a study is about; none where the job is no study."""
        return () if self.study is None else self.study.tiles

    def part_of(self, iteration: int) -> Job:
        """The part that the picture after `iteration` belongs to."""
        ends = accumulate(recipe.iterations for recipe in self._recipes)
        return next((part for part, end in zip(self.parts, ends, strict=True) if iteration <= end), self.parts[-1])

    def remaining_flops(self, iteration: int) -> float:
        """What is left to do after so many iterations, as `cost` counts it."""
        work, left = 0.0, max(iteration, self.reached)
        for part in self.parts if self.study else (self,):
            shorter, longer = sorted((part.content.width, part.content.height))
            if left < part.recipe.iterations:
                work += remaining_flops(part.recipe, shorter / longer, left)
            left = max(0, left - part.recipe.iterations)
        return work

    def slice_cost(self, iteration: int, speed: float | None, most: float) -> float:
        """Seconds that the slice after so many iterations is expected to take, `most` if it is not cut short before.

        It ends with the painting that it is of, though the job may have others to come. `speed` is a worker's.
        """
        if speed is None:
            return most
        begins = max(iteration, self.reached)
        ends = next((end for end in accumulate(recipe.iterations for recipe in self._recipes) if begins < end), begins)
        return min(most, (self.remaining_flops(begins) - self.remaining_flops(ends)) / speed)

    @property
    def _recipes(self) -> tuple[Recipe, ...]:
        return (self.recipe,) if self.study is None else tuple(part.recipe for part in self.study.parts)

    @property
    def spoiler(self) -> bool:
        """Whether the painting is to be covered: it shows what one of its pictures shows."""
        begun, masks = () if self.start is None else (self.start,), (*self.content_masks, *self.style_masks)
        return any(picture.spoiler for picture in (self.content, *self.styles, *begun, *masks))


@dataclass(frozen=True)
class Claim:
    """A slice that this worker may paint, and the epoch that its writes carry.

    `checkpoints` are the newest first; `cancelled` says that someone wants it stopped; `poisoned` that it killed
    `DEATHS` workers.
    """

    job: Job
    epoch: int
    iteration: int
    checkpoints: tuple[str, ...]
    cancelled: bool
    poisoned: bool


@dataclass(frozen=True)
class Caps:
    """The most open jobs there may be: of one user over all guilds, of one guild, and in all.

    Then the seconds of painting on a UTC day after which no more of a user's or a guild's are accepted; 0 is no limit.
    Last the most open jobs of one user in this guild; 0 is no limit.
    """

    user: int
    guild: int
    total: int
    user_seconds: int = 0
    guild_seconds: int = 0
    member: int = 0


@dataclass(frozen=True)
class Running:
    """The most jobs that workers may hold at a time: of one user over all guilds, and of one guild."""

    user: int
    guild: int


@dataclass(frozen=True)
class Standing:
    """Where an open job stands: painted up to `iteration`, held by `worker` (or nobody: "").

    `tag` is its slice's place in the fair queue, in virtual seconds (0 before it is queued); `since` is when it was
    last begun, saved or accepted, in seconds of Unix time by Redis' clock.
    """

    job: Job
    state: JobState
    iteration: int
    worker: str
    tag: float
    since: float


class Fenced(Exception):
    """Another worker has taken the job over, or it has ended: stop, and write nothing more."""


class Unreadable(Exception):
    """The job's spec is not one that this program knows: of a newer version, or damaged."""

    def __init__(self, job: str, epoch: int, iteration: int, why: str) -> None:
        super().__init__(why)
        self.job, self.epoch, self.iteration = job, epoch, iteration


class Busy(Exception):
    """Workers hold as many jobs of its user or guild as `Running` allows: begin the slice later."""


class TooMany(Exception):
    """The job was not accepted: its user or guild, or all together, have what `Caps` allows.

    `until` is when there will be room again, in seconds of Unix time; None where that is not known.
    """

    def __init__(
        self, cap: Literal["user", "member", "guild", "total", "user day", "guild day"], until: float | None = None
    ) -> None:
        super().__init__(cap)
        self.cap, self.until = cap, until


def new_id() -> str:
    """An id that sorts by time, like Discord's: milliseconds, then four random bytes, in hex."""
    return f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(4)}"


def job_key(job: str) -> str:
    """The hash that holds the truth about a job."""
    return f"impasto:job:{job}"


def seen_key(job: str) -> str:
    """The set of event keys that a job has already told."""
    return f"impasto:seen:{job}"


def flows_key(guild: str) -> str:
    """The hash of a guild's users with open jobs: user -> how many."""
    return f"impasto:flows:{guild}"


def index_key(user: str) -> str:
    """The zset of a user's jobs, open and ended, by the time of their creation."""
    return f"impasto:jobs:{user}"
