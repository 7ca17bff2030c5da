"""The bot is told to end, or killed in a chosen moment, and started again: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from discord_server.message_text import text_of
from promises import Asked, check_kept, check_no_loops, left
from scene import LONG, SMALL, Scene, pictures, scene
from support.jobs import JobClient
from support.workers import WorkerPool

from bot.terminal.main import main

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(busy_pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(busy_pool, tmp_path_factory.mktemp("restarted")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Scene) -> AsyncIterator[Scene]:
    """With a server, a channel and a member of the test's own, and a bot."""
    if not shared_stage.bots[-1].alive:
        await shared_stage.start_bot()
    await shared_stage.open()
    yield shared_stage
    assert shared_stage.discord.world.violations == []
    check_no_loops(shared_stage.discord.world)
    assert [line for line in shared_stage.said() if line["level"] in ("error", "critical")] == []


@pytest.mark.long
async def test_told_to_end_in_the_middle_it_ends_in_order_and_goes_on_after_the_restart(
    stage: Scene, busy_pool: WorkerPool
) -> None:
    discord = stage.discord
    other, dm = await stage.guild.channel("sketches"), discord.channel(await stage.ada.dm())
    asked = [
        Asked(await stage.stylize(iterations=60), stage.channel.id, 60, True),
        Asked(await stage.stylize(channel=dm, iterations=60), dm.id, 60, False),
        Asked(await stage.stylize(channel=other, iterations=700), other.id, 700, True),
    ]
    await discord.until(lambda world: all(one.pictures(world) for one in asked))
    await discord.fault("GET /ephemeral-attachments/**", delay_s=0.5, times=2)
    late = Asked(await stage.stylize(), stage.channel.id, SMALL["iterations"], True)
    await late.interaction.answered()
    assert stage.bots[-1].end() == 0
    assert late.verdict(await discord.now()) == "accepted"  # what was begun is brought to an end
    assert not asked[-1].done(discord.world)
    await stage.start_bot()
    await discord.until(lambda world: all(one.done(world) for one in [*asked, late]), 150)
    check_kept(discord.world, [*asked, late])
    assert stage.bots[-1].end() == 0
    assert await left(busy_pool) == {"thinking": 0, "events": 0}


async def test_told_to_end_while_it_starts_it_ends_in_order(stage: Scene) -> None:
    stage.bots[-1].end()
    logins = stage.discord.world.counts["requests"]["GET /users/@me"]
    starting = stage.launch_bot()
    await stage.discord.until(lambda world: world.counts["requests"]["GET /users/@me"] > logins)
    assert starting.end() == 0


@pytest.mark.long
async def test_buttons_from_before_a_kill_work_after_it(stage: Scene) -> None:
    discord = stage.discord
    card = await stage.card(await stage.stylize(**LONG))
    await discord.until(lambda world: pictures(world, card["id"])[1])
    (snapshot, *_) = [message for message in discord.world.messages(card["id"]) if message["attachments"]]
    stage.bots[-1].kill()
    await stage.start_bot()
    press = await stage.ada.press(card, "Cancel")
    assert "stops" in await stage.private_reply(press)
    stopped = await stage.ended(card, "**Stopped**")
    stage.bots[-1].kill()
    await stage.start_bot()
    press = await stage.ada.press(snapshot, "From here")
    await press.answered()
    form = await stage.ada.submit(press.modal, {"Recipe": "fine", "Iterations": "24", "Strength of the style": "1"})
    press = await stage.ada.press(stopped, "Continue")
    long = await stage.card(press)
    child = Asked(form, stage.channel.id, 24, True)
    await discord.until(child.done)
    assert child.pictures(discord.world) == child.promised
    await (await stage.ada.press(long, "Cancel")).shown()
    await stage.ended(long, "**Stopped**")


