"""Discord's own OpenAPI description, where it is at hand: each request and each answer is held against it."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from discord_server.refusals import FormErrors

Json = dict[str, Any]

BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared" / "data" / "discord-openapi.json"
ABSENT = (
    "Discord's OpenAPI description is not at hand: requests are checked by the stand-in's own rules only, "
    "and its answers not at all (DISCORD_OPENAPI may name the file)"
)


def description_path() -> Path | None:
    """Where the description lies on this machine, if it does."""
    path = Path(os.environ.get("DISCORD_OPENAPI") or BESIDE_THE_REPOSITORY)
    return path if path.is_file() else None


JSON = "application/json"
FORWARD = 1
BY_TYPE = "x-by-type"
UNIONS = ("oneOf", "anyOf")


def _simplify(node: Any, schemas: Json) -> None:
    """Turns each union whose members differ by their `type` into a table, and each union of constants into an enum.

    A card of 20 components then takes 2 ms instead of 25, and an error says what is wrong in the member that was meant.
    """
    if isinstance(node, list):
        for one in node:
            _simplify(one, schemas)
    elif isinstance(node, dict):
        for union in UNIONS:
            members = node.get(union)
            table = _table(members, schemas)
            if table is not None:
                del node[union]
                node[BY_TYPE] = table
            elif isinstance(members, list) and all("const" in member for member in members):
                del node[union]
                node["enum"] = [member["const"] for member in members]
        for one in node.values():
            _simplify(one, schemas)


def _table(members: Any, schemas: Json) -> Json | None:
    if not isinstance(members, list):
        return None
    table: Json = {}
    for member in members:
        schema = schemas.get(member.get("$ref", "").removeprefix("#/components/schemas/"), {})
        types = schema.get("properties", {}).get("type", {}).get("enum", [])
        if not types or "type" not in schema["required"] or table.keys() & set(map(str, types)):
            return None
        table |= dict.fromkeys(map(str, types), member)
    return table


def _by_type(validator: Any, table: Json, instance: Any, schema: Json) -> Iterator[ValidationError]:
    kind = instance.get("type") if isinstance(instance, dict) else None
    if str(kind) in table:
        yield from validator.descend(instance, table[str(kind)])
    else:
        yield ValidationError(f"the type {kind!r} is not one of {sorted(table)}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {BY_TYPE: _by_type})


@cache
def load(path: Path) -> OpenApi:
    """Once per process: a description weighs a megabyte."""
    return OpenApi(path)


class OpenApi:
    """Validates what goes to and fro. A route that Discord does not describe is not checked."""

    def __init__(self, path: Path) -> None:
        self._document = json.loads(path.read_text())
        _simplify(self._document, self._document["components"]["schemas"])
        self._registry = Registry().with_resource("discord", DRAFT202012.create_resource(self._document))
        self._validator = cache(self._new_validator)

    def knows(self, method: str, template: str) -> bool:
        return method.lower() in self._document["paths"].get(template, {})

    def check(self, method: str, template: str, query: Iterable[str], body: object) -> None:
        """Raises 50035 with a tree of errors for a request."""
        errors = FormErrors()
        known = self._query(method, template)
        for name in query:
            if known is not None and name not in known:
                errors.add((name,), f"Discord's OpenAPI description: {method} {template} has no such parameter.")
        content = self._operation(method, template).get("requestBody", {}).get("content", {})
        if body is not None and JSON in content:
            validator = self._validator(method, template, "requestBody")
            for error in validator.iter_errors(_as_described(body)):
                culprit = _culprit(error)
                errors.add(tuple(culprit.absolute_path), f"Discord's OpenAPI description: {culprit.message[:300]}")
        errors.raise_if_any()

    def faults(self, method: str, template: str, status: int, body: object) -> list[str]:
        """What is wrong with an answer."""
        answers = self._operation(method, template).get("responses")
        if answers is None:
            return []
        described = str(status) if str(status) in answers else f"{status // 100}XX"
        if described not in answers:
            return [f"{status} is none of {sorted(answers)}"]
        if JSON not in self._followed(answers[described]).get("content", {}):
            return [] if body is None else [f"{status} has no body"]
        validator = self._validator(method, template, "responses", described)
        culprits = map(_culprit, validator.iter_errors(_answer_as_described(body, status >= 400)))
        return [f"{culprit.json_path}: {culprit.message[:300]}" for culprit in culprits]

    def _operation(self, method: str, template: str) -> Json:
        found: Json = self._document["paths"].get(template, {}).get(method.lower(), {})
        return found

    def _query(self, method: str, template: str) -> set[str] | None:
        """The names of a route's query parameters; nothing for a route that is not described."""
        if not self.knows(method, template):
            return None
        listed = [*self._document["paths"][template].get("parameters", [])]
        listed += self._operation(method, template).get("parameters", [])
        return {one["name"] for one in map(self._followed, listed) if one["in"] == "query"}

    def _followed(self, node: Json) -> Json:
        """What a `$ref` to one of the shared components means."""
        if "$ref" not in node:
            return node
        found: Json = self._document
        for step in node["$ref"].split("/")[1:]:
            found = found[step]
        return found

    def _new_validator(self, method: str, template: str, *part: str) -> Any:
        steps = ["paths", template, method.lower(), *part]
        node: Any = self._document
        for step in steps:
            node = node[step]
        if "$ref" in node:
            steps = node["$ref"].split("/")[1:]
        steps += ["content", JSON, "schema"]
        pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
        return Validator({"$ref": f"discord#/{quote(pointer, safe='/~@')}"}, registry=self._registry)


