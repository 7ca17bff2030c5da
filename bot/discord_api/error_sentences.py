"""What Discord's errors mean for a delivery."""

from __future__ import annotations

from enum import StrEnum

import aiohttp
import discord

from bot.text.translation import N_


class Verdict(StrEnum):
    """What to do about an error."""

    RETRY = "retry"
    """The error passes by itself: repeat the request after a pause."""
    SLOW = "slow"
    """Old messages are edited too often, or the token was reset: repeat the request after a longer pause."""
    SMALLER = "smaller"
    """The upload is too large."""
    UNARCHIVE_FIRST = "unarchive first"
    """The thread is archived; a message sent to it wakes it, an edit does not."""
    GONE = "gone"
    """The place, or the message, is out of reach for good."""
    FORBIDDEN = "forbidden"
    """The bot lacks a right: somebody has to grant it first."""
    BLOCKED = "blocked"
    """AutoMod dislikes the words."""
    UNKNOWN = "unknown"
    """Asking again would not help: give up, and log it."""


_REFUSED = N_("Discord refused what I had to post here: try again, and if it stays so, tell the operators.")
_ACCESS = N_("I have no access here: give me the permission View Channel, or ask for the painting elsewhere.")
_CLOSED = N_(
    "Your direct messages are closed to me: open them in the server's privacy settings, or ask me in a channel."
)
_AUTOMOD = N_("The server's AutoMod blocks what I post here: rename your pictures, or ask a moderator to exempt me.")
_LINKS = N_("Discord takes something in what I post here for a harmful link: rename your pictures, and ask again.")

# Without a sentence: what is told then does not depend on the code.
_CODES: dict[int, tuple[Verdict, str | None]] = {
    10003: (
        Verdict.GONE,
        N_("I can no longer post here, for the channel or thread was deleted: ask for the painting elsewhere."),
    ),
    10004: (Verdict.GONE, N_("I can no longer post here, for I am not on that server: invite me, or ask elsewhere.")),
    10008: (Verdict.GONE, N_("My message here was deleted: ask for the painting again.")),
    30046: (Verdict.SLOW, None),
    40005: (Verdict.SMALLER, None),
    50001: (Verdict.GONE, _ACCESS),
    50007: (Verdict.FORBIDDEN, _CLOSED),
    50013: (
        Verdict.FORBIDDEN,
        N_(
            "I may not post here: give me Send Messages, Create Public Threads, Send Messages in Threads "
            "and Attach Files."
        ),
    ),
    50024: (Verdict.UNKNOWN, N_("Discord does not allow that here: ask for the painting in an ordinary text channel.")),
    50027: (Verdict.UNKNOWN, None),  # of an interaction's token, which no restart brings back
    50045: (Verdict.SMALLER, None),
    50083: (Verdict.UNARCHIVE_FIRST, None),
    50278: (Verdict.FORBIDDEN, _CLOSED),
    160002: (
        Verdict.FORBIDDEN,
        N_("I may not answer my own card here: give me Read Message History, or ask for the painting elsewhere."),
    ),
    160005: (Verdict.FORBIDDEN, N_("I may not post here, for the thread is locked: ask a moderator to unlock it.")),
    160006: (Verdict.UNKNOWN, N_("This server has as many open threads as Discord allows: close some, and ask again.")),
    160007: (
        Verdict.UNKNOWN,
        N_("This server has as many open announcement threads as Discord allows: close some, and ask again."),
    ),
    200000: (Verdict.BLOCKED, _AUTOMOD),
    200001: (Verdict.BLOCKED, _AUTOMOD),
    240000: (Verdict.BLOCKED, _LINKS),
    400001: (Verdict.FORBIDDEN, N_("Discord has restricted uploads here: ask for the painting on another server.")),
}


def verdict(error: Exception) -> Verdict:
    """What to do about an error of a request to Discord."""
    match error:
        case discord.HTTPException() if error.code in _CODES:
            return _CODES[error.code][0]
        case discord.HTTPException(status=413):
            return Verdict.SMALLER
        # Requests are refused before the gateway ends the process; the next one has the new token, and goes on.
        case discord.HTTPException(status=401):
            return Verdict.SLOW
        case discord.HTTPException() if error.status == 429 or error.status >= 500:
            return Verdict.RETRY
        # Time-outs are operating system errors; a failure of the network is one too, or the client's own.
        case discord.RateLimited() | aiohttp.ClientError() | OSError():
            return Verdict.RETRY
    return Verdict.UNKNOWN


def sentence(error: Exception) -> str:
    """The cause and the next step, for the audience, in English: `translation.stored` has it in other languages.

    Only of what is neither tried again nor done otherwise.
    """
    code = error.code if isinstance(error, discord.HTTPException) else 0
    _, special = _CODES.get(code, (Verdict.UNKNOWN, None))
    return special or _REFUSED
