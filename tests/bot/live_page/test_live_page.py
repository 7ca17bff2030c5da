"""The live page in front of a bot: what it shows, and what it shows to nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from arq.connections import ArqRedis
from browser import browsing, chromium
from discord_server.driver import Channel
from manual_worker import manual_worker
from scene import LONG, Scene, scene
from structlog.testing import capture_logs
from support.jobs import a_job
from support.workers import WorkerPool

from bot.live_page import loss_curves, server
from bot.live_page.loss_curves import POINTS, Losses
from bot.settings import read_bot_settings
from engine.contract import workers
from engine.contract.connection import connect
from engine.contract.events import STREAM, Cancelled, Progress, Snapshot
from engine.contract.jobs import Jobs
from engine.contract.models import Job, job_key
from engine.contract.store import Store
from engine.contract.workers import Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Scene, str]]:
    """Without a worker: the tests tell what one would."""
    async with scene(pool, tmp_path_factory.mktemp("page"), IMPASTO_PAGE="0") as made:
        (url,) = [line["url"] for line in made.said() if line["event"] == "the live page is served"]
        yield made, url
        assert made.discord.world.violations == []


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


async def scenes(url: str) -> AsyncIterator[Json]:
    """What the page is told, as it comes."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/events") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        async for line in answer.content:
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "), parse_constant=_no_number)


async def until(url: str, *jobs: str, **true: Any) -> Json:
    """The first scene in which all of these are painted, and have such facts."""
    async with asyncio.timeout(60):
        async for told in scenes(url):
            painted = {one["id"]: one for one in told.get("painting", [])}
            facts = [bool(painted.get(job, {}).get(name)) is is_ for job in jobs for name, is_ in true.items()]
            if set(jobs) <= set(painted) and all(facts):
                return told
    raise AssertionError


