"""Which kinds of files an attachment option or a file upload takes: its `file_types`."""

from __future__ import annotations

from typing import Any

from discord_server.impossible_action import Impossible
from discord_server.refusals import FormErrors, Path

Json = dict[str, Any]

MOST = 10
GROUPS = {
    "image": {".png", ".gif", ".jpg", ".jpeg", ".jfif", ".webp", ".avif"},
    "video": {".mp4", ".mov", ".qt", ".webm"},
    "audio": {".mp3", ".m4a", ".wav", ".ogg", ".opus", ".flac"},
}
"""As people have found them; Discord does not promise them. Only the name's ending counts."""


def check_file_types(errors: FormErrors, path: Path, holder: Json) -> None:
    types = holder.get("file_types") or []
    errors.count((*path, "file_types"), types, 0, MOST)
    for index, one in enumerate(types if isinstance(types, list) else []):
        if one not in GROUPS and not (isinstance(one, str) and one.startswith(".")):
            errors.add((*path, "file_types", index), "Value is not a valid choice.", "BASE_TYPE_CHOICES")


def require_file_type(holder: Json, filename: str) -> None:
    """Impossible for a file that Discord's client does not let a person choose."""
    types = holder.get("file_types") or []
    endings = {ending for one in types for ending in GROUPS.get(one, {one})}
    if endings and not filename.lower().endswith(tuple(endings)):
        raise Impossible(f"{filename} is none of the files that can be chosen: {types}")
