"""Names in the environment and in `.env` that are no fields of the settings: misspelt ones, and those of libraries."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable

from dotenv import dotenv_values

OF_THE_BOT = (
    "IMPASTO_MAX_SIZE", "IMPASTO_MAX_ITERATIONS", "IMPASTO_USER_STYLES", "IMPASTO_GUILD_STYLES", "IMPASTO_PAGE",
    "IMPASTO_PAGE_TOKEN", "DISCORD_TOKEN",
)  # fmt: skip
"""Settings that only the bot has, and that stand in the same `.env` for all."""
_OTHERS = ("IMPASTO_LOG",)
_ALIKE = 0.85  # of names, by difflib
_OF_LIBRARIES = re.compile(r"AWS_|SSL_CERT_(FILE|DIR)$|(HTTPS?|ALL|NO)_PROXY$")


def to_environment() -> None:
    """Put what the store's client and TLS read from the environment there, where only `.env` has it."""
    for name, value in _in_file().items():
        if _OF_LIBRARIES.match(name.upper()):
            os.environ.setdefault(name, value)


def misspelt(fields: Iterable[str]) -> str:
    """A sentence about a name that nobody reads; empty where there is none.

    In `.env` every IMPASTO_… must be known, and nothing may look like a setting that is not there. In the environment
    others may have put what they need (Kubernetes does, for each service), so there it must be both.
    """
    known = [*(field.upper() for field in fields), *OF_THE_BOT, *_OTHERS]
    in_file = _in_file()
    for name in (*in_file, *os.environ):
        upper = name.upper()
        ours = upper.startswith("IMPASTO_")
        if upper in known or _OF_LIBRARIES.match(upper):
            continue
        meant = difflib.get_close_matches(upper, known, 1, _ALIKE)
        if (ours or meant) if name in in_file else (ours and meant):
            hint = f"is {meant[0]} meant?" if meant else ".env.example has all."
            where = ", which .env here has" if name in in_file else ""
            return f"There is no setting {name}{where}: {hint}"
    return ""


def _in_file() -> dict[str, str]:
    """What `.env` sets; nothing where it cannot be read, which the settings say."""
    try:
        return {name: value for name, value in dotenv_values(".env").items() if value}
    except (OSError, UnicodeError):
        return {}
