"""Discord breaks off, answers with errors, or does what was asked without saying so: each thing is seen once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from conftest import House
from discord_server.reading import text_of
from scene import card_of, pictures
from trouble_kit import Stage, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

TROUBLES: dict[str, dict[str, Any]] = {
    "503": {"status": 503},
    "520": {"status": 520},
    "500, which discord.py repeats itself": {"status": 500},
    "a connection reset": {"reset": True},
    "an answer that is cut off": {"swallow": "cut"},
    "a rate limit": {"status": 429, "retry_after": 0.2},
    "a rate limit for everything": {"status": 429, "retry_after": 0.2, "everywhere": True},
    "a rate limit of Cloudflare's": {"status": 429, "via": False},
}

DONE_ALREADY = {40060, 160004}
"""What Discord says to a repetition of what it did without telling: acknowledged, thread opened."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_stage(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage(house, tmp_path_factory.mktemp("trouble")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def on(house_stage: Stage) -> AsyncIterator[Stage]:
    """A server, a channel and a member of the test's own."""
    await house_stage.scene.open()
    yield house_stage
    await house_stage.clear()
    assert house_stage.discord.world.violations == []
    assert {one["code"] for one in house_stage.discord.world.refusals} <= DONE_ALREADY


async def test_a_picture_comes_exactly_once_through_any_trouble(on: Stage) -> None:
    easels = {name: await on.easel() for name in TROUBLES}
    faults = []
    for name, trouble in TROUBLES.items():
        card, brush = easels[name]
        faults.append(await on.discord.fault(f"POST /channels/{card['id']}/messages", times=1, **trouble))
        await brush.snapshot(10)
        await brush.snapshot(20)
    for name, (card, _) in easels.items():
        await on.posted(card["id"], "00020.png")
        assert pictures(on.discord.world, card["id"]) == ["00010.png", "00020.png"], name
    assert [await fault.hits() for fault in faults] == [1] * len(TROUBLES)


@pytest.mark.parametrize("trouble", ["an answer that is cut off", "a connection reset", "503"])
async def test_card_and_thread_come_exactly_once(on: Stage, trouble: str) -> None:
    there = f"POST /channels/{on.scene.channel.id}/messages"
    posts = await on.discord.fault(there, times=1, **TROUBLES[trouble])
    threads = await on.discord.fault(f"{there}/*/threads", times=1, **TROUBLES[trouble])
    asked = await on.scene.stylize()
    assert await on.scene.whispered(asked) == f"Accepted: watch it in <#{(await on.scene.card(asked))['id']}>."
    assert len(on.discord.world.threads(on.scene.channel)) == 1
    assert len(on.discord.world.messages(on.scene.channel)) == 1
    assert await posts.hits() == await threads.hits() == 1
    brush = await on.brush(asked.id)
    await brush.snapshot(10)
    await on.posted(on.discord.world.threads(on.scene.channel)[0], "00010.png")


async def test_a_card_follows_through_refused_edits(on: Stage) -> None:
    card, brush = await on.easel()
    edits = f"PATCH /channels/{on.scene.channel.id}/messages/*"
    old = await on.discord.fault(edits, times=2, status=429, code=30046, retry_after=0.2)
    await brush.progress(5)
    await on.scene.ended(card, "iteration 5 of")
    assert await old.hits() == 2
    silent = await on.discord.fault(edits, times=1, status=503)
    await brush.progress(6)
    await on.scene.ended(card, "iteration 6 of")
    assert await silent.hits() == 1
    broken = await on.discord.fault(edits, times=2, status=503)
    await brush.done()
    assert "all of it in" in text_of(await on.scene.ended(card))
    assert await broken.hits() == 2


async def test_nobody_is_left_with_is_thinking(on: Stage) -> None:
    acknowledged = await on.discord.fault("POST /interactions/**", times=1, swallow="cut")
    answered = await on.discord.fault("PATCH /webhooks/**", times=2, reset=True)
    asked = await on.scene.stylize()
    assert "Accepted: watch it in" in await on.scene.whispered(asked)
    assert await acknowledged.hits() == 1
    assert await answered.hits() == 2
    assert card_of(on.discord.world, on.scene.channel, asked.id)
