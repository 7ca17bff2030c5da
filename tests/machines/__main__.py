"""`make machines`: machines of a network of their own are cut off, and what came of it is told.

The exit status is 0 where all was as it should be, and 77 where such a network is not allowed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from machines.namespaces import NotAllowedError, entering, environment

SKIPPED = 77
_WITHIN = "IMPASTO_MACHINES_WITHIN"


def main() -> int:
    parser = argparse.ArgumentParser("make machines")
    parser.add_argument("--short", action="store_true", help="the first scene alone")
    parser.add_argument("--scene", action="append", help="this one only, by its name; may be given again")
    parser.add_argument("--keep", type=Path, help="a new folder for the logs, kept afterwards")
    options = parser.parse_args()
    if _WITHIN not in os.environ:
        try:
            command = entering([sys.executable, "-m", "machines", *sys.argv[1:]])
        except NotAllowedError as error:
            print(error, file=sys.stderr)
            return SKIPPED
        os.execvpe(command[0], command, environment() | {_WITHIN: "1"})  # noqa: S606
    from machines.run import run
    from machines.scenes import SCENES, SHORT

    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        if options.keep:
            options.keep.mkdir(parents=True)
        kept = (options.keep or Path(folder)).absolute()
        wrong = asyncio.run(run(kept, options.scene or (SHORT if options.short else list(SCENES))))
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
