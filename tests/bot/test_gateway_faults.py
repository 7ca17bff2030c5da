"""The gateway breaks, repeats itself or talks nonsense: the bot goes on, and does everything once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from discord_server.driver import Interaction, WorldView
from discord_server.message_text import text_of
from promises import Asked, check_kept, check_no_loops, left
from scene import SMALL, Scene, scene
from support.workers import WorkerPool

ONE = {"IMPASTO_USER_JOBS": "1"}


@pytest.fixture
async def stage(busy_pool: WorkerPool, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with scene(busy_pool, tmp_path, **getattr(request, "param", {})) as made:
        yield made
        assert made.discord.world.violations == []
        check_no_loops(made.discord.world)
        assert made.bots[-1].end() == 0
        assert await left(busy_pool) == {"thinking": 0, "events": 0}


async def ask(stage: Scene, iterations: int = SMALL["iterations"]) -> Asked:
    return Asked(await stage.stylize(iterations=iterations), stage.channel.id, iterations, True)


async def again(stage: Scene, interaction: Interaction) -> None:
    """The gateway delivers it once more."""
    await stage.discord.dispatch("INTERACTION_CREATE", interaction.payload)


def connected(count: str, before: int) -> Callable[[WorldView], bool]:
    return lambda world: world.counts[count] > before and world.counts["sessions"] == 1


@pytest.mark.long
async def test_the_bot_comes_back_however_the_gateway_breaks(stage: Scene) -> None:
    discord, asked = stage.discord, []
    breaks: list[tuple[str, dict[str, Any], str]] = [
        ("drop", {}, "resumes"),
        ("reconnect", {}, "resumes"),
        ("invalid_session", {"resumable": True}, "resumes"),
        ("forget", {}, "identifies"),  # the resume meets an invalid session
    ]
    for what, how, count in breaks:
        asked.append(await ask(stage, 60))
        await discord.until(asked[-1].cards)
        before = discord.world.counts[count]
        await discord.gateway(what, **how)
        await discord.until(connected(count, before))
        asked.append(await ask(stage))
        assert (await asked[-1].interaction.answered()).ephemeral
    await discord.until(lambda world: all(one.done(world) for one in asked))
    check_kept(discord.world, asked)
    assert discord.world.counts["command_syncs"] == 1
    assert discord.world.counts["identifies"] == 2
    assert [line for line in stage.said() if line["level"] in ("error", "critical")] == []


@pytest.mark.long
@pytest.mark.parametrize("stage", [ONE], indirect=True)
async def test_what_is_delivered_twice_is_done_once(stage: Scene) -> None:
    """Also by a member who may have only one painting at a time."""
    discord = stage.discord
    first = await ask(stage)
    await again(stage, first.interaction)
    await discord.until(first.done)
    await again(stage, first.interaction)  # long after
    press = await stage.ada.press(first.cards(discord.world)[0], "Again")
    await again(stage, press)
    second = Asked(press, first.channel, first.iterations, True)
    await discord.until(second.done)
    snapshot = discord.world.messages(second.cards(discord.world)[0]["id"])[0]
    press = await stage.ada.press(snapshot, "From here")
    await again(stage, press)
    await press.answered()
    values = {"Recipe": "fine", "Iterations": "24", "Strength of the style": "1"}
    third = Asked(await stage.ada.submit(press.modal, values), first.channel, 24, True)
    await again(stage, third.interaction)
    await discord.until(third.done)
    await again(stage, third.interaction)
    shown = await stage.ada.slash(stage.channel, "show", job=second.job)
    await again(stage, shown)
    await shown.shown()
    queue = await stage.ada.slash(stage.channel, "queue")
    await again(stage, queue)
    assert "0 paintings" in await stage.private_reply(queue)
    for one in (first, second, third):
        assert one.pictures(discord.world) == one.promised
        assert text_of(one.interaction.messages()[0]).startswith("Accepted: watch it in")
        assert len(one.interaction.messages()) == 1
    assert len(discord.world.threads(stage.channel)) == 3
    assert discord.world.refusals == []


@pytest.mark.long
async def test_a_malformed_interaction_costs_the_bot_a_moment_and_nothing_else(stage: Scene) -> None:
    discord = stage.discord
    before = await ask(stage, 60)
    await discord.until(before.pictures)
    await discord.dispatch("INTERACTION_CREATE", {"id": "1"})
    await discord.until(connected("identifies", 1))
    after = await ask(stage)
    await discord.until(lambda world: before.done(world) and after.done(world))
    check_kept(discord.world, [before, after])
    (line,) = [line for line in stage.said() if line["level"] in ("error", "critical")]
    assert line["event"] == "the bot broke off, and begins anew"
