"""Members who keep asking for paintings, and what each of them was promised."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discord_server.driver import Channel, Discord, Guild, Person, WorldView
from discord_server.faults import Fault
from discord_server.message_text import files_of, text_of
from promises import SNAPSHOTS, Asked
from scene import picture

from engine.worker import loss_stagnation

Json = dict[str, Any]

LENGTHS = (24, 60, 150, 350)
"""Iterations. A short run asks for the first ones."""
SEEDS = (1, 2)
"""Few of each, so that few uncut runs have to be painted to compare with."""
_A_CHANNEL = 10  # paintings in a channel, so that nobody has to look through a thousand messages
DONE, FAILED = "**Done**", "**It failed**"
"""What the card of a painting says that has ended so."""
_ENDS = (DONE, FAILED, "**Stopped**")


@dataclass
class Promise:
    """A painting that somebody asked for. `ends` is what its card must say at last, and `why` a word of the reason."""

    asked: Asked
    ends: str = DONE
    why: str = ""
    card: str = ""
    _settled: bool = False

    @property
    def job(self) -> str:
        return self.asked.job

    def look(self, world: WorldView) -> Json | None:
        """Its card, once it is there."""
        if not self.card:
            mine = f"impasto-{self.job}-content.jpg"
            self.card = next((m["id"] for m in world.messages(self.asked.channel) if mine in files_of(m)), "")
        return world.message(self.card) if self.card else None

    def settled(self, world: WorldView) -> bool:
        """Whether nothing more will come of it; remembered, for the world changes often."""
        self._settled = self._settled or self._is_settled(world)
        return self._settled

    def _is_settled(self, world: WorldView) -> bool:
        verdict = self.asked.verdict(world)
        if verdict in ("refused", "unheard"):
            return True
        card = self.look(world)
        return verdict == "accepted" and card is not None and any(end in text_of(card) for end in _ENDS)

    @property
    def pictures(self) -> list[str]:
        """The names of what must be posted of it beside the card, in order; of one that fails, none."""
        if self.ends != DONE:
            return []
        names = [f"{n:05d}.png" for n in SNAPSHOTS if n < self.asked.iterations]
        return [f"impasto-{self.job}-{name}" for name in (*names, "final.png", "loss.png", "film.webp")]

    def may_be_best(self, name: str) -> bool:
        """Whether a picture of this name may be the best so far of a long painting that got no better for a while."""
        found = re.fullmatch(rf"impasto-{self.job}-best-(\d+)\.png", name)
        iterations = self.asked.iterations
        return found is not None and iterations >= loss_stagnation.LOOK and int(found[1]) <= iterations


@dataclass
class Load:
    """Asks whenever fewer than `most` paintings are under way, `pause` seconds after it has asked at the soonest."""

    discord: Discord
    dice: random.Random
    folder: Path
    most: int = 4
    lengths: tuple[int, ...] = LENGTHS
    pause: float = 0.2
    promises: list[Promise] = field(default_factory=list)
    _people: list[Person] = field(default_factory=list)
    _channel: Channel | None = None

    async def open(self) -> None:
        self._guild: Guild = await self.discord.guild("Studio")
        self._people = [await self._guild.member(name) for name in ("Ada", "Bob", "Cy", "Di", "Eve")]
        self._pictures = {"content": picture(self.folder / "harbour.png", 1)}
        self._pictures["style"] = picture(self.folder / "strokes.png", 2)

    def under_way(self, world: WorldView) -> list[Promise]:
        return [one for one in self.promises if not one.settled(world)]

    async def keep_asking(self) -> None:
        while True:
            await self.discord.until(lambda world: len(self.under_way(world)) < self.most, 3600)
            one = await self.ask()
            await asyncio.sleep(self.pause)
            if await self.discord.until(one.asked.verdict, 3600) != "accepted":
                await asyncio.sleep(2)  # as people do

    async def ask(self, **options: Any) -> Promise:
        """Somebody's command, in a channel or by direct message; `options` over what the dice say."""
        person = self.dice.choice(self._people)
        chosen = {"size": 64, "iterations": self.dice.choice(self.lengths), "seed": self.dice.choice(SEEDS), **options}
        threaded = self.dice.random() < 0.8
        channel = await self._place() if threaded else self.discord.channel(await person.dm())
        asked = await person.slash(channel, "stylize", **self._pictures, **chosen)
        self.promises.append(Promise(Asked(asked, channel.id, chosen["iterations"], threaded)))
        return self.promises[-1]

    async def accepted(self, promise: Promise) -> bool:
        """Waits for what the member is told."""
        return bool(await self.discord.until(promise.asked.verdict, 120) == "accepted")

    async def settle(self, seconds: float = 900) -> None:
        """Waits until nothing is under way."""
        await self.discord.until(lambda world: not self.under_way(world), seconds)

    async def _place(self) -> Channel:
        if self._channel is None or len(self.promises) % _A_CHANNEL == 0:
            self._channel = await self._guild.channel(f"paintings-{len(self.promises)}")
        return self._channel


def times(world: WorldView, requests: str) -> int:
    """How often Discord was asked so; `requests` as the stand-in's faults are given."""
    fault = Fault(0, requests)
    return sum(count for route, count in world.counts["requests"].items() if fault.matches(route))
