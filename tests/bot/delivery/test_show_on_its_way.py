"""`/show` brings a card while something happens to its painting."""

from __future__ import annotations

import pytest
from discord_server.message_text import text_of
from support.delivery import Stage, job_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_card_that_was_on_its_way_when_the_painting_ended_tells_the_end(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    elsewhere = await stage.scene.guild.channel("elsewhere")
    late = await stage.discord.fault("PATCH /webhooks/**", with_files=True, times=1, delay_s=600)
    await stage.scene.ada.slash(elsewhere, "show", job=job_of(card))
    while not await late.hits():
        await stage.discord.now()
    await manual_worker.done()
    await stage.scene.ended(card)
    await late.release()
    await stage.discord.until(lambda world: any("**Done**" in text_of(one) for one in world.messages(elsewhere)))
