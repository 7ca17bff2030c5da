"""What Discord demands of a modal, and of what a person fills in."""

from __future__ import annotations

from typing import Any

from discord_server.codes import SELECTS, Part
from discord_server.component_rules import check_custom_id, check_options, check_select, check_span, walk
from discord_server.file_types import check_file_types
from discord_server.refusals import FormErrors, Path

Json = dict[str, Any]

MOST_TOP_LEVEL = 5
FIELDS = SELECTS | {Part.TEXT_INPUT, Part.FILE_UPLOAD, Part.RADIO_GROUP, Part.CHECKBOX_GROUP, Part.CHECKBOX}
SHORT, PARAGRAPH = 1, 2


def check_modal(modal: Json) -> None:
    """Raises 50035 for a modal that Discord would refuse."""
    errors = FormErrors()
    root: Path = ("data",)
    errors.length((*root, "custom_id"), modal.get("custom_id"), 1, 100)
    errors.length((*root, "title"), modal.get("title"), 1, 45)
    components = modal.get("components")
    errors.count((*root, "components"), components, 1, MOST_TOP_LEVEL)
    seen: set[object] = set()
    for path, component in walk(components or [], (*root, "components")):
        _check(errors, path, component, top_level=len(path) == len(root) + 2)
        custom_id = component.get("custom_id")
        if custom_id is not None and custom_id in seen:
            errors.add(
                (*path, "custom_id"), "Component custom id cannot be duplicated", "COMPONENT_CUSTOM_ID_DUPLICATED"
            )
        seen.add(custom_id)
    errors.raise_if_any()


def _check(errors: FormErrors, path: Path, component: Json, top_level: bool) -> None:
    kind = component.get("type")
    if top_level and kind not in (Part.LABEL, Part.ROW, Part.TEXT):
        errors.add((*path, "type"), "Value of field must be one of (1, 10, 18).", "UNION_TYPE_CHOICES")
    if kind == Part.LABEL:
        errors.length((*path, "label"), component.get("label"), 1, 45)
        errors.too_long((*path, "description"), component.get("description"), 100)
        if (component.get("component") or {}).get("type") not in FIELDS:
            errors.add((*path, "component"), "A label needs a field.", "UNION_TYPE_CHOICES")
    elif kind == Part.TEXT_INPUT:
        _check_text_input(errors, path, component)
    elif kind in SELECTS:
        check_select(errors, path, component)
    elif kind == Part.FILE_UPLOAD:
        check_custom_id(errors, path, component)
        check_span(errors, path, component, 10)
        check_file_types(errors, path, component)
    elif kind in (Part.RADIO_GROUP, Part.CHECKBOX_GROUP):
        check_custom_id(errors, path, component)
        check_options(errors, path, component, most=10, least=2 if kind == Part.RADIO_GROUP else 1)
    elif kind == Part.CHECKBOX:
        check_custom_id(errors, path, component)


def _check_text_input(errors: FormErrors, path: Path, field: Json) -> None:
    check_custom_id(errors, path, field)
    if field.get("style") not in (SHORT, PARAGRAPH):
        errors.add((*path, "style"), "Value of field must be one of (1, 2).", "BASE_TYPE_CHOICES")
    errors.too_long((*path, "placeholder"), field.get("placeholder"), 100)
    errors.too_long((*path, "value"), field.get("value"), 4000)
    for key, least in (("min_length", 0), ("max_length", 1)):
        value = field.get(key)
        if value is not None and not least <= value <= 4000:
            errors.add((*path, key), f"int value should be between {least} and 4000.", "NUMBER_TYPE_RANGE")
