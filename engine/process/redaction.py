"""What must never be told: tokens, passwords and signatures are cut out of all that is logged or printed."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote, urlsplit

_CUT = "[secret]"
_SHORTEST = 6  # characters; what is shorter would be cut out of innocent words
_known: set[str] = set()

# What stands before a secret is kept, for it tells what it was.
_LOOK_LIKE_ONE = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"([?&;](?:ex|is|hm|sig|signature|x-amz-[a-z-]+)=)[^\s&;\"'\\)>]+",  # of attachments, and of object stores
        r"(/(?:webhooks|interactions)/\d+/)[^\s/?\"'\\)>]+",
        r"(://[^\s/@:\"']*:)[^\s\"']+(?=@)",
        r"(\bBot\s+)[\w.-]{20,}",
        r"()\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}",  # a bot's token
        r"()\baW50ZXJhY3Rpb246[\w+/=-]+",  # an interaction's
    )
]


def hide(*secrets: str | None) -> None:
    """Cut the secrets out from now on, wherever they stand; of a URL, its password."""
    for secret in secrets:
        for form in _forms(secret or ""):
            if len(form) >= _SHORTEST:
                _known.update((form, json.dumps(form)[1:-1]))


def redact(text: str) -> str:
    """The text without secrets: those that are hidden, and whatever looks like one."""
    for secret in _known:
        text = text.replace(secret, _CUT)
    for pattern in _LOOK_LIKE_ONE:
        text = pattern.sub(rf"\1{_CUT}", text)
    return text


def _forms(secret: str) -> set[str]:
    """The secret as it stands, and of a URL the password, also as a parser may tell it."""
    if "://" not in secret:
        return {secret}
    try:
        password = urlsplit(secret).password or ""
    except ValueError:
        return {secret}
    return {password, unquote(password)}
