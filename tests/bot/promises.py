"""What everybody who was promised a painting must see in the end, whatever happened on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from discord_server.driver import Interaction, WorldView
from discord_server.message_text import files_of, is_thinking, text_of
from support.workers import WorkerPool

from bot.post_ledger import GROUP
from engine.contract.connection import connect
from engine.contract.events import STREAM

Json = dict[str, Any]

SNAPSHOTS = (10, 30, 100, 200, 300, 3300)
"""Of the recipe `fine` with random weights, and of all that are asked for on Discord; as far as they are in the run."""


@dataclass(frozen=True)
class Asked:
    """A painting that somebody asked for, to be shown in `channel`."""

    interaction: Interaction
    channel: str
    iterations: int
    threaded: bool
    """Whether it gets a thread of its own."""

    @property
    def job(self) -> str:
        return self.interaction.id

    def verdict(self, world: WorldView) -> str:
        """What the member knows by now: nothing yet, "accepted", "refused" or that nobody listened ("unheard")."""
        state = world.interaction(self.job)
        if state["response_type"] is None:
            return "unheard" if state["void"] else ""
        answer = self.interaction.original
        if answer is None or is_thinking(answer):
            return ""
        return "accepted" if "ccepted" in text_of(answer) else "refused"

    def cards(self, world: WorldView) -> list[Json]:
        """Wherever they are."""
        mine = f"impasto-{self.job}-content.jpg"
        return [m for channel in world.channels for m in world.messages(channel) if mine in files_of(m)]

    def pictures(self, world: WorldView) -> list[str]:
        """What was posted of it apart from the card, in order, by the ends of the file names."""
        mine, card = f"impasto-{self.job}-", self.cards(world)[0]
        place = card["id"] if self.threaded else self.channel
        posted = [m for m in world.messages(place) if m["id"] != card["id"]]
        return [name.removeprefix(mine) for m in posted for name in files_of(m) if name.startswith(mine)]

    @property
    def promised(self) -> list[str]:
        """`pictures` when all is well."""
        snapshots = [f"{number:05d}.png" for number in SNAPSHOTS if number < self.iterations]
        return [*snapshots, "final.png", "loss.png", "film.webp"]

    def done(self, world: WorldView) -> bool:
        """Whether the card says so."""
        return any("**Done**" in text_of(card) for card in self.cards(world))


def check_kept(world: WorldView, asked: list[Asked], beside: int = 0) -> None:
    """Each accepted painting has one card that says Done, and each of its pictures once and in order; others none.

    There are no threads in these channels but theirs, and so many beside.
    """
    for one in asked:
        if one.verdict(world) != "accepted":
            assert one.cards(world) == [], one
            continue
        (card,) = one.cards(world)
        assert card["channel_id"] == one.channel
        assert "**Done**" in text_of(card)
        assert one.pictures(world) == one.promised, one
    threads = [one.cards(world)[0]["id"] for one in asked if one.threaded and one.done(world)]
    assert len(threads) + beside == sum(len(world.threads(channel)) for channel in {one.channel for one in asked})


def check_no_loops(world: WorldView, most: int = 3) -> None:
    """Nothing that was refused was asked for again and again."""
    refused = [f"{one['method']} {one['path']}" for one in world.requests if 400 <= one["status"] < 500]
    assert [line for line in set(refused) if refused.count(line) > most] == []


async def left(pool: WorkerPool) -> dict[str, int]:
    """How many answers are still owed, and how many events were read and not dealt with; once the bot has ended."""
    async with connect(pool.url) as redis:
        owed = await redis.keys("impasto:thinking:*")
        pending: Any = await redis.xpending(STREAM, GROUP)
        return {"thinking": len(owed), "events": pending["pending"]}
