"""The Lua scripts in `scripts/`: each one a change that nothing comes between."""

from __future__ import annotations

import functools
from importlib.resources import files

_SHARED = ("fence", "held_counts", "daily_seconds", "check_caps", "end_job")  # parts of scripts


@functools.cache
def script(name: str) -> str:
    """The text of a Lua script, with what several of them use before it."""
    folder = files("engine.contract") / "scripts"
    return "".join((folder / f"{part}.lua").read_text() for part in (*_SHARED, name))
