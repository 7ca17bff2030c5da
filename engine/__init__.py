"""What paints: the picture's recipe and the loop, the queue's contract, the worker.

As a library: `Recipe`, `preset`, `paint` and `to_picture`. The last two need torch; they are looked up on first use, so
that programs without torch may import the contract.
"""

import os
from typing import TYPE_CHECKING, Any

from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe

if TYPE_CHECKING:
    from engine.painting.painter import paint
    from engine.painting.pictures import to_picture

# Both are read once, when torch is loaded.
# Threads that wait for each other spin briefly, then sleep. libgomp's own measure (300,000 turns) made iterations many
# times slower on two cores as soon as another process was busy; sleeping at once costs a third where none is.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
# Deterministic matrix products on CUDA.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

__all__ = ["Recipe", "paint", "preset", "to_picture"]


def __getattr__(name: str) -> Any:
    if name == "paint":
        from engine.painting.painter import paint

        return paint
    if name == "to_picture":
        from engine.painting.pictures import to_picture

        return to_picture
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
