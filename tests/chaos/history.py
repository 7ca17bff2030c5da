"""What is checked when all is over: nothing lost, nothing twice, in order, bit for bit, and nothing left over."""

from __future__ import annotations

import functools
import io
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from arq.connections import ArqRedis
from discord_server.driver import Discord, WorldView
from discord_server.message_text import buttons_of, files_of, text_of
from PIL import Image
from support.jobs import one_thread

from bot.lifecycle.application import APPLICATION
from bot.post_ledger import GROUP
from chaos.load import DONE, FAILED, Promise
from engine.contract.events import STREAM, Done, Event, Last, parse
from engine.contract.expiry import remove_expired
from engine.contract.jobs import Jobs
from engine.contract.models import Job
from engine.contract.store import Store
from engine.contract.store_users import sign
from engine.painting.painter import Painter
from engine.painting.pictures import pixels_sha256
from engine.recipe.recipe import Recipe

_PASSING = 61_000  # ms; what ends by itself within them is no leftover


@dataclass
class Verdict:
    """Counts for the table; `wrong` has a line for everything that should not be."""

    accepted: int = 0
    refused: int = 0
    unheard: int = 0
    promised: int = 0
    posted: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    finals: int = 0
    """Final pictures that equal the uncut run's."""
    wrong: list[str] = field(default_factory=list)


async def judge(
    discord: Discord, redis: ArqRedis, store: Store, folder: Path | None, promises: list[Promise]
) -> Verdict:
    """Once nothing is under way, and the processes have ended in order. `folder`: the store's, where it has one."""
    world, verdict = await discord.now(), Verdict()
    _judge_posts(world, promises, verdict)
    kept = [one for one in promises if one.asked.verdict(world) == "accepted"]
    await _judge_jobs(redis, store, kept, verdict)
    await _judge_finals(discord, store, Jobs(redis), kept, verdict)
    await _judge_leftovers(redis, store, folder, verdict)
    verdict.wrong += [f"against Discord's rules: {one}" for one in world.violations]
    return verdict


def _judge_posts(world: WorldView, promises: list[Promise], verdict: Verdict) -> None:
    """Cards and pictures, as everybody sees them."""
    posted: dict[str, list[str]] = defaultdict(list)
    cards: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for channel in world.channels:
        for message in world.messages(channel):
            if message["content"].startswith(FAILED):
                failures[buttons_of(message)[0]["custom_id"].split(":")[2]] += 1
            for name in files_of(message):
                job = name.split("-")[1]
                cards[job] += name.endswith("-content.jpg")
                if not name.endswith((".jpg",)):
                    posted[job].append(name)
    for one in promises:
        match one.asked.verdict(world):
            case "accepted":
                verdict.accepted += 1
                _judge_promise(world, one, cards[one.job], posted[one.job], verdict)
                if failures[one.job] != (one.ends == FAILED):
                    verdict.wrong.append(f"{one.job}: {failures[one.job]} messages say that it failed")
            case word:
                verdict.refused += word == "refused"
                verdict.unheard += word != "refused"
                if cards[one.job]:
                    verdict.wrong.append(f"{one.job}: has a card, and its member was told {word!r}")


def _judge_promise(world: WorldView, one: Promise, cards: int, names: list[str], verdict: Verdict) -> None:
    expected, times = one.pictures, Counter(names)
    verdict.promised += len(expected)
    verdict.posted += len(names)
    lost = [name for name in expected if name not in times]
    doubled = [name for name, count in times.items() if count > 1]
    verdict.lost += len(lost)
    verdict.doubled += len(doubled) + max(0, cards - 1)
    in_order = [name for name in dict.fromkeys(names) if name in expected]
    disordered = in_order != [name for name in expected if name in times]
    verdict.disordered += disordered
    card = one.look(world)
    text = text_of(card) if card else "nothing"
    further = [name for name in times if name not in expected and not one.may_be_best(name)]
    if lost or doubled or disordered or cards != 1 or further:
        verdict.wrong.append(f"{one.job}: {cards} cards, lost {lost}, doubled {doubled}, posted {names}")
    if one.ends not in text or one.why not in text:
        verdict.wrong.append(f"{one.job}: its card should say {one.ends} and {one.why!r}, and says: {text}")


async def _judge_jobs(redis: ArqRedis, store: Store, kept: list[Promise], verdict: Verdict) -> None:
    """Each ended once, and each of its events was told once."""
    told: dict[str, list[Event]] = defaultdict(list)
    entries: Any = await redis.xrange(STREAM)
    for _, fields in entries:
        event = parse(fields)
        told[event.job].append(event)
    jobs = Jobs(redis)
    for one in kept:
        # Several notices may fall on one iteration, such as that it waits and that it goes on; none is told twice.
        keys = Counter((event.kind, event.iteration, getattr(event, "text", "")) for event in told[one.job])
        ends = [event for event in told[one.job] if isinstance(event, Last)]
        state = await jobs.state(one.job)
        twice = [key for key, count in keys.items() if count > 1]
        wanted = {DONE: ("done",), FAILED: ("failed", "quarantined")}.get(one.ends, ("cancelled",))
        if len(ends) != 1 or twice or state not in wanted or told[one.job][-1] is not ends[0]:
            verdict.wrong.append(f"{one.job}: {state}, told twice {twice}, ends {[end.kind for end in ends]}")


