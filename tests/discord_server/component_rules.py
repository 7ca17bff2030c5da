"""What Discord demands of a message's components, one by one and together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from discord_server.codes import SELECTS, Part
from discord_server.refusals import FormErrors, Path

Json = dict[str, Any]

MOST_PARTS = 40
MOST_TEXT = 4000
LEGACY_ROWS = 5
BUTTON_LINK, BUTTON_PREMIUM = 5, 6

IN_CONTAINER = frozenset({Part.ROW, Part.SECTION, Part.TEXT, Part.GALLERY, Part.FILE, Part.SEPARATOR})
TOP_LEVEL = IN_CONTAINER | {Part.CONTAINER}


def walk(components: list[Json], path: Path = ("components",)) -> Iterator[tuple[Path, Json]]:
    """Each component with its place, parents first."""
    for index, component in enumerate(components):
        here = (*path, index)
        yield here, component
        children = component.get("components")
        if isinstance(children, list):
            yield from walk(children, (*here, "components"))
        for single in ("accessory", "component"):
            if isinstance(component.get(single), dict):
                yield (*here, single), component[single]


def without_nulls(tree: Any) -> Any:
    """A copy without the keys whose value is null: to Discord that is the same as leaving them out."""
    if isinstance(tree, dict):
        return {key: without_nulls(value) for key, value in tree.items() if value is not None}
    return [without_nulls(one) for one in tree] if isinstance(tree, list) else tree


def media_of(component: Json, path: Path) -> Iterator[tuple[Path, Json]]:
    """The media items that a component shows, with their places."""
    kind = component.get("type")
    if kind == Part.THUMBNAIL:
        yield (*path, "media"), component.get("media") or {}
    elif kind == Part.FILE:
        yield (*path, "file"), component.get("file") or {}
    elif kind == Part.GALLERY:
        for index, item in enumerate(component.get("items") or []):
            yield (*path, "items", index, "media"), item.get("media") or {}


def texts_of(components: list[Json]) -> Iterator[str]:
    for _, component in walk(components):
        if component.get("type") == Part.TEXT:
            yield str(component.get("content", ""))


def check_components(errors: FormErrors, components: object, v2: bool) -> None:
    """Adds what is wrong with the components of a message to `errors`."""
    root: Path = ("components",)
    if not isinstance(components, list) or not all(isinstance(component, dict) for component in components):
        errors.add(root, "Only lists may be used in this field.")
        return
    _check_nesting(errors, components, v2)
    everything = list(walk(components))
    if len(everything) > MOST_PARTS:
        errors.add(root, f"Must be {MOST_PARTS} or fewer components in total, nested ones included.", "BASE_TYPE_MAX")
    if sum(map(len, texts_of(components))) > MOST_TEXT:
        errors.add(root, f"The text shown must be {MOST_TEXT} or fewer in length in total.", "BASE_TYPE_MAX_LENGTH")
    _check_unique(errors, everything, "custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED")
    _check_unique(errors, everything, "id", "COMPONENT_ID_DUPLICATED")
    for path, component in everything:
        check = CHECKS.get(component.get("type", 0))
        if check is not None:
            check(errors, path, component)


def _check_nesting(errors: FormErrors, components: list[Json], v2: bool) -> None:
    if not v2 and len(components) > LEGACY_ROWS:
        errors.count(("components",), components, 0, LEGACY_ROWS)
    allowed = TOP_LEVEL if v2 else frozenset({Part.ROW})
    for index, component in enumerate(components):
        if component.get("type") not in allowed:
            kinds = sorted(int(kind) for kind in allowed)
            errors.add(("components", index, "type"), f"Value of field must be one of {kinds}.", "UNION_TYPE_CHOICES")


def _check_unique(errors: FormErrors, everything: list[tuple[Path, Json]], key: str, code: str) -> None:
    seen: set[object] = set()
    for path, component in everything:
        value = component.get(key)
        if value is not None and value in seen:
            errors.add((*path, key), f"Component {key.replace('_', ' ')} cannot be duplicated", code)
        seen.add(value)


def _check_row(errors: FormErrors, path: Path, row: Json) -> None:
    children = row.get("components")
    errors.count((*path, "components"), children, 1, 5)
    kinds = [child.get("type") for child in children or []]
    if any(kind in SELECTS for kind in kinds) and len(kinds) > 1:
        errors.add(
            (*path, "components"), "A row holds up to 5 buttons or one select.", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"
        )
    if any(kind not in SELECTS | {Part.BUTTON} for kind in kinds):
        errors.add((*path, "components"), "A row holds buttons or a select.", "UNION_TYPE_CHOICES")


def check_custom_id(errors: FormErrors, path: Path, component: Json) -> None:
    errors.length((*path, "custom_id"), component.get("custom_id"), 1, 100)


def _check_button(errors: FormErrors, path: Path, button: Json) -> None:
    style = button.get("style")
    if style not in range(1, 7):
        errors.add((*path, "style"), "Value of field must be one of (1, 2, 3, 4, 5, 6).", "BASE_TYPE_CHOICES")
    errors.too_long((*path, "label"), button.get("label"), 80)
    if style == BUTTON_LINK:
        errors.length((*path, "url"), button.get("url"), 1, 512)
        if button.get("custom_id") is not None:
            errors.add(
                (*path, "custom_id"), "A custom id and url cannot both be specified", "BUTTON_COMPONENT_CUSTOM_ID"
            )
    elif style != BUTTON_PREMIUM:
        check_custom_id(errors, path, button)
        if not button.get("label") and not button.get("emoji"):
            errors.add(path, "A button needs a label or an emoji.", "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED")


def check_options(errors: FormErrors, path: Path, component: Json, most: int = 25, least: int = 1) -> None:
    """The options of a select, radio group or checkbox group."""
    options = component.get("options")
    errors.count((*path, "options"), options, least, most)
    values = [option.get("value") for option in options or []]
    if len(set(values)) < len(values):
        errors.add((*path, "options"), "The specified option value is already used", "SELECT_COMPONENT_OPTION_VALUE")
    for index, option in enumerate(options or []):
        here = (*path, "options", index)
        errors.length((*here, "label"), option.get("label"), 1, 100)
        errors.length((*here, "value"), option.get("value"), 1, 100)
        errors.too_long((*here, "description"), option.get("description"), 100)


def check_select(errors: FormErrors, path: Path, select: Json) -> None:
    check_custom_id(errors, path, select)
    errors.too_long((*path, "placeholder"), select.get("placeholder"), 150)
    if select.get("type") == Part.STRING_SELECT:
        check_options(errors, path, select)
    check_span(errors, path, select, 25)


def check_span(errors: FormErrors, path: Path, component: Json, most: int) -> None:
    """`min_values` and `max_values`."""
    least, top = component.get("min_values", 1), component.get("max_values", 1)
    for key, value, low in (("min_values", least, 0), ("max_values", top, 1)):
        if value is not None and not low <= value <= most:
            errors.add((*path, key), f"int value should be between {low} and {most}.", "NUMBER_TYPE_RANGE")
    if least is not None and top is not None and least > top:
        errors.add((*path, "max_values"), "Must not be less than min_values.", "NUMBER_TYPE_MIN")


def _check_section(errors: FormErrors, path: Path, section: Json) -> None:
    children = section.get("components")
    errors.count((*path, "components"), children, 1, 3)
    if any(child.get("type") != Part.TEXT for child in children or []):
        errors.add((*path, "components"), "A section holds texts only.", "UNION_TYPE_CHOICES")
    if (section.get("accessory") or {}).get("type") not in (Part.BUTTON, Part.THUMBNAIL):
        errors.add((*path, "accessory"), "A section needs a button or a thumbnail beside it.", "BASE_TYPE_REQUIRED")


def _check_text(errors: FormErrors, path: Path, text: Json) -> None:
    errors.length((*path, "content"), text.get("content"), 1, MOST_TEXT)


def _check_thumbnail(errors: FormErrors, path: Path, thumbnail: Json) -> None:
    errors.too_long((*path, "description"), thumbnail.get("description"), 1024)


def _check_gallery(errors: FormErrors, path: Path, gallery: Json) -> None:
    items = gallery.get("items")
    errors.count((*path, "items"), items, 1, 10)
    for index, item in enumerate(items or []):
        errors.too_long((*path, "items", index, "description"), item.get("description"), 1024)


def _check_file(errors: FormErrors, path: Path, file: Json) -> None:
    if not str((file.get("file") or {}).get("url", "")).startswith("attachment://"):
        errors.add((*path, "file", "url"), "Only attachment references are supported.", "URL_TYPE_INVALID_SCHEME")


def _check_separator(errors: FormErrors, path: Path, separator: Json) -> None:
    if separator.get("spacing", 1) not in (1, 2):
        errors.add((*path, "spacing"), "Value of field must be one of (1, 2).", "BASE_TYPE_CHOICES")


def _check_container(errors: FormErrors, path: Path, container: Json) -> None:
    children = container.get("components")
    errors.count((*path, "components"), children, 1, MOST_PARTS)
    if any(child.get("type") not in IN_CONTAINER for child in children or []):
        errors.add((*path, "components"), "A container holds no such component.", "UNION_TYPE_CHOICES")
    colour = container.get("accent_color")
    if colour is not None and not 0 <= colour <= 0xFFFFFF:
        errors.add((*path, "accent_color"), "int value should be between 0 and 16777215.", "NUMBER_TYPE_RANGE")


CHECKS: dict[int, Callable[[FormErrors, Path, Json], None]] = {
    Part.ROW: _check_row,
    Part.BUTTON: _check_button,
    Part.SECTION: _check_section,
    Part.TEXT: _check_text,
    Part.THUMBNAIL: _check_thumbnail,
    Part.GALLERY: _check_gallery,
    Part.FILE: _check_file,
    Part.SEPARATOR: _check_separator,
    Part.CONTAINER: _check_container,
    **dict.fromkeys(SELECTS, check_select),
}
