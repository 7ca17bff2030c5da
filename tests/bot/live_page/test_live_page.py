"""The live page in front of a bot: what it shows, and what it shows to nobody."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from conftest import House
from discord_server.driver import Channel
from scene import LONG, Scene, scene

from bot.live_page.losses import POINTS, Losses
from engine.contract.events import Cancelled, Progress, Snapshot

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Scene, str]]:
    """With a worker that paints all of them in turn."""
    house.hire(seconds=0.15, IMPASTO_USER_RUNNING="20", IMPASTO_GUILD_RUNNING="20").ready()
    async with scene(house, tmp_path_factory.mktemp("page"), IMPASTO_PAGE="0", IMPASTO_USER_SECONDS="0") as made:
        (url,) = [line["url"] for line in made.said() if line["event"] == "the live page is served"]
        yield made, url
        assert made.discord.world.violations == []


async def scenes(url: str) -> AsyncIterator[Json]:
    """What the page is told, as it comes."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/events") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        async for line in answer.content:
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))


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


async def painted(made: Scene, channel: Channel | str | None = None) -> str:
    """A painting that goes on, with a snapshot posted."""
    asked = await made.stylize(channel=channel, **LONG)
    where = channel or made.channel
    card = await made.card(asked, where)
    await made.discord.until(
        lambda world: [one for place in (card["id"], where) for one in world.messages(place) if "00010.png" in str(one)]
    )
    return asked.id


async def ended(made: Scene, *jobs: str) -> None:
    for job in jobs:
        await made.whispered(await made.ada.slash(made.channel, "cancel", job=job))


async def test_a_painting_grows_on_the_page_with_its_curve(stage: tuple[Scene, str]) -> None:
    made, url = stage
    status, page = await get(url)
    assert (status, page[:15]) == (200, b"<!doctype html>")
    job = await painted(made)
    told = await until(url, job, picture=True, curve=True)
    (one,) = told["painting"]
    assert one["words"].startswith("fine, 90,000 iterations at 64 px")
    assert one["iterations"] == 90_000
    assert len(one["curve"]) >= 2
    assert told["workers"] == [{"device": told["workers"][0]["device"], "weights": "random", "holds": 1}]
    status, picture = await get(f"{url}/{one['picture']}")
    assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
    assert (await get(f"{url}/picture/{job}/99"))[0] == 404
    everything = json.dumps(told)
    assert not [name for name in ("Ada", "Studio", "harbour", "strokes", made.ada.id) if name in everything]
    await ended(made, job)


async def test_what_is_not_everybody_s_is_shown_without_its_picture(stage: tuple[Scene, str]) -> None:
    made, url = stage
    restricted = await made.guild.channel("restricted", nsfw=True)
    hidden = await made.guild.channel("hidden")
    await hidden.deny("view_channel", to="everyone")
    await hidden.allow("view_channel")
    await hidden.allow("view_channel", to=made.ada)
    covered = await made.stylize(content=("SPOILER_harbour.png", made.content.read_bytes()), **LONG)
    card = await made.card(covered)
    await made.discord.until(lambda world: [one for one in world.messages(card["id"]) if "00010.png" in str(one)])
    jobs = [await painted(made, where) for where in (restricted, hidden, await made.ada.dm())] + [covered.id]
    seen = await painted(made)
    told = await until(url, seen, picture=True)
    shown = {one["id"]: one["picture"] for one in told["painting"]}
    assert {job: shown[job] for job in jobs} == dict.fromkeys(jobs)
    for job in jobs:
        assert (await get(f"{url}/picture/{job}/10"))[0] == 404
    await ended(made, seen, *jobs)


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


async def test_chromium_shows_it(stage: tuple[Scene, str]) -> None:
    """That the script runs: the page's own words are in the document that it makes."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("Chromium is not here")
    made, url = stage
    job = await painted(made)
    await until(url, job, picture=True, curve=True)
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--timeout=8000", "--dump-dom"]
    process = await asyncio.create_subprocess_exec(
        browser, *flags, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    page = (await process.communicate())[0].decode()
    assert "1 painting under way, 0 waiting, 1 worker" in page
    assert f'src="picture/{job}/' in page
    assert '<polyline points="0.00,' in page
    await ended(made, job)


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
