"""Two processes with one token: one answers, the other stands by until it is needed."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord_server.driver import Interaction, WorldView
from discord_server.message_text import text_of
from promises import Asked, check_kept, check_no_loops, left
from scene import LONG, SMALL, Scene, pictures, scene
from support.jobs import JobClient
from support.workers import WorkerPool

from engine.contract.models import Job

HERE = Path(__file__).parent
SHORT_LEASE = {"entry": "short_lease_bot:run", "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])])}


@pytest.fixture
async def stage(busy_pool: WorkerPool, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with scene(busy_pool, tmp_path, **getattr(request, "param", {})) as made:
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


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.parametrize("stage", [SHORT_LEASE], indirect=True)
async def test_a_bot_that_stood_still_for_longer_than_its_lease_does_nothing_twice(
    stage: Scene, busy_client: JobClient, busy_pool: WorkerPool
) -> None:
    """It stops while a picture is on its way to Discord, and others wait to be."""
    discord, (still, *_) = stage.discord, stage.bots
    late = await discord.fault("POST /channels/*/messages", delay_s=600, skip=1, times=1)
    long = await stage.stylize(**LONG)
    card = await stage.card(long)
    await busy_client.until(await job_of(busy_client, long), 300)
    assert await late.hits() == 1
    os.kill(still.pid, signal.SIGSTOP)
    await late.release()
    other = stage.launch_bot(**SHORT_LEASE)
    await discord.until(lambda world: world.counts["identifies"] == 2)
    await discord.turn_clock(3600)  # the nonces are forgotten
    short = Asked(await stage.stylize(), stage.channel.id, SMALL["iterations"], True)
    await discord.until(short.done)
    await (await stage.ada.press(card, "Cancel")).shown()
    stopped = await stage.ended(card, "**Stopped**")
    last = Asked(await stage.stylize(iterations=150), stage.channel.id, 150, True)
    await discord.until(last.verdict)
    os.kill(other.pid, signal.SIGSTOP)  # for a moment: what is told now, only the first could read
    await busy_client.events(await job_of(busy_client, last.interaction))
    os.kill(still.pid, signal.SIGCONT)
    await discord.until(lambda world: world.counts["sessions"] == 1)
    os.kill(other.pid, signal.SIGCONT)
    await discord.until(last.done)
    check_kept(discord.world, [short, last], beside=1)
    seen = pictures(discord.world, card["id"])
    assert seen[:5] == ["00010.png", "00030.png", "00100.png", "00200.png", "00300.png"]
    assert len(seen) == len(set(seen))
    assert text_of(discord.world.message(card)) == text_of(stopped)
    assert [answers(discord.world, one.interaction) for one in (short, last)] == [1, 1]
    assert discord.world.refusals == []
    other.kill()
    await discord.until(lambda world: world.counts["identifies"] == 3)
    assert "under way" in await stage.private_reply(await stage.ada.slash(stage.channel, "queue"))
    assert still.end() == 0
    assert await left(busy_pool) == {"thinking": 0, "events": 0}


async def job_of(client: JobClient, interaction: Interaction) -> Job:
    job = await client.jobs.get(interaction.id)
    assert job is not None
    return job
