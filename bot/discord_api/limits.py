"""What Discord takes at most, where discord.py has no name for it."""

from __future__ import annotations

MOST_CHOICES = 25
"""Options of a select, and choices that are offered while an option is typed."""
LONGEST_CHOICE = 100
"""Letters of a choice."""
