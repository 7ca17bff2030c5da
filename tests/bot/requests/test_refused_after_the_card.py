"""A painting that comes by direct message is refused once its card is there: nothing of it stays."""

from __future__ import annotations

from pathlib import Path

from discord_server.message_text import text_of
from scene import LONG, SMALL, scene
from support.workers import WorkerPool


async def test_the_card_goes_with_what_the_queue_refuses(empty_redis_url: str, tmp_path: Path) -> None:
    pool = WorkerPool(empty_redis_url, tmp_path)
    async with scene(pool, tmp_path, IMPASTO_TOTAL_JOBS="1") as stage:
        zoe = await stage.discord.user("Zoe", installed=True)
        elsewhere = await stage.discord.guild("Elsewhere", bot=False)
        await elsewhere.add(zoe)
        chat, dm = await elsewhere.channel("chat"), stage.discord.channel(await zoe.dm())
        late = await stage.discord.fault("POST /channels/*/messages", delay_s=600, times=1)
        hers = await stage.stylize(zoe, chat, **SMALL)
        while not await late.hits():
            await stage.discord.now()
        last = await stage.stylize(**LONG)  # takes the only place meanwhile
        running = await stage.card(last)
        await late.release()
        await stage.discord.until(lambda world: "queue is full" in text_of(hers.original or {}) or None)
        to_her = [f"{one['method']} {one['status']}" for one in stage.discord.world.requests if dm.id in one["path"]]
        assert to_her == ["POST 200", "DELETE 204"]
        assert stage.discord.world.messages(dm) == []
        assert await stage.traces(hers.id) == []
        await stage.private_reply(await stage.ada.press(running, "Cancel"))
        assert stage.discord.world.violations == []
