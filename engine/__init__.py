"""What paints: the picture's recipe and the loop, the queue's contract, the worker.

`paint` needs torch; it is looked up on first use, so that rooms without torch may import the contract.
"""

from typing import TYPE_CHECKING, Any

from engine.painting.recipe import Recipe

if TYPE_CHECKING:
    from engine.painting.painter import paint

__all__ = ["Recipe", "paint"]


def __getattr__(name: str) -> Any:
    if name == "paint":
        from engine.painting.painter import paint

        return paint
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
