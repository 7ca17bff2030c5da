"""`/show` brings a card while something happens to its painting."""

from __future__ import annotations

import pytest
from discord_server.message_text import text_of
from support.delivery import Stage, job_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("store_away", [False, True])
async def test_a_card_that_was_on_its_way_when_the_painting_ended_tells_the_end(stage: Stage, store_away: bool) -> None:
    card, manual_worker = await stage.manual_painting()
    elsewhere = await stage.scene.guild.channel("elsewhere")
    late = await stage.discord.fault("PATCH /webhooks/**", with_files=True, times=1, delay_s=600)
    await stage.scene.ada.slash(elsewhere, "show", job=job_of(card))
    while not await late.hits():
        await stage.discord.now()
    await manual_worker.done()
    await stage.scene.ended(card)
    store, aside = stage.scene.pool.folder / "store", stage.scene.pool.folder / "aside"
    if store_away:
        store.rename(aside)
        store.write_text("no folder")
    await late.release()
    await stage.discord.until(lambda world: any("**Done**" in text_of(one) for one in world.messages(elsewhere)))
    if store_away:
        store.unlink()
        aside.rename(store)
