"""What a server's moderators, and the bot's owner, have set for it: kept in Redis, with a line for each change.

Moderators choose within what the owner allows there; the environment has what holds where nobody chose.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from arq.connections import ArqRedis
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.settings import BotSettings
from engine.contract.models import Caps
from engine.recipe.presets import PRESETS
from engine.recipe.recipe import MAX_ITERATIONS, MAX_SIZE, MIN_SIZE

USUAL_RECIPE = "fine"
_CHANGES = 200
"""Lines that are kept for a server."""
_TOLD = 10
"""Lines of them that are told, the newest."""

_BLOCKED = "impasto:blocked"
"""The members who may paint nowhere."""

_log = structlog.get_logger(__name__)


class Choices(BaseModel):
    """The moderators'; None where they chose nothing, and empty where all may."""

    model_config = ConfigDict(frozen=True)

    channels: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()
    blocked: tuple[int, ...] = ()
    member_jobs: int | None = Field(default=None, ge=1)
    guild_jobs: int | None = Field(default=None, ge=1)
    size: int | None = Field(default=None, ge=MIN_SIZE, le=MAX_SIZE)
    iterations: int | None = Field(default=None, ge=1, le=MAX_ITERATIONS)
    keep_days: int | None = Field(default=None, ge=1)
    recipe: str | None = None
    language: str | None = None
    """The language of what everybody sees; None: the server's own."""


class Allowance(BaseModel):
    """What the bot's owner has set for a server."""

    model_config = ConfigDict(frozen=True)

    blocked: bool = False
    guild_jobs: int | None = Field(default=None, ge=1)


@dataclass(frozen=True)
class Rules:
    """What holds in a server, or in direct messages."""

    choices: Choices
    allowance: Allowance
    caps: Caps
    max_size: int
    max_iterations: int
    keep_days: int
    recipe: str

    @property
    def member_jobs(self) -> int:
        """Paintings at a time of one member, here or anywhere."""
        return min(self.caps.user, self.caps.member or self.caps.user)


def rules_of(settings: BotSettings, choices: Choices, allowance: Allowance) -> Rules:
    """The moderators' choices within the owner's limits."""
    caps = settings.caps
    most = allowance.guild_jobs or caps.guild
    return Rules(
        choices,
        allowance,
        Caps(
            caps.user, _less(choices.guild_jobs, most), caps.total, caps.user_seconds, caps.guild_seconds,
            member=choices.member_jobs or 0,
        ),
        max_size=_less(choices.size, settings.impasto_max_size),
        max_iterations=_less(choices.iterations, settings.impasto_max_iterations),
        keep_days=_less(choices.keep_days, settings.impasto_keep_days),
        recipe=choices.recipe if choices.recipe is not None and choices.recipe in PRESETS else USUAL_RECIPE,
    )  # fmt: skip


def _less(chosen: int | None, most: int) -> int:
    return most if chosen is None else min(chosen, most)


class GuildSettings:
    """Reads and writes what is set for servers."""

    def __init__(self, settings: BotSettings, redis: ArqRedis) -> None:
        self._settings, self._redis = settings, redis

    async def rules(self, guild: int | None) -> Rules:
        """What holds in the server; in direct messages (None) what the environment says."""
        if guild is None:
            return rules_of(self._settings, Choices(), Allowance())
        raw: Any = await self._redis.hmget(_key(guild), ["choices", "allowance"])  # type: ignore[misc]
        choices, allowance = raw
        return rules_of(self._settings, _read(Choices, choices, guild), _read(Allowance, allowance, guild))

    async def choose(self, guild: int, who: int, **changed: Any) -> Rules:
        """Change the moderators' choices, with a line that says who did. Raises `ValidationError`."""
        before = (await self.rules(guild)).choices
        after = Choices(**before.model_dump() | changed)
        return await self._write(guild, who, "choices", before, after)

    async def allow(self, guild: int, who: int, **changed: Any) -> Rules:
        """Change the owner's limits, in the same way."""
        before = (await self.rules(guild)).allowance
        after = Allowance(**before.model_dump() | changed)
        return await self._write(guild, who, "allowance", before, after)

    async def block_member(self, member: int, who: int, *, block: bool) -> None:
        """Let a member paint nowhere, or again."""
        await (self._redis.sadd if block else self._redis.srem)(_BLOCKED, member)  # type: ignore[misc]
        _log.info("a member was blocked" if block else "a member may paint again", member=str(member), user=str(who))

    async def is_blocked(self, member: int) -> bool:
        """Whether they may paint nowhere; each server's moderators have a list of their own."""
        return bool(await self._redis.sismember(_BLOCKED, str(member)))  # type: ignore[misc]

    async def changes(self, guild: int) -> list[Mapping[str, Any]]:
        """The newest ten, the newest first: `at` in Unix time, `by` whom, `what` as field -> [before, after].

        `of` is `allowance` where the owner changed something, whose fields may be called as the moderators' are.
        """
        raw: Any = await self._redis.lrange(_changes_key(guild), 0, _TOLD - 1)  # type: ignore[misc]
        return [json.loads(line) for line in raw]

    async def _write(self, guild: int, who: int, name: str, before: BaseModel, after: BaseModel) -> Rules:
        old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
        what = {field: [old[field], value] for field, value in new.items() if value != old[field]}
        if what:
            line = {"at": round(time.time()), "by": who, "of": name, "what": what}
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(_key(guild), name, after.model_dump_json())
                pipe.lpush(_changes_key(guild), json.dumps(line))
                pipe.ltrim(_changes_key(guild), 0, _CHANGES - 1)
                await pipe.execute()
            _log.info("settings were changed", guild=str(guild), user=str(who), what=what)
        return await self.rules(guild)


def _key(guild: int) -> str:
    return f"impasto:guild:{guild}"


def _changes_key(guild: int) -> str:
    return f"impasto:guild:{guild}:changes"


def _read(kind: type[Any], raw: bytes | None, guild: int) -> Any:
    if raw is None:
        return kind()
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        _log.error("a server's settings cannot be read", guild=str(guild), reason=str(error)[:300])
        return kind()
