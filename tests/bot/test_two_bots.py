"""Two processes with one token: one answers, the other stands by until it is needed."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import House
from discord_server.driver import Interaction, WorldView
from discord_server.reading import text_of
from promises import Asked, check_kept, check_no_loops, left
from scene import LONG, SMALL, Scene, pictures, scene


@pytest.fixture
async def stage(busy_house: House, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(busy_house, tmp_path) as made:
        yield made
        assert made.discord.world.violations == []
        check_no_loops(made.discord.world)


def answers(world: WorldView, interaction: Interaction) -> int:
    """How often the bots have answered it."""
    return sum(f"/interactions/{interaction.id}/" in request["path"] for request in world.requests)


async def stand_by(stage: Scene) -> None:
    """Another bot, as soon as it has logged in; it goes no further."""
    before = stage.discord.world.counts["requests"]["GET /oauth2/applications/@me"]
    stage.launch_bot()
    await stage.discord.until(lambda world: world.counts["requests"]["GET /oauth2/applications/@me"] > before)


async def test_the_second_takes_over_when_the_first_ends_or_is_killed(stage: Scene) -> None:
    discord, asked = stage.discord, []
    await stand_by(stage)
    for change in ("end", "kill", None):
        asked.append(Asked(await stage.stylize(), stage.channel.id, SMALL["iterations"], True))
        assert (await asked[-1].interaction.answered()).ephemeral
        await discord.until(asked[-1].done)
        assert discord.world.counts["identifies"] == len(asked)
        if change is not None:
            getattr(stage.bots[len(asked) - 1], change)()
            await discord.until(lambda world: world.counts["identifies"] > len(asked))
            await stand_by(stage)
    check_kept(discord.world, asked)
    assert [answers(discord.world, one.interaction) for one in asked] == [1, 1, 1]
    assert [stage.bots[-1].end(), stage.bots[-2].end()] == [0, 0]  # the one that stands by, and the one that leads
    assert discord.world.refusals == []


async def test_a_bot_that_stood_still_for_longer_than_its_lease_does_nothing_twice(
    stage: Scene, busy_house: House
) -> None:
    """In the middle of a painting, with a picture that has arrived and whose answer has not."""
    discord, (still, *_) = stage.discord, stage.bots
    long = await stage.stylize(**LONG)
    card = await stage.card(long)
    await discord.until(lambda world: pictures(world, card["id"]))
    hang = await discord.fault("POST /channels/*/messages", swallow="hang", times=1)
    known = len(pictures(discord.world, card["id"]))
    await discord.until(lambda world: len(pictures(world, card["id"])) > known)
    os.kill(still.pid, signal.SIGSTOP)
    await hang.remove()
    stage.launch_bot()
    await discord.until(lambda world: world.counts["identifies"] == 2)
    await discord.turn_clock(3600)  # the nonce of that picture is forgotten
    short = Asked(await stage.stylize(), stage.channel.id, SMALL["iterations"], True)
    await discord.until(short.done)
    await (await stage.ada.press(card, "Cancel")).shown()
    stopped = await stage.ended(card, "**Stopped**")
    seen = pictures(discord.world, card["id"])
    os.kill(still.pid, signal.SIGCONT)
    await discord.until(lambda world: world.counts["sessions"] == 1)
    last = Asked(await stage.stylize(), stage.channel.id, SMALL["iterations"], True)
    await discord.until(last.done)
    for one in (short, last):
        assert one.pictures(discord.world) == one.promised
        assert answers(discord.world, one.interaction) == 1
    assert pictures(discord.world, card["id"]) == seen
    assert len(seen) == len(set(seen))
    assert text_of(discord.world.message(card)) == text_of(stopped)
    assert discord.world.refusals == []
    assert await left(busy_house) == {"thinking": 0, "events": 0}
    stage.bots[1].kill()
    await discord.until(lambda world: world.counts["identifies"] == 3)
    answered = await stage.ada.slash(stage.channel, "queue")
    assert "under way" in await stage.whispered(answered)
    assert still.end() == 0
