"""Discord breaks off, answers with errors, or does what was asked without saying so: each thing is seen once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from discord_server.message_text import text_of
from scene import card_of, pictures
from support.delivery import Stage

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
    "a token that was reset": {"status": 401},
}

DONE_ALREADY = {40060, 160004}
"""What Discord says to a repetition of what it did without telling: acknowledged, thread opened."""


@pytest.fixture(autouse=True)
def only_what_was_done_already_is_refused(stage: Stage) -> Iterator[None]:
    yield
    assert {one["code"] for one in stage.discord.world.refusals} <= DONE_ALREADY


async def test_a_picture_comes_exactly_once_through_any_trouble(stage: Stage) -> None:
    manual_paintings = {name: await stage.manual_painting() for name in TROUBLES}
    faults = []
    for name, trouble in TROUBLES.items():
        card, manual_worker = manual_paintings[name]
        faults.append(await stage.discord.fault(f"POST /channels/{card['id']}/messages", times=1, **trouble))
        await manual_worker.snapshot(10)
        await manual_worker.snapshot(20)
    for name, (card, _) in manual_paintings.items():
        await stage.posted(card["id"], "00020.png")
        assert pictures(stage.discord.world, card["id"]) == ["00010.png", "00020.png"], name
    assert [await fault.hits() for fault in faults] == [1] * len(TROUBLES)


@pytest.mark.parametrize("trouble", ["an answer that is cut off", "a connection reset", "503"])
async def test_card_and_thread_come_exactly_once(stage: Stage, trouble: str) -> None:
    there = f"POST /channels/{stage.scene.channel.id}/messages"
    posts = await stage.discord.fault(there, times=1, **TROUBLES[trouble])
    threads = await stage.discord.fault(f"{there}/*/threads", times=1, **TROUBLES[trouble])
    asked = await stage.scene.stylize()
    assert (
        await stage.scene.private_reply(asked) == f"Accepted: watch it in <#{(await stage.scene.card(asked))['id']}>."
    )
    assert len(stage.discord.world.threads(stage.scene.channel)) == 1
    assert len(stage.discord.world.messages(stage.scene.channel)) == 1
    assert await posts.hits() == await threads.hits() == 1
    manual_worker = await stage.manual_worker(asked.id)
    await manual_worker.snapshot(10)
    await stage.posted(stage.discord.world.threads(stage.scene.channel)[0], "00010.png")


@pytest.mark.long
async def test_a_card_follows_through_refused_edits(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    edits = f"PATCH /channels/{stage.scene.channel.id}/messages/*"
    old = await stage.discord.fault(edits, times=2, status=429, code=30046, retry_after=0.2)
    await manual_worker.progress(5)
    await stage.scene.ended(card, "iteration 5 of")
    assert await old.hits() == 2
    silent = await stage.discord.fault(edits, times=1, status=503)
    await manual_worker.progress(6)
    await stage.scene.ended(card, "iteration 6 of")
    assert await silent.hits() == 1
    broken = await stage.discord.fault(edits, times=2, status=503)
    await manual_worker.done()
    assert "all of it in" in text_of(await stage.scene.ended(card))
    assert await broken.hits() == 2


async def test_nobody_is_left_with_is_thinking(stage: Stage) -> None:
    acknowledged = await stage.discord.fault("POST /interactions/**", times=1, swallow="cut")
    answered = await stage.discord.fault("PATCH /webhooks/**", times=2, reset=True)
    asked = await stage.scene.stylize()
    assert "Accepted: watch it in" in await stage.scene.private_reply(asked)
    assert await acknowledged.hits() == 1
    assert await answered.hits() == 2
    assert card_of(stage.discord.world, stage.scene.channel, asked.id)
