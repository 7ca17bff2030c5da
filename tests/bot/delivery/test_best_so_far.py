"""A painting that gets no better: its card says so, and the thread has the best picture so far, to go on from."""

from __future__ import annotations

import pytest
from discord_server.message_text import text_of
from scene import LONG
from support.delivery import Stage, job_of, posted

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_card_says_so_and_the_best_picture_is_posted_once_to_go_on_from(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting(**LONG)
    told = await manual_worker.no_better(4500, best=2990)
    best = await stage.posted(card["id"], "best-02990.png")
    assert text_of(best).startswith("**The best so far**, of iteration 2,990 · loss 2")
    assert told in text_of(await stage.scene.ended(card, "[The best picture so far](https://discord.com/channels/"))

    await manual_worker.done(best=2990, note=told)
    done = await stage.scene.ended(card)
    assert told in text_of(done)
    link = (
        f"https://discord.com/channels/{stage.scene.guild.id}/{card['id']}/{best['id']}"  # the thread has the card's id
    )
    assert f"[The best picture so far]({link})" in text_of(done)
    assert len(posted(stage.discord.world, card["id"], "best-02990.png")) == 1

    press = await stage.scene.ada.press(best, "From here")
    await press.answered()
    asked = {"Recipe": "fine", "Iterations": "6", "Strength of the style": "1"}
    form = await stage.scene.ada.submit(press.modal, asked)
    child = await stage.scene.card(form)
    assert "from a given picture" in text_of(child)


async def test_what_has_got_better_since_has_another_best_picture_at_its_end(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting(**LONG)
    told = await manual_worker.no_better(4500, best=2990)
    await stage.posted(card["id"], "best-02990.png")
    await manual_worker.done(best=5120, note=told)
    await stage.scene.ended(card)
    assert len(posted(stage.discord.world, card["id"], "best-02990.png", "best-05120.png")) == 2


async def test_the_card_keeps_the_link_after_a_restart_and_another_notice_and_show_brings_it_too(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting(**LONG)
    told = await manual_worker.no_better(4500, best=2990)
    best = await stage.posted(card["id"], "best-02990.png")
    link = f"[The best picture so far](https://discord.com/channels/{stage.scene.guild.id}/{card['id']}/{best['id']})"
    await stage.scene.ended(card, link)
    stage.scene.bots[-1].kill()
    await stage.scene.start_bot()
    await manual_worker.progress(4600)
    assert link in text_of(await stage.scene.ended(card, "iterations/s"))
    await manual_worker.notice(4700, "It is painted by another kind of device now.")
    assert link in text_of(await stage.scene.ended(card, "another kind of device"))

    elsewhere = await stage.scene.guild.channel("elsewhere")
    shown = await (await stage.scene.ada.slash(elsewhere, "show", job=job_of(card))).shown()
    assert link in text_of(shown)
    await manual_worker.done(best=2990, note=told)
    await stage.scene.ended(card)
    shown = await (await stage.scene.ada.slash(elsewhere, "show", job=job_of(card))).shown()
    assert told in text_of(shown)
    assert link in text_of(shown)


async def test_the_strip_of_one_painting_ends_with_its_best_picture_to_go_on_from(stage: Stage) -> None:
    given = {"content": stage.scene.content, "style": stage.scene.style, "vary": "iterations", **LONG}
    asked = await stage.scene.ada.slash(stage.scene.channel, "study", **given)
    card = await stage.painting(asked)
    manual_worker = await stage.manual_worker(asked.id)
    told = await manual_worker.no_better(4500, best=2990)
    await stage.posted(card["id"], "best-02990.png")
    await manual_worker.done(best=5120, note=told)
    done = await stage.scene.ended(card)
    best = await stage.posted(card["id"], "best-05120.png")
    assert f"/{card['id']}/{best['id']})" in text_of(done)

    press = await stage.scene.ada.press(best, "From here")
    await press.answered()
