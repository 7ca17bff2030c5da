"""What Discord demands of the commands that an application registers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from discord_server.file_types import check_file_types
from discord_server.refusals import FormErrors, Path

Json = dict[str, Any]

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, SUBCOMMAND_GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(
    1, 12
)
MOST_OF_TYPE = {CHAT_INPUT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
MOST_TEXT = 8000


def check_commands(commands: object) -> None:
    """Raises 50035 for a bulk overwrite that Discord would refuse."""
    errors = FormErrors()
    if not isinstance(commands, list):
        errors.add((), "Only lists may be used in this field.")
        commands = []
    for index, command in enumerate(commands):
        _check_command(errors, (index,), command)
    kinds = Counter(command.get("type", CHAT_INPUT) for command in commands)
    for kind, most in MOST_OF_TYPE.items():
        if kinds[kind] > most:
            errors.add(
                (), f"Maximum number of application commands of type {kind} reached ({most}).", "APPLICATION_COMMANDS"
            )
    names = Counter((command.get("type", CHAT_INPUT), command.get("name")) for command in commands)
    for (_, name), times in names.items():
        if times > 1:
            errors.add((), f"Application command names must be unique: {name}", "APPLICATION_COMMANDS_DUPLICATE_NAME")
    errors.raise_if_any()


def _check_command(errors: FormErrors, path: Path, command: Json) -> None:
    kind = command.get("type", CHAT_INPUT)
    if kind not in MOST_OF_TYPE:
        errors.add((*path, "type"), "Value is not a valid choice.", "BASE_TYPE_CHOICES")
    if kind == CHAT_INPUT:
        _check_names(errors, path, command)
        _check_options(errors, path, command.get("options") or [])
    else:
        errors.length((*path, "name"), command.get("name"), 1, 32)
        if command.get("description"):
            errors.add((*path, "description"), "Context menu commands cannot have description", "APPLICATION_COMMAND")
        if command.get("options"):
            errors.add((*path, "options"), "Context menu commands cannot have options", "APPLICATION_COMMAND")
    for key, known in (("contexts", {0, 1, 2}), ("integration_types", {0, 1})):
        if not known.issuperset(command.get(key) or []):
            errors.add((*path, key), "Value is not a valid choice.", "BASE_TYPE_CHOICES")
    if text_size(command) > MOST_TEXT:
        errors.add(path, f"Command exceeds maximum size ({MOST_TEXT})", "APPLICATION_COMMAND_TOO_LARGE")


def _check_names(errors: FormErrors, path: Path, holder: Json) -> None:
    """A command's or an option's name and description, in all languages."""
    for where, name in (((*path, "name"), holder.get("name")), *_localized(holder, "name", path)):
        errors.length(where, name, 1, 32)
        letters = str(name)
        if not all(letter.isalnum() or letter in "-_'" for letter in letters) or letters != letters.lower():
            errors.add(where, f"Command name is invalid: {name}", "APPLICATION_COMMAND_INVALID_NAME")
    for where, text in (((*path, "description"), holder.get("description")), *_localized(holder, "description", path)):
        errors.length(where, text, 1, 100)


def _localized(holder: Json, key: str, path: Path) -> list[tuple[Path, str]]:
    table = holder.get(f"{key}_localizations") or {}
    return [((*path, f"{key}_localizations", locale), text) for locale, text in table.items()]


def _check_options(errors: FormErrors, path: Path, options: list[Json]) -> None:
    errors.count((*path, "options"), options, 0, 25)
    names = [option.get("name") for option in options]
    if len(set(names)) < len(names):
        errors.add((*path, "options"), "Option names must be unique.", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID")
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        text = "Required options must be placed before non-required options"
        errors.add((*path, "options"), text, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID")
    for index, option in enumerate(options):
        _check_option(errors, (*path, "options", index), option)


def _check_option(errors: FormErrors, path: Path, option: Json) -> None:
    _check_names(errors, path, option)
    if option.get("type") not in range(SUBCOMMAND, ATTACHMENT + 1):
        errors.add((*path, "type"), "Value is not a valid choice.", "BASE_TYPE_CHOICES")
    if option.get("type") in (SUBCOMMAND, SUBCOMMAND_GROUP):
        _check_options(errors, path, option.get("options") or [])
    check_file_types(errors, path, option)
    choices = option.get("choices") or []
    errors.count((*path, "choices"), choices, 0, 25)
    if choices and option.get("autocomplete"):
        errors.add((*path, "choices"), "Choices cannot be defined with autocomplete.", "APPLICATION_COMMAND_OPTIONS")
    for index, choice in enumerate(choices):
        check_choice(errors, (*path, "choices", index), choice, option.get("type", STRING))


def check_choice(errors: FormErrors, path: Path, choice: Json, kind: int) -> None:
    """A choice of an option, or one that autocomplete offers."""
    errors.length((*path, "name"), choice.get("name"), 1, 100)
    value = choice.get("value")
    if kind == STRING:
        errors.length((*path, "value"), value, 1, 100)
    elif isinstance(value, bool) or not isinstance(value, int if kind == INTEGER else int | float):
        errors.add((*path, "value"), "Value has the wrong type.", "BASE_TYPE_INVALID")


def text_size(holder: Json) -> int:
    """Characters of names, descriptions and choice values; of a translated text the longest counts."""
    size = 0
    for key in ("name", "description"):
        size += max(map(len, [str(holder.get(key) or ""), *(holder.get(f"{key}_localizations") or {}).values()]))
    size += sum(len(choice["name"]) + len(str(choice["value"])) for choice in holder.get("choices") or [])
    return size + sum(map(text_size, holder.get("options") or []))
