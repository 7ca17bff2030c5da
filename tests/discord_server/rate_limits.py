"""Discord's rate limits, in real time: buckets per route, and the global one."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from dataclasses import dataclass

from discord_server.clock import Clock

GLOBAL_PER_SECOND = 50
INVALID_PER_WINDOW, INVALID_WINDOW_S = 10_000, 600
BAN_S = 3600
"""Discord says "temporarily"; an hour is what people report."""


@dataclass(frozen=True)
class Limit:
    """`times` in `seconds`, for each value of the path's `major` parameter."""

    name: str
    major: str
    times: int
    seconds: float


@dataclass(frozen=True)
class Taken:
    """What a bucket said to one request."""

    limit: Limit
    times: int
    allowed: bool
    remaining: int
    reset_after: float

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.times),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{time.time() + self.reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(self.limit.name.encode()).hexdigest()[:32],
        }


OLD_EDITS = Limit("edits of messages older than an hour", "channel_id", 3, 6)
BY_ROUTE = {
    ("POST", "/channels/{channel_id}/messages"): Limit("sends", "channel_id", 5, 5),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): Limit("edits", "channel_id", 5, 5),
}
WEBHOOK = Limit("webhook", "webhook_token", 5, 2)


def limit_of(method: str, template: str) -> Limit | None:
    """None for what Discord does not limit: an interaction's first response."""
    if template.startswith("/interactions/"):
        return None
    if template.startswith("/webhooks/"):
        return WEBHOOK
    return BY_ROUTE.get((method, template)) or Limit(f"{method} {template}", "channel_id", 50, 1)


class Limits:
    """The buckets' state. `scale` multiplies every limit, for tests that have no time."""

    def __init__(self) -> None:
        self.scale = 1.0
        self._buckets: dict[tuple[str, str], tuple[float, int]] = {}
        self._recent: deque[float] = deque()

    def take(self, limit: Limit, major: str) -> Taken:
        """Counts one request against a bucket, which opens with its first request and is empty again after that."""
        now, times = time.monotonic(), max(1, int(limit.times * self.scale))
        started, used = self._buckets.get((limit.name, major), (now, 0))
        if now - started >= limit.seconds:
            started, used = now, 0
        allowed = used < times
        used += allowed
        self._buckets[limit.name, major] = (started, used)
        return Taken(limit, times, allowed, times - used, max(0.0, started + limit.seconds - now))

    def take_global(self) -> tuple[int, float]:
        """Counts one request; how many the last second has seen, and the seconds to wait if that is too many."""
        now = time.monotonic()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        if len(self._recent) >= GLOBAL_PER_SECOND * self.scale:
            return len(self._recent) + 1, 1 - (now - self._recent[0])
        self._recent.append(now)
        return len(self._recent), 0.0


class InvalidRequests:
    """Answers of 401, 403 and 429. So many of them in ten minutes ban the address that they went to."""

    def __init__(self, clock: Clock) -> None:
        self.limit = INVALID_PER_WINDOW
        self.most = 0
        """In any ten minutes so far."""
        self._clock = clock
        self._recent: deque[float] = deque()
        self._banned_until = 0.0

    @property
    def banned(self) -> bool:
        return self._clock.now() < self._banned_until

    def count(self) -> bool:
        """Counts one; whether it is the one that bans."""
        now = self._clock.now()
        while self._recent and now - self._recent[0] >= INVALID_WINDOW_S:
            self._recent.popleft()
        self._recent.append(now)
        self.most = max(self.most, len(self._recent))
        if self.banned or len(self._recent) < self.limit:
            return False
        self._banned_until = now + BAN_S
        return True
