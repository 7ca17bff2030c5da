"""The error that is an answer to a member."""

from __future__ import annotations


class UserError(Exception):
    """What was asked for cannot be done; the text is one sentence for the member: what is wrong, and what to do."""
