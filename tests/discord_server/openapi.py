"""Discord's own OpenAPI description, where it is at hand: each body that the bot sends is held against it."""

from __future__ import annotations

import copy
import json
import os
from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonschema
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from discord_server.refusals import FormErrors

Json = dict[str, Any]

BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared" / "data" / "discord-openapi.json"
ABSENT = (
    "Discord's OpenAPI description is not at hand: bodies are checked by the stand-in's own rules only "
    "(DISCORD_OPENAPI may name the file)"
)


def description_path() -> Path | None:
    """Where the description lies on this machine, if it does."""
    path = Path(os.environ.get("DISCORD_OPENAPI") or BESIDE_THE_REPOSITORY)
    return path if path.is_file() else None


@cache
def load(path: Path) -> OpenApi:
    """Once per process: a description weighs a megabyte."""
    return OpenApi(path)


class OpenApi:
    """Validates bodies."""

    def __init__(self, path: Path) -> None:
        self._document = json.loads(path.read_text())
        self._registry = Registry().with_resource("discord", DRAFT202012.create_resource(self._document))
        self._validator = cache(self._new_validator)

    def check(self, method: str, template: str, body: object) -> None:
        """Raises 50035 with a tree of errors. A route that takes no body is not checked."""
        validator = self._validator(method, template)
        if validator is None:
            return
        errors = FormErrors()
        for error in validator.iter_errors(_with_string_ids(body)):
            deepest = best_match(error.context) if error.context else None
            culprit = cast(ValidationError, deepest or error)
            errors.add(tuple(culprit.absolute_path), f"Discord's OpenAPI description: {culprit.message[:300]}")
        errors.raise_if_any()

    def knows(self, method: str, template: str) -> bool:
        return method.lower() in self._document["paths"].get(template, {})

    def _new_validator(self, method: str, template: str) -> Any:
        operation = self._document["paths"].get(template, {}).get(method.lower(), {})
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        place = template.replace("~", "~0").replace("/", "~1")
        pointer = f"#/paths/{place}/{method.lower()}/requestBody/content/application~1json/schema"
        schema = {"$ref": "discord" + pointer.replace("{", "%7B").replace("}", "%7D")}
        return jsonschema.Draft202012Validator(schema, registry=self._registry)


def _with_string_ids(body: object) -> object:
    """discord.py writes an upload's index, and whom a message may ping, as integers; Discord takes both.

    The description says that they are strings.
    """
    if not isinstance(body, dict):
        return body
    body = copy.deepcopy(body)
    for holder in (body, body.get("data"), body.get("message")):
        if not isinstance(holder, dict):
            continue
        for entry in holder.get("attachments") or []:
            if isinstance(entry, dict) and isinstance(entry.get("id"), int):
                entry["id"] = str(entry["id"])
        allowed = holder.get("allowed_mentions")
        for kind in ("users", "roles"):
            if isinstance(allowed, dict) and isinstance(allowed.get(kind), list):
                allowed[kind] = [str(one) for one in allowed[kind]]
    return body
