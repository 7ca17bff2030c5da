"""Names in the environment and in `.env` that are no fields of the settings: misspelt ones, and those of libraries."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable

from dotenv import dotenv_values

OF_THE_BOT = ("IMPASTO_MAX_SIZE", "IMPASTO_MAX_ITERATIONS", "DISCORD_TOKEN")
"""Settings that only the bot has, and that stand in the same `.env` for all."""
_OTHERS = ("IMPASTO_LOG",)
_ALIKE = 0.85  # of names, by difflib
_OF_LIBRARIES = re.compile(r"AWS_|SSL_CERT_(FILE|DIR)$|(HTTPS?|ALL|NO)_PROXY$")


def to_environment() -> None:
    """Put what the store's client and TLS read from the environment there, where only `.env` has it."""
    for name, value in dotenv_values(".env").items():
        if value and _OF_LIBRARIES.match(name.upper()):
            os.environ.setdefault(name, value)


def misspelt(fields: Iterable[str]) -> str:
    """A sentence about a name that nobody reads; empty where there is none.

    In `.env` every IMPASTO_… must be known. In the environment others may have put some there (Kubernetes does, for
    each service), so there it must also look like one that is known.
    """
    known = [*(field.upper() for field in fields), *OF_THE_BOT, *_OTHERS]
    ours = [name for name, value in dotenv_values(".env").items() if value]
    for name in (*ours, *os.environ):
        upper = name.upper()
        if upper in known or _OF_LIBRARIES.match(upper):
            continue
        meant = difflib.get_close_matches(upper, known, 1, _ALIKE)
        if meant or (name in ours and upper.startswith("IMPASTO_")):
            hint = f"is {meant[0]} meant?" if meant else ".env.example has all."
            return f"There is no setting {name}: {hint}"
    return ""
