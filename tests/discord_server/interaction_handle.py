"""An interaction in a test's hands: what it was answered with, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from discord_server.control_client import Link
from discord_server.message_text import is_thinking
from discord_server.view import WorldView

Json = dict[str, Any]

ANSWER_S = 10.0
"""More than the 3 seconds: the server says when those are over."""


class NotAnswered(AssertionError):
    """Three seconds went by: "The application did not respond"."""


@dataclass(frozen=True)
class Response:
    """The first response. `message` is as it was when this was asked for; nothing for a modal or choices."""

    type: int
    ephemeral: bool
    message: Json | None


@dataclass(frozen=True)
class Modal:
    """What a person sees to fill in. `data` is as the bot sent it."""

    interaction: str
    data: Json

    @property
    def title(self) -> str:
        return str(self.data["title"])


class Interaction:
    def __init__(self, link: Link, born: Json) -> None:
        self._link, self.id = link, str(born["id"])
        self.payload: Json = born["payload"]
        """INTERACTION_CREATE as the bot got it."""

    @property
    def _state(self) -> Json:
        return self._link.world.interaction(self.id)

    async def answered(self, timeout: float = ANSWER_S) -> Response:  # noqa: ASYNC109
        """Waits for the first response; NotAnswered when its 3 seconds are over."""
        await self._link.until(lambda world: _is_settled(world.interaction(self.id)), timeout)
        response = self.response
        if response is None:
            raise NotAnswered(f"the application did not respond; the world is\n{self._link.world.summary()}")
        return response

    async def shown(self, timeout: float = 300) -> Json:  # noqa: ASYNC109
        """Waits until a deferred response has become a message, and gives that."""
        await self.answered()
        return await self._link.until(self._visible_original, timeout)

    def _visible_original(self, world: WorldView) -> Json | None:
        message = world.message(world.interaction(self.id)["original"])
        return None if is_thinking(message) else message

    @property
    def response(self) -> Response | None:
        if self._state["response_type"] is None:
            return None
        return Response(self._state["response_type"], self._state["ephemeral"], self.original)

    @property
    def original(self) -> Json | None:
        """The message of the response as it is now; for a button, the message it sits on if that was answered so."""
        try:
            return self._link.world.message(self._state["original"])
        except (KeyError, ValueError):
            return None

    @property
    def latency_s(self) -> float:
        """Seconds from the interaction to its first response."""
        return float(self._state["latency_s"])

    @property
    def modal(self) -> Modal:
        """What the bot asks for; KeyError when it asks for nothing."""
        if self._state["modal"] is None:
            raise KeyError("this interaction was not answered with a modal")
        return Modal(self.id, self._state["modal"])

    @property
    def choices(self) -> list[Json]:
        """Of an autocomplete."""
        return list(self._state["choices"] or [])

    def messages(self) -> list[Json]:
        """What the person sees of it now: the response and the follow-ups that still exist."""
        found = []
        for number in self._state["messages"]:
            try:
                found.append(self._link.world.message(number))
            except KeyError:
                continue
        return found


def _is_settled(state: Json) -> bool:
    return state["response_type"] is not None or bool(state["void"])
