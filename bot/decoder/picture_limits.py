"""How much of anything one stranger's picture may have."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.recipe.recipe import MAX_FRAMES


@dataclass(frozen=True)
class Limits:
    """What a picture may be, and what opening it may cost."""

    max_bytes: int = 25 * 2**20
    """Most bytes in the file."""

    max_pixels: int = 120_000_000
    """Most pixels, as the file's header has them."""

    min_side: int = 16
    """Fewest pixels along the shortest side."""

    max_ratio: float = 8.0
    """Longest side over shortest side, at most."""

    max_side: int = 4096
    """Longest side of the result in pixels; a larger picture is scaled down to it."""

    max_frames: int = 1
    """Most pictures of an animation; 1 takes the first alone, of however many."""

    max_film_pixels: int = 64_000_000
    """Most pixels of all pictures together, in the result; larger ones are scaled down."""

    seconds: float = 20.0
    """Wall-clock seconds for the decoder, its start included."""

    cpu_seconds: int = 20
    """Processor seconds for the decoder, at least 1."""

    memory: int = 1536 * 2**20
    """Bytes of address space for the decoder, the interpreter's own (about 40 MiB) included."""


USUAL = Limits()
"""The limits in force where nobody asks for others."""

FILM = replace(USUAL, max_frames=MAX_FRAMES)
"""The limits for what may be an animation."""

VIDEO = replace(FILM, max_bytes=500 * 2**20, seconds=300.0, cpu_seconds=300, memory=3 * 2**30)
"""The limits for a video of one's own: it is decoded whole, and its libraries alone map 200 MiB."""
