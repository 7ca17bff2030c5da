"""Names in the environment and in `.env` that are no fields of the settings: misspelt ones, and those of libraries."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterable

from dotenv import dotenv_values

OF_THE_BOT = (
    "IMPASTO_MAX_SIZE", "IMPASTO_MAX_ITERATIONS", "IMPASTO_USER_STYLES", "IMPASTO_GUILD_STYLES", "IMPASTO_PAGE",
    "IMPASTO_PAGE_TOKEN", "DISCORD_TOKEN",
)  # fmt: skip
"""Settings that only the bot has, and that stand in the same `.env` for all."""
_OTHERS = ("IMPASTO_LOG",)
_WITHOUT_OUR_NAME = ("DISCORD_TOKEN", "REDIS_URL", "STORE_URL")
_OURS = "IMPASTO_"
_ALIKE, _ALIKE_BEHIND = 0.85, 0.8  # of names, and of what comes after IMPASTO_ in them, by difflib
_NEAR = 0.6  # of what comes after IMPASTO_
_OF_A_SERVICE = re.compile(r"SERVICE_HOST|(SERVICE_)?PORT(_.*)?")
"""What Kubernetes puts behind a service's name."""
_OF_LIBRARIES = re.compile(r"AWS_|SSL_CERT_(FILE|DIR)$|(HTTPS?|ALL|NO)_PROXY$")


def to_environment() -> None:
    """Put what the store's client and TLS read from the environment there, where only `.env` has it."""
    for name, value in _in_file().items():
        if _OF_LIBRARIES.match(name.upper()):
            os.environ.setdefault(name, value)


def misspelt(fields: Iterable[str]) -> str:
    """A sentence about a name that nobody reads; empty where there is none.

    In `.env` every IMPASTO_… must be known, and nothing may look like a setting that is not there. In the environment
    others may have put what they need, so there it must be both; see `strangers`.
    """
    known, in_file = _known(fields), _in_file()
    for name in (*in_file, *os.environ):
        upper = name.upper()
        ours = upper.startswith(_OURS)
        if upper in known or _OF_LIBRARIES.match(upper) or (name not in in_file and _is_of_a_service(upper)):
            continue
        meant = _resembled(upper, known)
        if (ours or meant) if name in in_file else (ours and meant):
            where = ", which .env here has" if name in in_file else ""
            return _told(f"{name}{where}", meant)
    return ""


def strangers(fields: Collection[str]) -> list[str]:
    """A sentence about each name in the environment that nobody reads, and that may be a misspelt setting.

    That is every IMPASTO_… that is not known, and what resembles one of `fields` without that, where it is not set:
    what the bot alone needs may be called as it likes where it is another's.
    """
    known, told, own = _known(fields), [], {field.upper() for field in fields}
    given = {name.upper(): name for name, value in os.environ.items() if value}
    missing = own & set(_WITHOUT_OUR_NAME) - given.keys() - {name.upper() for name in _in_file()}
    for upper, name in given.items():
        if upper in known or _is_of_a_service(upper):
            continue
        if upper.startswith(_OURS):
            if _resembled(upper, known):
                continue  # that is refused
            told.append(_told(name, _nearest(upper, known)))
        elif meant := difflib.get_close_matches(upper, missing, 1, _ALIKE):
            told.append(_told(name, meant[0]))
    return told


def _resembled(upper: str, known: Iterable[str]) -> str:
    """The setting that a name can only be a slip for; empty where there is none."""
    names = {name.removeprefix(_OURS): name for name in known if name.startswith(_OURS)}
    if upper.startswith(_OURS):
        found = difflib.get_close_matches(upper.removeprefix(_OURS), names, 1, _ALIKE_BEHIND)
        return names[found[0]] if found else ""
    return next(iter(difflib.get_close_matches(upper, list(known), 1, _ALIKE)), "")


def _known(fields: Iterable[str]) -> list[str]:
    return [*(field.upper() for field in fields), *OF_THE_BOT, *_OTHERS]


def _told(name: str, meant: str) -> str:
    return f"There is no setting {name}: {f'is {meant} meant?' if meant else '.env.example has all.'}"


def _nearest(upper: str, known: Iterable[str]) -> str:
    """The known name that is most like it, or begins like it; empty where none is near."""
    names = {name.removeprefix(_OURS): name for name in known}
    own = upper.removeprefix(_OURS)
    begun = [name for short, name in names.items() if own.startswith(f"{short}_") or short.startswith(f"{own}_")]
    near = difflib.get_close_matches(own, names, 1, _NEAR)
    return begun[0] if len(begun) == 1 else names[near[0]] if near else ""


def _is_of_a_service(upper: str) -> bool:
    """Whether Kubernetes has put it there, for a service whose name begins as ours do."""
    services = [name.removesuffix("SERVICE_HOST") for name in os.environ if name.endswith("_SERVICE_HOST")]
    return any(
        upper.startswith(service) and _OF_A_SERVICE.fullmatch(upper.removeprefix(service)) for service in services
    )


def _in_file() -> dict[str, str]:
    """What `.env` sets; nothing where it cannot be read, which the settings say."""
    try:
        return {name: value for name, value in dotenv_values(".env").items() if value}
    except (OSError, UnicodeError):
        return {}