async def get(url: str, **headers: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.read()


@asynccontextmanager
async def painted(made: Scene, channel: Channel | None = None, **options: Any) -> AsyncIterator[str]:
    """A painting that goes on while the block runs, with a snapshot posted."""
    asked = await made.stylize(channel=channel, **LONG, **options)
    where = channel or made.channel
    card = await made.card(asked, where)
    async with manual_worker(made, asked.id) as painter:
        await painter.progress(5)
        await painter.snapshot(10)
        places = (card["id"], where)
        await made.discord.until(
            lambda world: [one for place in places for one in world.messages(place) if "00010.png" in str(one)]
        )
        yield asked.id
        await painter.stopped(20)


async def test_a_painting_grows_on_the_page_with_its_curve(stage: tuple[Scene, str]) -> None:
    made, url = stage
    status, page = await get(url)
    assert (status, page[:15]) == (200, b"<!doctype html>")
    async with connect(made.pool.url) as redis:
        await workers.beat(redis, Worker(id="a-host:1", device="cuda:0 (a GPU)", weights="imagenet", jobs=("1",)))
        await redis.persist("impasto:worker:a-host:1")  # however long the machine takes for what follows
    async with painted(made) as job:
        told = await until(url, job, picture=True, curve=True)
        (one,) = told["painting"]
        assert one["words"].startswith("fine, 90,000 iterations at 64 px")
        assert (one["iteration"], one["iterations"], one["rate"]) == (10, 90_000, 5)
        assert one["curve"] == [[5, 3.0], [10, 1.0]]
        assert told["workers"] == [{"device": "cuda:0 (a GPU)", "weights": "imagenet", "holds": 1}]
        status, picture = await get(f"{url}/{one['picture']}")
        assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
        assert (await get(f"{url}/picture/{job}/99"))[0] == 404
        everything = json.dumps(told)
        assert not [
            name for name in ("Ada", "Studio", "harbour", "strokes", "a-host", made.ada.id) if name in everything
        ]
    async with asyncio.timeout(60):
        async for told in scenes(url):
            if not told["painting"]:
                break
    assert (await get(f"{url}/{one['picture']}"))[0] == 404


async def test_what_is_not_everybody_s_is_shown_without_its_picture(stage: tuple[Scene, str]) -> None:
    made, url = stage
    restricted = await made.guild.channel("restricted", nsfw=True)
    hidden = await made.guild.channel("hidden")
    await hidden.deny("view_channel", to="everyone")
    await hidden.allow("view_channel")
    await hidden.allow("view_channel", to=made.ada)
    covered = ("SPOILER_harbour.png", made.content.read_bytes())
    async with (
        painted(made, restricted) as first,
        painted(made, hidden) as second,
        painted(made, made.discord.channel(await made.ada.dm())) as third,
        painted(made, content=covered) as fourth,
        painted(made) as seen,
    ):
        told = await until(url, seen, picture=True)
        shown = {one["id"]: one["picture"] for one in told["painting"]}
        assert shown == {**dict.fromkeys((first, second, third, fourth)), seen: f"picture/{seen}/10"}
        for job in (first, second, third, fourth):
            assert (await get(f"{url}/picture/{job}/10"))[0] == 404


async def test_what_nobody_foresaw_is_told_and_the_page_goes_on_after_it(
    empty_redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PAUSE", 0.01)
    faults = [ZeroDivisionError("what nobody foresaw")]

    def bot() -> None:
        if faults:
            raise faults.pop()

    settings, store = read_bot_settings(discord_token="a.token"), Store(tmp_path.as_uri())
    with capture_logs() as log:
        async with connect(empty_redis_url) as redis:
            page = server.LivePage(settings, redis, store, bot)
            async with page.served(("127.0.0.1", 0)) as url, asyncio.timeout(60):
                async for told in scenes(url):
                    if "workers" in told:
                        break
    (line,) = [one for one in log if one["log_level"] == "error"]
    assert (line["event"], line["exc_info"]) == ("the live page cannot be drawn up", True)


async def test_what_is_no_number_is_left_out(stage: tuple[Scene, str]) -> None:
    """Of a pace that is none, and of a worker so slow that it paints for ever."""
    made, url = stage
    one: Json = {}
    async with painted(made) as job, connect(made.pool.url) as redis:
        slow = {"id": "slow", "device": "cpu", "weights": "random", "speed": 5e-324}
        await redis.set("impasto:worker:slow", json.dumps(slow))
        try:
            for rate in ("NaN", "Infinity"):
                event = {"kind": "progress", "job": job, "iteration": 15, "content": 1, "style": 1, "eta": 1}
                text = json.dumps(event | {"loss": 2.0, "rate": float(rate)})
                await redis.xadd(STREAM, {"job": job, "event": text})
            async with asyncio.timeout(60):
                async for told in scenes(url):
                    one = next((one for one in told.get("painting", []) if one["id"] == job), {"curve": []})
                    if [15, 2.0] in one["curve"]:
                        break
        finally:
            await redis.delete("impasto:worker:slow")
    assert (one["rate"], one["done_at"]) == (5, None)


async def test_without_a_token_only_this_machine_s_own_name_is_answered(stage: tuple[Scene, str]) -> None:
    _, url = stage
    for path in ("/", "/events", "/picture/1/1"):
        assert (await get(f"{url}{path}", Host="rebound.example.org"))[0] == 403


async def test_with_a_token_only_who_has_it_is_answered(stage: tuple[Scene, str]) -> None:
    made, _ = stage
    bot = made.launch_bot(IMPASTO_PAGE="0", IMPASTO_PAGE_TOKEN="0123456789abcdef")
    try:
        async with asyncio.timeout(60):
            while len(urls := [one["url"] for one in made.said() if "live page is" in one["event"]]) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # it stands by, and tells nobody else
        url = urls[-1]
        assert (await get(url))[0] == (await get(f"{url}/?token=0123456789abcdeg"))[0] == 401
        assert (await get(f"{url}/?token=0123456789abcdef"))[0] == 303
        assert (await get(url, Cookie="impasto_page=0123456789abcdef", Host="wall.example.org"))[0] == 200
        assert "0123456789abcdef" not in made.told()
    finally:
        bot.end()


async def test_chromium_shows_it(stage: tuple[Scene, str], tmp_path: Path) -> None:
    """That the script runs: the page's own words are in the document that it makes."""
    browser = chromium()
    if browser is None:
        pytest.skip("Chromium is not here")
    made, url = stage
    async with painted(made) as job:
        await until(url, job, picture=True, curve=True)
        async with browsing(browser, url, tmp_path) as opened:
            page = await opened.until('<polyline points="')
    assert "1 painting under way, 0 waiting" in page
    assert f'src="picture/{job}/10"' in page
    assert '<polyline points="0.00,' in page


async def test_curves_are_followed_on_after_what_nobody_foresaw(
    empty_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open job from the end of time: nothing that was told since can be looked for."""
    monkeypatch.setattr(loss_curves, "PAUSE", 0.01)
    job, losses = a_job(), Losses()
    async with connect(empty_redis_url) as redis:
        await Jobs(redis).create(job)
        spec = job.model_dump(mode="json") | {"created": "inf"}
        await redis.hset(job_key(job.id), "spec", json.dumps(spec))  # type: ignore[misc]
        log = await _followed_on(redis, losses, job)
    assert (log[0]["event"], log[0]["log_level"]) == ("the live page breaks off, and begins anew", "error")


async def _followed_on(redis: ArqRedis, losses: Losses, job: Job) -> list[MutableMapping[str, Any]]:
    """What was logged, once the job is mended and what it tells then has arrived."""
    with capture_logs() as log:
        following = asyncio.create_task(losses.follow(redis))
        while not log:  # noqa: ASYNC110 - the log tells nobody
            await asyncio.sleep(0.01)
        await redis.hset(job_key(job.id), "spec", job.model_dump_json())  # type: ignore[misc]
        event = Progress(job=job.id, iteration=5, loss=2, content=1, style=1, rate=5, eta=0)
        await redis.xadd(STREAM, {"job": job.id, "event": event.model_dump_json()})
        while job.id not in losses.curves:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)
        following.cancel()
        await asyncio.wait([following])
    return log


async def test_a_curve_stays_short_and_forgets_what_is_painted_again() -> None:
    losses = Losses()
    for iteration in range(1, 3 * POINTS):
        losses.add(Progress(job="1", iteration=iteration, loss=1 / iteration, content=0, style=0, rate=5, eta=0))
    curve = losses.curves["1"]
    assert len(curve) <= POINTS
    assert (curve[0][0], curve[-1][0]) == (1, 3 * POINTS - 1)
    losses.add(Snapshot(job="1", iteration=50, picture="", loss=float("nan")))
    losses.add(Snapshot(job="1", iteration=50, picture="", loss=7.0))
    assert losses.curves["1"][-1] == (50, 7.0)
    assert [iteration for iteration, _ in losses.curves["1"]] == sorted({i for i, _ in losses.curves["1"]})
    losses.add(Cancelled(job="1", iteration=60))
    assert losses.curves == {}