async def _judge_finals(discord: Discord, store: Store, jobs: Jobs, kept: list[Promise], verdict: Verdict) -> None:
    """What is in the store, what was posted, and what the plain loop paints in one go are one picture."""
    files = {
        file["filename"]: file["id"]
        for channel in discord.world.channels
        for message in discord.world.messages(channel)
        for file in message["attachments"]
    }
    for one in kept:
        done, job = await jobs.outcome(one.job), await jobs.get(one.job)
        if not isinstance(done, Done) or job is None:
            continue
        uncut = await _uncut(store, job)
        run = json.loads(await store.get(done.files["run.json"]))
        seen = {"run.json": run["final"]["sha256"], "the store": _sha256(await store.get(done.files["final.png"]))}
        if shown := files.get(f"impasto-{one.job}-final.png"):
            seen["Discord"] = _sha256(await discord.file(shown))
        other = [where for where, sha256 in seen.items() if sha256 != uncut]
        verdict.finals += not other
        if other:
            verdict.wrong.append(f"{one.job}: another final picture than the uncut run's in {', '.join(other)}")


async def _uncut(store: Store, job: Job) -> str:
    pictures = [await store.get(picture.key) for picture in (job.content, *job.styles)]
    return _painted(job.recipe, *pictures)


@functools.cache
def _painted(recipe: Recipe, content: bytes, *styles: bytes) -> str:
    """SHA-256 of the plain loop's pixels."""
    with one_thread():
        painter = Painter(recipe, _picture(content), [_picture(style) for style in styles])
        *_, state = painter.paint(painter.begin())
        return pixels_sha256(painter.picture(state))


def _picture(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def _sha256(png: bytes) -> str:
    return pixels_sha256(_picture(png))


async def _judge_leftovers(redis: ArqRedis, store: Store, folder: Path | None, verdict: Verdict) -> None:
    """No lease, no place in the queue, no answer owed, no event not dealt with, no blob that nobody refers to."""
    await sign(redis, store)
    await remove_expired(redis, store, orphans_after=timedelta(), unknown_after=timedelta())
    keys = [key.decode() async for key in redis.scan_iter("*", count=1000) if not 0 < await redis.pttl(key) < _PASSING]
    lasting = (
        "impasto:job:",
        "impasto:jobs:",
        "impasto:seen:",
        "impasto:posted:",
        "impasto:pages:",
        "impasto:leader:",
        "impasto:commands:",
        "impasto:spent:",
        "impasto:stored:",
    )
    single = {
        STREAM, "impasto:clock", "impasto:finish", "impasto:control", "impasto:weights", "impasto:reconciler",
        "impasto:name", "impasto:swept", APPLICATION,
    }  # fmt: skip
    left = [key for key in keys if not key.startswith(lasting) and key not in single]
    verdict.wrong += [f"left in Redis: {key}" for key in left]
    pending: Any = await redis.xpending(STREAM, GROUP)
    if pending["pending"]:
        verdict.wrong.append(f"events read and not dealt with: {pending['pending']}")
    known = await _referred(redis, store)
    if folder is None:
        stored = {blob.key for blob in await store.blobs("")}
    else:  # also what writers that were killed have left, which the store does not list
        stored = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    # The saved styles that every server begins with, and whose the store is.
    lasting_blobs = {key for key in stored if key.startswith(("drawn/", "used-by/"))} | {"identity"}
    verdict.wrong += [f"left in the store: {key}" for key in sorted(stored - known - lasting_blobs)]


async def _referred(redis: ArqRedis, store: Store) -> set[str]:
    """Every blob that a job, its outcome, its last checkpoint or its posts still name."""
    found: set[str] = set()
    jobs = Jobs(redis)
    async for key in redis.scan_iter("impasto:job:*", count=1000):
        number = key.decode().rpartition(":")[2]
        fields, outcome = await jobs.fields(number), await jobs.outcome(number)
        texts = [fields.get("spec", ""), fields.get("last", "")]
        if isinstance(outcome, Done):
            header = (await store.get(outcome.files["checkpoint.safetensors"]))[:100_000]
            texts.append(header.decode("latin-1"))  # names the film's frames
        posted: Any = await redis.hgetall(f"impasto:posted:{number}")  # type: ignore[misc]
        texts += [value.decode() for name, value in posted.items() if name.startswith(b"at:")]
        for blob, *_ in await store.blobs(f"jobs/{number}"):
            if any(blob in text for text in texts):
                found.add(blob)
    return found
