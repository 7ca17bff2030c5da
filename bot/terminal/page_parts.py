"""What the pages of paintings, studies and batches share: their templates, and pictures that lie within them.

A template escapes each value, so no name, note or label can become HTML; `file` is the text of a file beside it.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

_TRIES = ((1.0, 88), (0.8, 80), (0.6, 74), (0.45, 66), (0.3, 58), (0.2, 45), (0.1, 30))

_templates = Environment(
    loader=PackageLoader("bot.terminal", ""),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_templates.globals["file"] = lambda name: files("bot.terminal").joinpath(name).read_text(encoding="utf-8")


def render(template: str, **values: object) -> str:
    """The page; a value that the template asks for and does not get is a `jinja2.UndefinedError`."""
    return _templates.get_template(template).render(values)


def whole(path: Path, most: float = math.inf) -> str:
    """A data URI of the file as it is; empty where there is none, or more than `most` bytes."""
    if not path.is_file() or path.stat().st_size > most:
        return ""
    return _data_uri(path.suffix[1:], path.read_bytes())


def embed(paths: Sequence[Path], *, longest: int, budget: int) -> list[str]:
    """A data URI of each picture, empty where there is none; all of them within `budget` bytes if need be."""
    pictures = [_opened(path) if path.is_file() else None for path in paths]
    encoded: list[bytes] = []
    for share, quality in _TRIES:
        encoded = [_webp(picture, round(longest * share), quality) if picture else b"" for picture in pictures]
        if sum(map(len, encoded)) <= budget:
            break
    return [_data_uri("webp", data) if data else "" for data in encoded]


def _opened(path: Path) -> Image.Image:
    """The picture with its transparency, if it has any, and without what else the file tells."""
    with Image.open(path) as file:
        picture = file.convert("RGBA" if file.has_transparency_data else "RGB")
    picture.info = {}
    return picture


def _webp(picture: Image.Image, longest: int, quality: int) -> bytes:
    small, out = picture.copy(), BytesIO()
    small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    small.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"
