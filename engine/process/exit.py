"""The end of a process that has used the store."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def exit_now(status: int) -> NoReturn:
    """End the process at once, with all that was said written out.

    obstore's threads may still be in Python when the interpreter is taken down, and then abort the process: one in ten
    did, on a busy machine, when the last request was just done.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
