"""The worker, sooner taken for dead than a real one: where tests kill it, another goes on after seconds.

How long its silence may last each worker says of itself, and each looks after the others: all of a pool must be such.
test_kill.py keeps to the true measures.
"""

from __future__ import annotations

import runpy


def quicken() -> None:
    """Before anything else of the engine is imported, for some of it copies these."""
    from engine.contract import workers

    workers.BEAT, workers.SILENCE = 1.0, 4  # no less: a worker gives way to whatever else the machine does
    from engine.contract import reconcile

    reconcile._TURN_SECONDS = 1
    from engine.worker import main

    main._RECONCILE = 2.0


if __name__ == "__main__":
    quicken()
    runpy.run_module("engine.worker", run_name="__main__")
