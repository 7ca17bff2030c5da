"""A modal as a person fills it in, held against what its fields take."""

from __future__ import annotations

from typing import Any

from discord_server.codes import Part
from discord_server.component_rules import walk
from discord_server.file_types import require_file_type
from discord_server.impossible_action import Impossible
from discord_server.interactions import Seat
from discord_server.media import Upload
from discord_server.named_components import resolved_things

Json = dict[str, Any]


def filled_modal(seat: Seat, modal: Json, values: Json, uploads: list[Upload]) -> tuple[list[Json], Json]:
    """The `components` and `resolved` of a modal submit. `values` go by custom_id or by label.

    A file is {"file": n}, n the index of its upload; several values are a list.
    """
    labels = _labels(modal)
    for name in values.keys() - labels.keys() - set(labels.values()):
        raise Impossible(f"that modal has no field {name!r}; it has {sorted(labels.values())} ({sorted(labels)})")
    filler = _Filler(seat, {upload.index: upload for upload in uploads})
    by_id = {field: values.get(field, values.get(label)) for field, label in labels.items()}
    components = [filler.fill(component, by_id) for component in modal["components"]]
    return components, filler.resolved


def _labels(modal: Json) -> dict[str, str]:
    """The label of each field, by custom_id."""
    labels: dict[str, str] = {}
    for _, component in walk(modal["components"]):
        inner = component.get("component") if component["type"] == Part.LABEL else component
        if inner and inner.get("custom_id"):
            labels.setdefault(inner["custom_id"], component.get("label") or inner["custom_id"])
    return labels


class _Filler:
    def __init__(self, seat: Seat, uploads: dict[int, Upload]) -> None:
        self._world, self._channel, self._uploads = seat.world, seat.channel, uploads
        self.resolved: Json = {}

    def fill(self, component: Json, values: Json) -> Json:
        described: Json = {"type": component["type"], "id": component.get("id", 0)}
        if component["type"] == Part.LABEL:
            return {**described, "component": self.fill(component["component"], values)}
        if component["type"] == Part.ROW:
            return {**described, "components": [self.fill(one, values) for one in component["components"]]}
        if "custom_id" not in component:
            return described
        described["custom_id"] = component["custom_id"]
        return {**described, **self._answer(component, values.get(component["custom_id"]))}

    def _answer(self, field: Json, value: Any) -> Json:
        kind = field["type"]
        if kind == Part.TEXT_INPUT:
            return {"value": _text(field, value)}
        if kind == Part.CHECKBOX:
            return {"value": bool(field.get("default") if value is None else value)}
        if kind == Part.RADIO_GROUP:
            chosen = _options(field, value)
            return {"value": chosen[0] if chosen else None}
        if kind == Part.FILE_UPLOAD:
            return {"values": self._files(field, value)}
        if kind in (Part.STRING_SELECT, Part.CHECKBOX_GROUP):
            chosen = _options(field, value)
            _check_count(field, chosen)
            return {"values": chosen}
        things = [str(one) for one in _several(value)]
        _check_count(field, things)
        self.resolved.update(resolved_things(self._world, self._channel, things))
        return {"values": things}

    def _files(self, field: Json, value: Any) -> list[str]:
        files = _several(value)
        _check_count(field, files)
        for file in files:
            require_file_type(field, self._uploads[file["file"]].filename)
        kept = [self._world.media.keep(self._uploads[file["file"]], self._channel.id, ephemeral=True) for file in files]
        for one in kept:
            self.resolved.setdefault("attachments", {})[str(one.id)] = self._world.media.described(one)
        return [str(one.id) for one in kept]


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _text(field: Json, value: Any) -> str:
    text = str(field.get("value") or "") if value is None else str(value)
    least = field.get("min_length", 1 if field.get("required", True) else 0)
    optional = not text and not field.get("required", True)
    if not optional and not max(least, int(field.get("required", True))) <= len(text) <= field.get("max_length", 4000):
        raise Impossible(f"the field {field['custom_id']!r} does not take a text of {len(text)} characters")
    return text


def _options(field: Json, value: Any) -> list[str]:
    by_name = {name: one["value"] for one in field["options"] for name in (one["label"], one["value"])}
    if value is None:
        chosen = [one["value"] for one in field["options"] if one.get("default")]
    else:
        unknown = [one for one in _several(value) if one not in by_name]
        if unknown:
            raise Impossible(f"the field {field['custom_id']!r} has no options {unknown}; it has {sorted(by_name)}")
        chosen = [by_name[one] for one in _several(value)]
    if field.get("required", True) and not chosen:
        raise Impossible(f"the field {field['custom_id']!r} is required")
    return chosen


def _check_count(field: Json, chosen: list[Any]) -> None:
    required = field.get("required", True)
    least, most = field.get("min_values", 1), field.get("max_values", 1)
    if not chosen and not required:
        return
    if not least <= len(chosen) <= most:
        raise Impossible(f"the field {field['custom_id']!r} takes {least} to {most} values, not {len(chosen)}")
