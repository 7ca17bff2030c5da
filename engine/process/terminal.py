"""What is printed, in a terminal that may lack some of its letters."""

from __future__ import annotations

import io
import sys


def print_what_it_can() -> None:
    """From now on a letter that standard output or standard error lacks becomes a question mark, and no error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