def _culprit(error: ValidationError) -> ValidationError:
    """The part of a body that an error is about, where it is one of several alternatives: never that it is there."""
    alternatives = [one for one in error.context or [] if one.validator_value != "null"]
    return _culprit(best_match(alternatives)) if alternatives else error


def _answer_as_described(tree: Any, refused: bool) -> Any:
    """An answer without what Discord says although the description says otherwise.

    Of the codes in an error those of fields are words, not numbers; a message may point to one that it forwards.
    """
    if isinstance(tree, list):
        return [_answer_as_described(one, refused) for one in tree]
    if not isinstance(tree, dict):
        return tree
    described = {key: _answer_as_described(value, refused) for key, value in tree.items()}
    if refused and "code" in described:
        described["code"] = 0
    if described.get("message_reference", {}).get("type") == FORWARD:
        described["message_reference"]["type"] = 0
    return described


def _as_described(body: object) -> object:
    """Without what Discord takes although the description says otherwise.

    discord.py writes ids as integers (an upload's, whom a message may ping or answers, whose direct messages are
    opened, what a select begins with); rights are strings in Discord's documentation, integers here.
    """
    body = copy.deepcopy(body)
    if isinstance(body, list):
        for command in body:
            rights = command.get("default_member_permissions") if isinstance(command, dict) else None
            if isinstance(rights, str) and rights.isdigit():
                command["default_member_permissions"] = int(rights)
    if not isinstance(body, dict):
        return body
    if isinstance(body.get("recipient_id"), int):
        body["recipient_id"] = str(body["recipient_id"])
    for holder in (body, body.get("data"), body.get("message")):
        if isinstance(holder, dict):
            _ids_as_strings(holder)
    return body


def _ids_as_strings(message: Json) -> None:
    reference, allowed = message.get("message_reference"), message.get("allowed_mentions")
    for holder in (*(message.get("attachments") or []), reference):
        for key in ("id", "message_id", "channel_id", "guild_id"):
            if isinstance(holder, dict) and isinstance(holder.get(key), int):
                holder[key] = str(holder[key])
    for kind in ("users", "roles"):
        if isinstance(allowed, dict) and isinstance(allowed.get(kind), list):
            allowed[kind] = [str(one) for one in allowed[kind]]
    for component in _objects(message.get("components")):
        for chosen in _objects(component.get("default_values")):
            if isinstance(chosen.get("id"), int):
                chosen["id"] = str(chosen["id"])


def _objects(tree: object) -> Iterator[Json]:
    """Every object in a tree that may be anything."""
    if isinstance(tree, dict):
        yield tree
    if isinstance(tree, dict | list):
        for one in tree.values() if isinstance(tree, dict) else tree:
            yield from _objects(one)
