"""The styles that every server begins with: PNG, RGB, 512 px. `python -m examples.drawn_styles` drew them."""

from pathlib import Path

DRAWN_STYLES = {path.stem: path.read_bytes() for path in Path(__file__).parent.glob("*.png")}
