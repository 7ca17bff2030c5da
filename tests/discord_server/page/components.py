"""The components of a message, legacy rows as well as Components V2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from discord_server.page.controls import BUTTON, action_row, button
from discord_server.page.markdown import markdown
from discord_server.page.markup import Html, join, tag
from discord_server.page.media import file_box, linked, mosaic
from discord_server.page.view import Json, View

_SECTION, _TEXT, _THUMBNAIL, _GALLERY, _FILE, _SEPARATOR, _CONTAINER = 9, 10, 11, 12, 13, 14, 17


def components(message: Json, view: View) -> Html:
    """All components of the message. Raises `ValueError` for a type that no message can have."""
    return _each(message.get("components", ()), message, view)


def texts(components: Iterable[Json]) -> Iterator[str]:
    """What the TextDisplays among the components say, in their order."""
    for component in components:
        if component["type"] == _TEXT:
            yield component["content"]
        yield from texts(component.get("components", ()))


def _each(children: Iterable[Json], message: Json, view: View) -> Html:
    return join(_one(child, message, view) for child in children)


def _one(component: Json, message: Json, view: View) -> Html:
    if component["type"] not in _DRAWN:
        raise ValueError(f"A message has no component of type {component['type']}.")
    return _DRAWN[component["type"]](component, message, view)


def _row(row: Json, message: Json, view: View) -> Html:
    return action_row(row, view)


def _text(text: Json, message: Json, view: View) -> Html:
    return tag("div", markdown(text["content"], view), cls="markdown")


def _section(section: Json, message: Json, view: View) -> Html:
    accessory = section["accessory"]
    beside = button(accessory, view) if accessory["type"] == BUTTON else _one(accessory, message, view)
    return tag("div", tag("div", _each(section["components"], message, view)), beside, cls="section")


def _thumbnail(thumbnail: Json, message: Json, view: View) -> Html:
    media = linked(thumbnail, message)
    return tag("img", src=view.source(media.url), alt=media.alt, cls="thumbnail")


def _gallery(gallery: Json, message: Json, view: View) -> Html:
    return join([mosaic([linked(item, message) for item in gallery["items"]], view)])


def _file(file: Json, message: Json, view: View) -> Html:
    return file_box(linked(file, message, key="file"))


def _separator(separator: Json, message: Json, view: View) -> Html:
    line = "ruled" if separator.get("divider", True) else "gap"
    return tag("div", cls=f"separator {line} {'large' if separator.get('spacing', 1) == 2 else 'small'}")


def _container(container: Json, message: Json, view: View) -> Html:
    accent = container.get("accent_color")
    return tag(
        "div",
        tag("div", _each(container["components"], message, view)),
        tag("span", "SPOILER", cls="cover") if container.get("spoiler") else None,
        cls=" ".join(["container", *["accent"] * (accent is not None), *["hidden"] * bool(container.get("spoiler"))]),
        style=f"--accent: #{accent:06x}" if accent is not None else None,
    )


_DRAWN: dict[int, Callable[[Json, Json, View], Html]] = {
    1: _row,
    _SECTION: _section,
    _TEXT: _text,
    _THUMBNAIL: _thumbnail,
    _GALLERY: _gallery,
    _FILE: _file,
    _SEPARATOR: _separator,
    _CONTAINER: _container,
}
