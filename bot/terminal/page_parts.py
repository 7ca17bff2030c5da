"""What the pages of paintings and of studies are made of: their frame, and pictures that lie within them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any

from PIL import Image

_LADDER = ((1.0, 88), (0.8, 80), (0.6, 74), (0.45, 66), (0.3, 58), (0.2, 45), (0.1, 30))

_DRAFT = "A draft, painted with our small starter network: `impasto paint --finish` goes on from it."


class Html(str):
    """Text that is HTML already; all other text is escaped on its way into the page."""

    __slots__ = ()


def framed(
    run: Mapping[str, Any], main: str, *, title: str, lead: str, width_px: str, aspect: str, facts: Mapping[str, str],
    style: str = "", script: str = "",
) -> str:  # fmt: skip
    """The whole page of the run that `run` tells of, around its `main` part; `style` and `script` are its own."""
    return html(
        resource("frame.html"),
        script_policy=Html("; script-src 'unsafe-inline'" if script else ""),
        css=Html(resource("page.css") + style),
        title=title,
        lead=lead,
        stand_in=_stand_in(run),
        width_px=width_px,
        aspect=aspect,
        main=Html(main.rstrip("\n")),
        facts=table(facts),
        version=run["impasto"],
        script=Html(script),
    )


def resource(name: str) -> str:
    """The text of a file beside this one."""
    return files("bot.terminal").joinpath(name).read_text(encoding="utf-8")


def html(template: str, **values: object) -> Html:
    """The template with its values, each of them escaped unless it is HTML."""
    safe = {key: v if isinstance(v, Html) else escape(str(v)) for key, v in values.items()}
    return Html(Template(template).substitute(safe))


def _stand_in(run: Mapping[str, Any]) -> Html:
    weights = run["weights"]
    note = (
        _DRAFT
        if run.get("draft_of")
        else weights.get("note") or "Painted with stand-in weights, not with the pretrained VGG19."
    )
    return html('<p class="stand-in" role="note">$note</p>', note=note) if weights["stand_in"] else Html()


def film_section(path: Path, alt: str, most: int) -> Html:
    """The film, unless there is none, or one of more than `most` bytes."""
    if not path.is_file() or path.stat().st_size > most:
        return Html()
    figure = '<figure class="film"><img src="$uri" alt="$alt"></figure>'
    return section("The film", html(figure, uri=data_uri("webp", path.read_bytes()), alt=alt))


def plot_section(path: Path, title: str, alt: str) -> Html:
    """A plot, unless there is none."""
    if not path.is_file():
        return Html()
    figure = '<figure class="plot"><img loading="lazy" src="$uri" alt="$alt"></figure>'
    return section(title, html(figure, uri=data_uri("png", path.read_bytes()), alt=alt))


def hero(uri: str, alt: str) -> Html:
    """What the page is about, in a frame on a wall."""
    figure = (
        '<div class="wall"><figure class="hero"><div class="frame"><img src="$uri" alt="$alt"></div></figure></div>'
    )
    return html(figure, uri=uri, alt=alt)


def section(title: str, body: Html) -> Html:
    """A part of the page under its heading."""
    return html("<section>\n<h2>$title</h2>\n$body\n</section>", title=title, body=body)


def table(rows: Mapping[str, str]) -> Html:
    """The rows of a table of names and values."""
    row = '<tr><th scope="row">$key</th><td>$value</td></tr>\n'
    return Html("".join(html(row, key=key, value=value) for key, value in rows.items()))


def embed(paths: Sequence[Path], *, longest: int, budget: int) -> list[str]:
    """A data URI of each picture, empty where there is none; all of them within `budget` bytes if need be."""
    pictures = [_opened(path) if path.is_file() else None for path in paths]
    encoded: list[bytes] = []
    for share, quality in _LADDER:
        encoded = [_webp(picture, round(longest * share), quality) if picture else b"" for picture in pictures]
        if sum(map(len, encoded)) <= budget:
            break
    return [data_uri("webp", data) if data else "" for data in encoded]


def _opened(path: Path) -> Image.Image:
    """With its transparency, if it has any, and without what else the file tells."""
    with Image.open(path) as file:
        picture = file.convert("RGBA" if file.has_transparency_data else "RGB")
    picture.info = {}
    return picture


def _webp(picture: Image.Image, longest: int, quality: int) -> bytes:
    small, out = picture.copy(), BytesIO()
    small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    small.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()


def data_uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"
