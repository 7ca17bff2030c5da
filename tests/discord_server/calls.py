"""A request to the API once it has been read, and the table of routes that answer it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from discord_server.media import Upload
from discord_server.messages import Draft
from discord_server.refusals import invalid
from discord_server.world import World

Json = dict[str, Any]
Reply = tuple[int, Any]
"""Status and body; nothing as the body of a 204."""


@dataclass(frozen=True)
class Call:
    world: World
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    uploads: list[Upload] = field(default_factory=list)

    def id(self, name: str) -> int:
        """A snowflake of the path."""
        if not self.params[name].isdigit():
            raise invalid(50035, f"{name}: Value {self.params[name]!r} is not snowflake.")
        return int(self.params[name])

    def draft(self) -> Draft:
        return Draft(self.body or {}, self.uploads)


Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    handler: Handler
    pattern: re.Pattern[str]

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        found = self.pattern.fullmatch(path) if method == self.method else None
        return None if found is None else found.groupdict()


ROUTES: list[Route] = []


def route(method: str, template: str) -> Callable[[Handler], Handler]:
    """Enters a handler into the table. An earlier entry wins: put `@me` before `{user_id}`."""

    def enter(handler: Handler) -> Handler:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
        ROUTES.append(Route(method, template, handler, pattern))
        return handler

    return enter


def find_route(method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    for one in ROUTES:
        params = one.match(method, path)
        if params is not None:
            return one, params
    return None
