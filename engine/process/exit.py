"""The end of a process that has used the store."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def exit_now(status: int) -> NoReturn:
    """End the process at once, with all that was said written out.

    obstore's threads may still be in Python when the interpreter is taken down, and then abort the process: one in ten
    did, on a busy machine, when the last request was just done.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # whoever read it may have gone
            stream.flush()
    os._exit(status)
