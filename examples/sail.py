"""`python -m examples.sail FILE`: draws a short film, a boat that sails across the harbour; an animated PNG or WebP.

Original to this project and free for any use, as are the pictures that it is drawn from.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw

HARBOUR = Path(__file__).parent / "harbour.png"
FRAMES = 12
MILLISECONDS = 160
SUPER = 3  # the boat is drawn this many times larger, then averaged down

# Colour and points of each shape, in px from the hull's left end at the water.
_BOAT = (
    ("#5b2436", ((0, -22), (130, -22), (108, 4), (22, 4))),
    ("#c65a41", ((0, -22), (130, -22), (127, -15), (4, -15))),
    ("#f7ecd9", ((60, -28), (60, -150), (124, -34))),
    ("#e8b27a", ((54, -28), (54, -128), (12, -34))),
    ("#3a2430", ((55, -22), (59, -22), (59, -156), (55, -156))),
)


def film() -> list[Image.Image]:
    """The film's pictures; RGB, 640 x 426 px."""
    with Image.open(HARBOUR) as file:
        harbour = file.convert("RGB")
    return [_with_boat(harbour, 40 + 40 * number, 372 - number % 2) for number in range(FRAMES)]


def _with_boat(harbour: Image.Image, x: int, y: int) -> Image.Image:
    boat = Image.new("RGBA", (harbour.width * SUPER, harbour.height * SUPER))
    draw = ImageDraw.Draw(boat)
    for colour, points in _BOAT:
        draw.polygon([((x + dx) * SUPER, (y + dy) * SUPER) for dx, dy in points], fill=colour)
    boat = boat.resize(harbour.size, Image.Resampling.LANCZOS)
    return Image.alpha_composite(harbour.convert("RGBA"), boat).convert("RGB")


def main() -> None:
    """Write the film."""
    first, *further = film()
    # PNG has no such option, and ignores it.
    first.save(sys.argv[1], save_all=True, append_images=further, duration=MILLISECONDS, lossless=True)


if __name__ == "__main__":
    main()
