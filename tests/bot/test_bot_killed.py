"""kill -9 of the bot at random moments: every picture once and in order, in every thread, whatever was under way."""

from __future__ import annotations

import os
import random
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from discord_server.driver import Person, WorldView
from discord_server.faults import Fault
from promises import Asked, check_kept, check_no_loops, left
from scene import Scene, scene
from support.workers import WorkerPool

SEED = int(os.environ.get("IMPASTO_KILL_SEED") or secrets.randbelow(1_000_000))
JOBS = int(os.environ.get("IMPASTO_KILL_JOBS") or 12)
KILLS = int(os.environ.get("IMPASTO_KILLS") or 4)
"""More of both: IMPASTO_KILL_JOBS=30 IMPASTO_KILLS=10, or for a whole night 1000 and 300."""
A_ROUND = 4
"""Paintings that are asked for between two kills; one of them gets a thread of its own."""


@dataclass(frozen=True)
class Moment:
    """When the bot makes such a request, for the first to the `most`-th time since the kill before."""

    requests: str
    """As the stand-in's faults are given."""
    most: int

    def times(self, world: WorldView) -> int:
        """How often it has come."""
        fault = Fault(0, self.requests)
        return sum(count for route, count in world.counts["requests"].items() if fault.matches(route))


ACKNOWLEDGES = Moment("POST /interactions/**", 4)
ANSWERS = Moment("PATCH /webhooks/**", 3)
OPENS_A_THREAD = Moment("POST /channels/*/messages/*/threads", 1)
POSTS = Moment("POST /channels/*/messages", 12)
EDITS_A_CARD = Moment("PATCH /channels/*/messages/*", 3)
LOGS_IN = Moment("GET /oauth2/applications/@me", 1)
WHILE_IT_PAINTS = (ACKNOWLEDGES, ACKNOWLEDGES, ANSWERS, OPENS_A_THREAD, POSTS, POSTS, POSTS, EDITS_A_CARD)

AFTER, DURING, DOWNLOADING = "after", "during", "while it downloads, after"
"""That request was answered; it was carried out and never answered; or the pictures were on their way then."""


@dataclass
class Night:
    """One run: who asks where, and what came of it."""

    stage: Scene
    dice: random.Random
    people: list[Person] = field(default_factory=list)
    places: list[tuple[str, bool]] = field(default_factory=list)
    """Channel, and whether paintings there get threads of their own."""
    asked: list[Asked] = field(default_factory=list)
    kills: int = 0

    async def begin(self) -> None:
        """Five members; two channels, and the thread of a first painting."""
        stage = self.stage
        other = await stage.guild.channel("sketches")
        self.people = [stage.ada, *[await stage.guild.member(name) for name in ("Bob", "Cy", "Di", "Eve")]]
        self.places = [(stage.channel.id, True), (other.id, True)]
        await self.ask(threaded=True)
        (card,) = await stage.discord.until(self.asked[0].cards)
        await stage.discord.until(lambda world: world.channel(card["id"]))
        self.places.append((card["id"], False))

    async def ask(self, *, threaded: bool = False) -> None:
        """A command by somebody somewhere, or a press of a button that has been there for a while."""
        person = self.dice.choice(self.people)
        parents = [] if threaded else [one for one in self.asked if self.can_be_pressed(one)]
        if parents and self.dice.random() < 0.3:
            parent = self.dice.choice(parents)
            press = await person.press(parent.cards(self.stage.discord.world)[0], "Again")
            self.asked.append(Asked(press, parent.channel, parent.iterations, parent.threaded))
            return
        channel, own_thread = self.dice.choice(
            [place for place in self.places if place[1]] if threaded else [*self.places, (await person.dm(), False)]
        )
        iterations = self.dice.randint(24, 60)
        asked = await self.stage.stylize(person, self.stage.discord.channel(channel), iterations=iterations)
        self.asked.append(Asked(asked, channel, iterations, own_thread))

    def can_be_pressed(self, one: Asked) -> bool:
        """By everybody."""
        return any(one.channel == channel for channel, _ in self.places) and bool(one.cards(self.stage.discord.world))

    async def kill(self, moment: Moment, *, asking: int = 0) -> None:
        """Kill the bot at the moment, while some are asking."""
        discord, number = self.stage.discord, self.dice.randint(1, moment.most)
        modes = [AFTER, DURING, *([DOWNLOADING] * 2 if moment is ACKNOWLEDGES else [])]
        mode, before = self.dice.choice(modes), moment.times(discord.world)
        print(f"killed {mode} {moment.requests}, time {number}")
        fault = None
        if mode == DURING:
            fault = await discord.fault(moment.requests, swallow="hang", times=1, skip=number - 1)
        if mode == DOWNLOADING:
            fault = await discord.fault("GET /ephemeral-attachments/**", delay_s=600)
        for asks in range(asking):
            await self.ask(threaded=not asks)
        await discord.until(lambda world: moment.times(world) >= before + number)
        self.stage.bots[-1].kill()
        self.kills += 1
        if fault is not None:
            await fault.remove()

    async def settle(self) -> None:
        """Everybody knows, and enough are accepted; those are painted to the end."""
        discord = self.stage.discord
        while True:
            await discord.until(lambda world: all(one.verdict(world) for one in self.asked))
            missing = JOBS - len(self.accepted(discord.world))
            if missing <= 0:
                break
            for _ in range(missing):
                await self.ask()
        await discord.until(lambda world: all(one.done(world) for one in self.accepted(world)), 300)

    def accepted(self, world: WorldView) -> list[Asked]:
        return [one for one in self.asked if one.verdict(world) == "accepted"]


@pytest.mark.long
async def test_every_picture_comes_once_and_in_order_however_often_the_bot_is_killed(
    pool: WorkerPool, tmp_path: Path
) -> None:
    print(f"again with IMPASTO_KILL_SEED={SEED}")
    pool.start_worker(seconds=0.15).ready()
    async with scene(pool, tmp_path) as stage:
        night = Night(stage, random.Random(SEED))
        await night.begin()
        while night.kills < KILLS:
            await night.kill(night.dice.choice(WHILE_IT_PAINTS), asking=A_ROUND)
            if night.dice.random() < 0.3:
                stage.launch_bot()
                await night.kill(LOGS_IN)
            if night.dice.random() < 0.3:
                await night.ask()  # nobody listens
            await stage.start_bot()
        await night.settle()
        assert stage.bots[-1].end() == 0
        assert await left(pool) == {"thinking": 0, "events": 0}
        world = stage.discord.world
        check_kept(world, night.asked)
        check_no_loops(world)
        assert world.violations == []
        assert [line for line in stage.said() if line["level"] in ("error", "critical")] == []
