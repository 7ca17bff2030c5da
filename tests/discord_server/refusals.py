"""Answers other than success, with Discord's own codes, statuses and words."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

KNOWN: dict[int, tuple[int, str]] = {
    0: (401, "401: Unauthorized"),
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    30034: (400, "Maximum number of daily application command creates has been reached (200)"),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later."),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40094: (400, "This interaction has reached the maximum number of follow up messages."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160004: (400, "A thread has already been created for this message"),
    160005: (403, "Thread is locked"),
    160006: (400, "Maximum number of active threads reached"),
    160007: (400, "Maximum number of active announcement threads reached"),
    200000: (400, "Message was blocked by automatic moderation"),
    240000: (400, "Message blocked by harmful links filter"),
}


class Refusal(Exception):
    """An answer other than success.

    `violation` says that no correct client would have asked: the answer is then also listed among the violations.
    """

    def __init__(self, code: int, *, status: int | None = None, message: str | None = None) -> None:
        known_status, known_message = KNOWN.get(code, (400, "Bad Request"))
        self.code, self.status, self.message = code, status or known_status, message or known_message
        self.errors: Json | None = None
        self.violation = False
        self.retry_after = 0.0
        """Seconds, for a 429."""
        super().__init__(f"{self.status} {self.code}: {self.message}")

    def body(self) -> Json:
        body: Json = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


def invalid(code: int, message: str | None = None) -> Refusal:
    """A refusal that no correct client would meet."""
    refusal = Refusal(code, message=message)
    refusal.violation = True
    return refusal


Path = tuple[str | int, ...]
"""Where in a body: ("components", 0, "label")."""


class FormErrors:
    """Collects what is wrong with one body, then raises it in one answer, as Discord does."""

    def __init__(self) -> None:
        self._found: list[tuple[Path, str, str]] = []

    def add(self, path: Path, message: str, code: str = "BASE_TYPE_INVALID") -> None:
        self._found.append((path, code, message))

    def too_long(self, path: Path, text: object, most: int) -> None:
        if isinstance(text, str) and len(text) > most:
            self.add(path, f"Must be {most} or fewer in length.", "BASE_TYPE_MAX_LENGTH")

    def length(self, path: Path, text: object, least: int, most: int) -> None:
        if not isinstance(text, str) or not least <= len(text) <= most:
            self.add(path, f"Must be between {least} and {most} in length.", "BASE_TYPE_BAD_LENGTH")

    def count(self, path: Path, items: object, least: int, most: int) -> None:
        if not isinstance(items, list) or not least <= len(items) <= most:
            self.add(path, f"Must be between {least} and {most} in length.", "BASE_TYPE_BAD_LENGTH")

    def raise_if_any(self) -> None:
        if not self._found:
            return
        places = [f"{'.'.join(map(str, path))}: {message}" for path, _, message in self._found]
        refusal = invalid(50035, "Invalid Form Body\n" + "\n".join(places))
        refusal.errors = self._tree()
        raise refusal

    def _tree(self) -> Json:
        """Of a field that is wrong as a whole nothing is said about its parts: so Discord describes its answers."""
        tree: Json = {}
        for path, code, message in sorted(self._found, key=lambda found: len(found[0])):
            node = tree
            for step in path:
                if "_errors" in node:
                    break
                node = node.setdefault(str(step), {})
            else:
                node.setdefault("_errors", []).append({"code": code, "message": message})
        return tree
