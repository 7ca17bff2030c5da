"""Checks of what a process stands on, each of which says in words how that is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass

from arq.connections import ArqRedis
from redis.exceptions import RedisError

from engine.contract.store import Store, StoreError
from engine.process.redaction import redact

PATIENCE = 5.0
"""Seconds for a check."""
_FRESH = 5.0  # s for which a finding is told again, so that asking often costs Redis and the store nothing

Check = Callable[[], Awaitable[str]]
"""Says how it is; raises `Ill` where it is not well."""


class Ill(Exception):
    """What is wrong, in a sentence."""


@dataclass(frozen=True)
class Finding:
    """What a check came to."""

    ok: bool
    says: str


class Examination:
    """Checks, made side by side; what they found is kept for some seconds."""

    def __init__(self, checks: Mapping[str, Check], fresh: float = _FRESH) -> None:
        """`fresh` is for how many seconds a finding is told again."""
        self._checks, self._fresh = checks, fresh
        self._found: dict[str, Finding] = {}
        self._until = float("-inf")
        self._turn = asyncio.Lock()

    async def findings(self) -> dict[str, Finding]:
        """What each check found, by the check's name."""
        async with self._turn:
            if time.monotonic() >= self._until:
                found = await asyncio.gather(*(_finding(check) for check in self._checks.values()))
                self._found = dict(zip(self._checks, found, strict=True))
                self._until = time.monotonic() + self._fresh
            return self._found


def report(findings: Mapping[str, Finding]) -> dict[str, object]:
    """The findings as an object for JSON: whether all is well, and what each check says."""
    checks = {name: asdict(finding) for name, finding in findings.items()}
    return {"ok": all(finding.ok for finding in findings.values()), "checks": checks}


async def check_redis_answers(redis: ArqRedis) -> str:
    """Check that Redis answers. Raises `Ill`."""
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        raise Ill(f"Redis does not answer: {str(error).rstrip('.')}.") from error
    return "answers"


async def check_store(store: Store) -> str:
    """Check that the store takes what is written. Raises `Ill`."""
    try:
        await store.prove()
    except StoreError as error:
        raise Ill(str(error)) from error
    return "takes and gives"


async def _finding(check: Check) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            return Finding(ok=True, says=await check())
    except Ill as ill:
        return Finding(ok=False, says=redact(str(ill)))
    except TimeoutError:
        return Finding(ok=False, says=f"no answer within {PATIENCE:g} s")
