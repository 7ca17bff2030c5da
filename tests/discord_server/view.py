"""The world as a test reads it: a copy that follows the server's."""

from __future__ import annotations

from typing import Any

from discord_server.message_text import buttons_of, files_of, is_thinking, text_of

Json = dict[str, Any]


def id_of(thing: Any) -> str:
    """The id of a handle, of a dict as Discord's API has it, or an id itself."""
    if isinstance(thing, dict):
        return str(thing["id"])
    return str(getattr(thing, "id", thing))


class WorldView:
    """All lists are in the order of things' birth. Messages and channels are dicts as Discord's API has them."""

    def __init__(self) -> None:
        self.version = 0
        self.counts: Json = {}
        """requests (by route), statuses, invalid_requests, invalid_in_ten_minutes (the most in any such span),
        rate_limited, busiest_second, identifies, resumes, command_syncs, commands_created, connections, sessions
        (connected now)."""
        self._things: dict[str, dict[int, Any]] = {}
        self._sorted: dict[str, list[Json]] = {}
        self._by_channel: dict[str, list[Json]] = {}

    def apply(self, news: Json) -> None:
        """Takes in what the server says has changed."""
        self._by_channel = {}
        for kind, number, value in news["changes"]:
            self._sorted.pop(kind, None)
            of_kind = self._things.setdefault(kind, {})
            if value is None:
                of_kind.pop(int(number), None)
            else:
                of_kind[int(number)] = value
        self.counts, self.version = news["counts"], news["version"]

    def _all(self, kind: str) -> list[Json]:
        if kind not in self._sorted:
            of_kind = self._things.get(kind, {})
            self._sorted[kind] = [of_kind[number] for number in sorted(of_kind)]
        return list(self._sorted[kind])

    def _in(self, channel: Any) -> list[Json]:
        """The records of a channel's messages. Many waits look at the same world: it is sorted once."""
        if not self._by_channel:
            for one in self._all("message"):
                self._by_channel.setdefault(one["message"]["channel_id"], []).append(one)
        return self._by_channel.get(id_of(channel), [])

    @property
    def violations(self) -> list[Json]:
        """What no correct client would have asked: {"what", "code"?, "request"?}."""
        return self._all("violation")

    @property
    def refusals(self) -> list[Json]:
        """Errors that a correct client may meet: {"what", "code", "request"}."""
        return self._all("refusal")

    @property
    def pings(self) -> list[Json]:
        """Who was notified by which message: {"message", "channel", "users", "roles", "everyone"}."""
        return self._all("ping")

    @property
    def rings(self) -> list[Json]:
        """The bot's direct messages that made a telephone ring: {"message", "channel", "user"}."""
        return self._all("ring")

    @property
    def unguarded(self) -> list[Json]:
        """What the bot wrote without `allowed_mentions`, so that anybody may be pinged by it: {"message"}."""
        return self._all("unguarded")

    @property
    def own_faults(self) -> list[Json]:
        """Answers of this server that are not as Discord's OpenAPI description has them: {"what", "request"}."""
        return self._all("own_fault")

    @property
    def requests(self) -> list[Json]:
        """Each request to the API: {"at", "method", "path", "status", "code"}; status 0 for a connection reset."""
        return self._all("request")

    @property
    def commands(self) -> list[Json]:
        """The global ones, as registered."""
        return list(self._things.get("commands", {}).get(0, []))

    def guild_commands(self, guild: Any) -> list[Json]:
        return list(self._things.get("commands", {}).get(int(id_of(guild)), []))

    @property
    def guilds(self) -> list[Json]:
        return self._all("guild")

    @property
    def interactions(self) -> list[Json]:
        return self._all("interaction")

    def interaction(self, number: Any) -> Json:
        found: Json = self._things["interaction"][int(id_of(number))]
        return found

    @property
    def channels(self) -> list[Json]:
        """Threads and private channels too."""
        return self._all("channel")

    def channel(self, channel: Any) -> Json:
        """KeyError when it is gone."""
        found: Json = self._things["channel"][int(id_of(channel))]
        return found

    def threads(self, channel: Any) -> list[Json]:
        return [one for one in self.channels if "thread_metadata" in one and one["parent_id"] == id_of(channel)]

    def members(self, thread: Any) -> list[str]:
        """The ids of a thread's members, in the order of their joining."""
        return list(self.channel(thread)["member_ids"])

    def messages(self, channel: Any, viewer: Any = None) -> list[Json]:
        """What everybody sees in a channel; with `viewer`, also the ephemeral messages for that person."""
        mine = None if viewer is None else id_of(viewer)
        return [one["message"] for one in self._in(channel) if one["viewer"] in (None, mine)]

    def message(self, message: Any) -> Json:
        """As it is now, ephemeral or not; KeyError when it is gone."""
        found: Json = self._things["message"][int(id_of(message))]["message"]
        return found

    def edits(self, message: Any) -> int:
        """How often a message has been edited."""
        return int(self._things["message"][int(id_of(message))]["edits"])

    def summary(self) -> str:
        """For the error of a wait that took too long."""
        lines = [
            f"sessions at the gateway: {self.counts.get('sessions')}, commands: {[c['name'] for c in self.commands]}"
        ]
        for channel in self.channels:
            state = channel.get("thread_metadata")
            mark = "" if state is None else " thread" + " archived" * state["archived"] + " locked" * state["locked"]
            lines.append(f"#{channel.get('name') or 'DM'} ({channel['id']}{mark})")
            lines += [_line(one["message"], one["viewer"]) for one in self._in(channel)]
        for one in self.interactions:
            if one["response_type"] is None:
                lines.append(f"unanswered: {one['name']} ({one['id']}){' - its token is void' * one['void']}")
        lines += [f"violation: {one}" for one in self.violations]
        lines += [f"refusal: {one}" for one in self.refusals[-5:]]
        lines += [f"{one['method']} {one['path']} -> {one['status']}" for one in self.requests[-8:]]
        return "\n".join(lines)


def _line(message: Json, viewer: str | None) -> str:
    text = " / ".join(text_of(message).split("\n"))[:160]
    marks = ["thinking"] * is_thinking(message) + [f"only for {viewer}"] * (viewer is not None)
    labels = [f"[{button.get('label')}]" for button in buttons_of(message)]
    return "  " + " ".join([f"{message['author']['global_name']}:", text, *labels, *files_of(message), *marks])
