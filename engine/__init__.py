"""What paints: the picture's recipe and the loop, the queue's contract, the worker.

As a library: `Recipe`, `preset`, `paint` and `to_picture`. The last two need torch; they are looked up on first use, so
that rooms without torch may import the contract.
"""

from typing import TYPE_CHECKING, Any

from engine.painting.presets import preset
from engine.painting.recipe import Recipe

if TYPE_CHECKING:
    from engine.painting.painter import paint
    from engine.painting.pictures import to_picture

__all__ = ["Recipe", "paint", "preset", "to_picture"]


def __getattr__(name: str) -> Any:
    if name == "paint":
        from engine.painting.painter import paint

        return paint
    if name == "to_picture":
        from engine.painting.pictures import to_picture

        return to_picture
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
