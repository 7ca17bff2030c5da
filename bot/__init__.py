"""What people touch: Discord, and the terminal command `impasto`. No torch here.

`create_bot(settings)` is looked up on first use, so that the terminal command needs no Discord.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.app import create_bot

__all__ = ["create_bot"]


def __getattr__(name: str) -> Any:
    if name == "create_bot":
        from bot.app import create_bot

        return create_bot
    raise AttributeError(f"module 'bot' has no attribute {name!r}")