async def test_a_kill_between_an_answer_and_its_acknowledgement_leaves_nobody_waiting(stage: Scene) -> None:
    """Of what is not a painting: a press of Cancel, and the queue."""
    discord = stage.discord
    painting = await stage.stylize(**LONG)
    card = await stage.card(painting)
    slow = await discord.fault("PATCH /webhooks/**", delay_s=600)
    asked = [await stage.ada.press(card, "Cancel"), await stage.ada.slash(stage.channel, "queue")]
    for one in asked:
        await one.answered()
    cut = await discord.fault("POST /interactions/**", swallow="hang", times=1)
    asked.append(await stage.ada.slash(stage.channel, "show", job=painting.id))
    await asked[-1].answered()
    stage.bots[-1].kill()
    await slow.remove()
    await cut.remove()
    await stage.start_bot()
    for one in asked[:2]:
        assert "I was restarted" in text_of(await one.shown())
    assert "I was restarted" in await stage.private_instead(asked[2])
    await stage.ended(card, "**Stopped**")


@pytest.mark.long
async def test_who_waits_for_a_card_when_the_bot_is_told_to_end_is_answered_by_the_next_one(
    stage: Scene, busy_pool: WorkerPool
) -> None:
    """Discord does not answer until the bot has ended, though it was given time for its last words."""
    discord = stage.discord
    silent = await discord.fault("POST /channels/*/messages", swallow="hang")
    asked = Asked(await stage.stylize(), stage.channel.id, SMALL["iterations"], True)
    await discord.until(asked.cards)
    assert stage.bots[-1].end() == 0
    assert asked.verdict(await discord.now()) == ""
    assert (await left(busy_pool))["thinking"] == 1
    await silent.remove()
    await stage.start_bot()
    await discord.until(lambda world: asked.verdict(world) and asked.done(world))
    assert asked.verdict(discord.world) == "accepted"
    assert len(asked.cards(discord.world)) == 1


@pytest.mark.long
async def test_what_was_sent_and_not_noted_is_found_long_after_its_nonce(stage: Scene, busy_client: JobClient) -> None:
    """A card and a snapshot arrive at Discord; the bot is killed before it knows, for longer than a painting takes."""
    discord = stage.discord
    first = Asked(await stage.stylize(iterations=300), stage.channel.id, 300, True)
    await discord.until(lambda world: world.channel(first.cards(world)[0]["id"]))
    fault = await discord.fault("POST /channels/*/messages", swallow="hang")
    known = len(first.pictures(discord.world))
    await discord.until(lambda world: len(first.pictures(world)) > known)
    second = Asked(await stage.stylize(), stage.channel.id, SMALL["iterations"], True)
    await discord.until(second.cards)
    stage.bots[-1].kill()
    for one in (first, second):
        job = await busy_client.jobs.get(one.job)
        assert job is not None
        await busy_client.events(job)
    await fault.remove()
    await discord.turn_clock(3600)
    await stage.start_bot()
    for one in (first, second):
        await discord.until(one.done)
        assert len(one.cards(discord.world)) == 1
        assert one.pictures(discord.world) == one.promised
    assert len(discord.world.threads(stage.channel)) == 2


@pytest.mark.long
async def test_discord_is_told_the_commands_only_when_they_have_changed(stage: Scene, busy_client: JobClient) -> None:
    discord, redis = stage.discord, busy_client.redis
    key = f"impasto:commands:{discord.application_id}"
    counts = discord.world.counts
    assert (counts["command_syncs"], counts["commands_created"]) == (1, len(discord.world.commands))
    stage.bots[-1].end()
    await stage.start_bot()
    stage.bots[-1].kill()
    await stage.start_bot()
    assert discord.world.counts["command_syncs"] == 1
    stage.bots[-1].end()
    await redis.set(key, "what they were in an earlier version")
    await stage.start_bot()
    counts = discord.world.counts
    assert (counts["command_syncs"], counts["commands_created"]) == (2, len(discord.world.commands))


@pytest.mark.parametrize("token", ["two words", "lines\nof it", "tökén"])
async def test_a_token_that_cannot_be_one_is_a_line(
    token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCORD_TOKEN", token)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setattr(sys, "argv", ["impasto", "bot"])
    monkeypatch.setattr("bot.terminal.main.log_to", lambda _: None)  # for good, and this test's stderr ends with it
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (os.EX_CONFIG, "", 1)
    assert "DISCORD_TOKEN" in err
    assert token not in err
