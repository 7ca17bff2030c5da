"""What an older version left behind, in `states` (`make_state.py` made it): today's bot and worker go on with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from discord_server.driver import Discord, WorldView
from discord_server.message_text import files_of, text_of
from discord_server.tests.raw import Raw
from own_redis import OwnRedis
from PIL import Image
from promises import check_no_loops, left
from redis import Redis
from scene import BotProcess
from support.delivery import small_png
from support.workers import WorkerPool

STATES = Path(__file__).parent / "states"
Json = dict[str, Any]


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    """Without workers yet, on a Redis of its own."""
    (tmp_path / "redis").mkdir()
    redis = OwnRedis(tmp_path / "redis")
    pool = WorkerPool(redis.url, tmp_path)
    yield pool
    pool.close()
    redis.kill()


class State:
    """What was left: messages on Discord, keys in Redis, blobs in the store."""

    def __init__(self, name: str) -> None:
        self.folder = STATES / name
        self.left: Json = json.loads((self.folder / "state.json").read_text())
        self.first, self.second = self.left["first"], self.left["second"]

    @asynccontextmanager
    async def restored(self, pool: WorkerPool) -> AsyncIterator[Discord]:
        shutil.copytree(self.folder / "store", pool.folder / "store")
        async with Discord.start(20) as discord:
            today = await self._posted_anew(discord)
            with Redis.from_url(pool.url) as redis:
                redis.response_callbacks.clear()  # they know no claim of an id alone, and nobody reads the answers
                for command in self.left["redis"]:
                    redis.execute_command(*(_with_ids(word, today) for word in command))
            yield discord
            assert discord.world.violations == []

    async def _posted_anew(self, discord: Discord) -> dict[str, str]:
        """The same messages in today's stand-in for Discord; which id has become which."""
        guild = await discord.guild("Studio")
        self.channel, self.ada = await guild.channel("paintings"), await guild.member("Ada")
        today = {self.left["guild"]: guild.id, self.left["channel"]: self.channel.id, self.left["ada"]: self.ada.id}
        raw = Raw(discord)
        for card in self.left["cards"]:
            rows = [{"type": 1, "components": [_button(one) for one in card["buttons"]]}]
            today[card["id"]] = await _post(raw, self.channel.id, card["files"], components=rows)
            path = f"/channels/{self.channel.id}/messages/{today[card['id']]}/threads"
            assert (await raw("POST", path, {"name": "harbour × strokes"})).status == 201
        self.thread = today[self.left["cards"][0]["id"]]
        for message, files in self.left["posted"].items():
            today[message] = await _post(raw, self.thread, files)
        return today

    @asynccontextmanager
    async def served(self, discord: Discord, pool: WorkerPool) -> AsyncIterator[None]:
        """Today's worker and bot; the bot has ended in order after the block."""
        pool.start_worker(seconds=5).ready()
        bot = BotProcess(discord, pool, pool.folder / "bot.log")
        try:
            yield
        finally:
            status = bot.end()
        assert status == 0
        check_no_loops(discord.world)

    def cards(self, world: WorldView, job: str) -> list[Json]:
        mine = f"impasto-{job}-content.jpg"
        return [one for one in world.messages(self.channel) if mine in files_of(one)]

    def pictures(self, world: WorldView, job: str) -> list[str]:
        """What is in the job's thread, in order, by the ends of the files' names."""
        (card,) = self.cards(world, job)
        names = [name for message in world.messages(card) for name in files_of(message)]
        return [name.removeprefix(f"impasto-{job}-") for name in names]

    def ended(self, world: WorldView, word: str) -> bool:
        return all(word in text_of(self.cards(world, job)[0]) for job in (self.first, self.second))

    async def pixels(self, pool: WorkerPool, job: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """What today's worker painted, and what the older one did."""
        (path,) = (pool.folder / "store" / "jobs" / job).glob("final*.png")
        with np.load(self.folder / "pixels.npz") as older:
            return np.asarray(Image.open(path).convert("RGB"), dtype=float), older[job].astype(float)


def _with_ids(word: str, today: dict[str, str]) -> str:
    for old, new in today.items():
        word = word.replace(old, new)
    return word


def _button(custom_id: str) -> Json:
    return {"type": 2, "style": 2, "label": custom_id.split(":")[1], "custom_id": custom_id}


async def _post(raw: Raw, channel: str, files: list[str], **body: Any) -> str:
    named = {name: small_png() for name in files}
    about = {"attachments": [{"id": n, "filename": name} for n, name in enumerate(files)], **body}
    answer = await raw("POST", f"/channels/{channel}/messages", {"allowed_mentions": {"parse": []}, **about}, named)
    assert answer.status == 200, answer.body
    return str(answer.body["id"])


@pytest.mark.parametrize("name", [pytest.param("recipe-3", marks=pytest.mark.long), "recipe-4"])
async def test_paintings_under_way_go_on_as_if_nothing_had_been(name: str, pool: WorkerPool) -> None:
    """On the machine that made the states not one level differs; others may round otherwise."""
    state = State(name)
    async with state.restored(pool) as discord:
        async with state.served(discord, pool):
            await discord.until(lambda world: state.ended(world, "**Done**"))
        last = ["final.png", "loss.png", "film.webp"]
        assert state.pictures(discord.world, state.first) == ["00010.png", "00030.png", *last]
        assert state.pictures(discord.world, state.second) == last
        assert await left(pool) == {"thinking": 0, "events": 0}
        for job in (state.first, state.second):
            now, older = await state.pixels(pool, job)
            assert np.abs(now - older).mean() < 2


@pytest.mark.long
async def test_recipes_of_the_first_release_end_with_a_sentence_and_can_be_asked_for_again(pool: WorkerPool) -> None:
    """Their losses were weighed in units that no worker has any more."""
    state = State("0.1.0")
    async with state.restored(pool) as discord, state.served(discord, pool):
        await discord.until(lambda world: state.ended(world, "An older version of Impasto began it"))
        assert state.pictures(discord.world, state.first) == ["00010.png", "00030.png"]
        assert state.pictures(discord.world, state.second) == []
        (card,) = state.cards(discord.world, state.first)
        again = await state.ada.press(card, "Again")
        await again.shown()
        await discord.until(lambda world: "**Done**" in text_of(state.cards(world, again.id)[0]))
    assert await left(pool) == {"thinking": 0, "events": 0}
