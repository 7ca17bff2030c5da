"""arq's own keys that we look at and delete. arq promises none of it, hence its bound in pyproject.toml."""

from __future__ import annotations

from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix

LEASE_EXTRA = 10.0
"""Seconds by which a worker's mark on a slice that it has taken up outlasts the slice's time-out."""


def payload(name: str) -> str:
    """The key of what the slice is to run, for as long as it waits or runs."""
    return f"{job_key_prefix}{name}"


def lease(name: str) -> str:
    """The key that a worker sets while it runs the slice."""
    return f"{in_progress_key_prefix}{name}"


def tries(name: str) -> str:
    """The key that counts how often the slice was begun."""
    return f"{retry_key_prefix}{name}"
