"""The ledger in a real Redis: what is posted and what is acknowledged are known together, or not at all."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from arq.connections import ArqRedis
from redis.exceptions import ConnectionError

from bot.post_ledger import GROUP, Address, Ledger, LedgerPage
from engine.contract.events import STREAM
from engine.contract.models import KEEP_DAYS, MOST_KEEP_DAYS

ADDRESS = Address(job="7", owner=1, guild=2, channel=3, place="thread", title="harbour × strokes")


@pytest.fixture
async def ledger(redis: ArqRedis) -> Ledger:
    made = Ledger(redis)
    await made.open(ADDRESS)
    return made


async def page(ledger: Ledger) -> LedgerPage:
    found = await ledger.page("7")
    assert found is not None
    return found


async def given(redis: ArqRedis, count: int = 1) -> list[str]:
    """Entries of the stream that were given to the bot and that it has not dealt with."""
    await redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    for number in range(count):
        await redis.xadd(STREAM, {"job": "7", "event": str(number)})
    ((_, entries),) = await redis.xreadgroup(GROUP, "bot", {STREAM: ">"})
    return [entry.decode() for entry, _ in entries]


async def pending(redis: ArqRedis) -> list[str]:
    rows: Any = await redis.xpending_range(STREAM, GROUP, "-", "+", 100)
    return [row["message_id"].decode() for row in rows]


async def test_a_post_and_its_acknowledgement_go_in_one_multi(redis: ArqRedis, ledger: Ledger) -> None:
    (entry,) = await given(redis)
    async with redis.monitor() as monitor:
        noting = asyncio.create_task(ledger.note("7", {"post:final": 99}, entry))
        seen: list[str] = []
        while not seen or seen[-1] != "EXEC":
            seen.append((await monitor.next_command())["command"].split()[0].upper())
        await noting
    block = seen[seen.index("MULTI") : seen.index("EXEC")]
    assert {"HSET", "XACK"} <= set(block)
    assert (await page(ledger)).posts == {"final": 99}
    assert await pending(redis) == []


async def test_a_note_that_does_not_arrive_whole_changes_nothing(
    redis: ArqRedis, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = await given(redis)
    pack = redis.connection_pool.connection_class.pack_commands

    def cut(self: Any, commands: Any) -> list[bytes]:
        """All but the last bytes of what is to be sent, which are those of EXEC."""
        return [b"".join(pack(self, commands))[:-6]]

    monkeypatch.setattr(redis.connection_pool.connection_class, "pack_commands", cut)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ledger.note("7", {"post:final": 99}, entry), 0.5)
    monkeypatch.undo()
    await redis.connection_pool.disconnect()
    assert (await page(ledger)).posts == {}
    assert await pending(redis) == [entry]


async def test_only_the_entries_that_are_named_are_acknowledged(redis: ArqRedis, ledger: Ledger) -> None:
    first, second, third, fourth = await given(redis, 4)
    await ledger.acknowledge(first, third)
    assert await pending(redis) == [second, fourth]
    await ledger.note("7", {}, fourth)
    assert await pending(redis) == [second]
    await ledger.acknowledge()
    await ledger.note("7", {"card": 4})
    assert await pending(redis) == [second]


async def test_a_page_tells_what_was_noted(ledger: Ledger) -> None:
    assert await ledger.page("8") is None
    empty = await page(ledger)
    assert (empty.address, empty.card, empty.thread, empty.posts, empty.pictures) == (ADDRESS, None, None, {}, {})
    assert (empty.title, empty.channel, empty.stopped, empty.forget) == (ADDRESS.title, ADDRESS.channel, "", False)
    await ledger.note("7", {"card": 4, "files": "a.jpg b.jpg"})
    await ledger.note("7", {"thread": 4, "title": "A painting"})
    await ledger.note("7", {"post:snapshot:10": 5, "at:10": "jobs/7/00010.png"})
    await ledger.note("7", {"post:final": 6, "at:24": "jobs/7/final.png"})
    full = await page(ledger)
    assert (full.card, full.thread, full.channel, full.title) == (4, 4, 4, "A painting")
    assert full.posts == {"snapshot:10": 5, "final": 6}
    assert full.pictures == {10: "jobs/7/00010.png", 24: "jobs/7/final.png"}
    assert full.files == ("a.jpg", "b.jpg")


async def test_opening_a_page_again_keeps_what_is_on_it(ledger: Ledger) -> None:
    await ledger.note("7", {"card": 4})
    await ledger.open(ADDRESS.model_copy(update={"channel": 33, "owner": 11}))
    again = await page(ledger)
    assert (again.address, again.card) == (ADDRESS, 4)


async def test_a_page_is_kept_for_as_long_as_its_job(redis: ArqRedis, ledger: Ledger) -> None:
    whole = KEEP_DAYS * 86400
    assert whole - 60 < await redis.ttl("impasto:posted:7") <= whole
    await redis.expire("impasto:posted:7", 100)
    await ledger.note("7", {"card": 4})
    assert whole - 60 < await redis.ttl("impasto:posted:7") <= whole


async def test_a_page_that_was_to_be_kept_for_longer_is_kept_so_and_found(redis: ArqRedis, ledger: Ledger) -> None:
    """The settings said more when it was written: its job is known until then, and its messages are to be deleted."""
    await Ledger(redis, 365).note("7", {"card": 4})
    await ledger.note("7", {"former:4": 22})
    await ledger.restore(await page(ledger))
    for key in ("impasto:posted:7", "impasto:pages:1"):
        assert await redis.ttl(key) > 364 * 86400
    await redis.zadd("impasto:pages:1", {"7": time.time() - 300 * 86400})
    await ledger.open(ADDRESS.model_copy(update={"job": "8"}))
    assert set(await ledger.of_owner(1)) == {"7", "8"}


async def test_a_members_pages_are_found_for_as_long_as_they_are_kept(
    redis: ArqRedis, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, begun = KEEP_DAYS * 86400, time.time()
    other = ADDRESS.model_copy(update={"job": "8"})
    for days, job in ((1, "8"), (20, "7"), (MOST_KEEP_DAYS + 2, "9")):
        monkeypatch.setattr("bot.post_ledger.time.time", lambda days=days: begun + days * 86400)
        await ledger.open(ADDRESS.model_copy(update={"job": job}))
        await ledger.open(ADDRESS.model_copy(update={"job": f"{job}0", "owner": 11}))
    assert await ledger.of_owner(1) == ["9", "7"]  # the page of the other has come to its end
    assert whole - 60 < await redis.ttl("impasto:pages:1") <= whole
    await ledger.close("9")
    assert await ledger.of_owner(1) == ["7"]
    assert await ledger.of_owner(12) == []
    await redis.delete("impasto:pages:1")  # as if they were of an earlier version
    await ledger.note("7", {"card": 4})
    await ledger.note("10", {"card": 4})
    restored = await ledger.page("8")
    assert restored is not None
    assert restored.address == other
    await ledger.restore(restored)
    assert set(await ledger.of_owner(1)) == {"7", "8"}
    await ledger.close("no such page")


@pytest.mark.parametrize("guild", [5, ""])
async def test_a_page_that_redis_has_lost_is_restored_with_where_its_card_was_moved(
    redis: ArqRedis, ledger: Ledger, guild: int | str
) -> None:
    await ledger.note("7", {"card": 4, "thread": 4, "title": "A painting"})
    before = await redis.dump("impasto:posted:7")
    await ledger.note("7", {"card": 8, "card_channel": 33, "card_guild": guild, "former:4": 3, "former:8": 33})
    moved = await page(ledger)
    await redis.delete("impasto:posted:7")
    await ledger.restore(moved)
    assert await page(ledger) == moved
    await redis.restore("impasto:posted:7", 0, before, replace=True)  # it has lost the move alone
    await ledger.restore(moved)
    restored = await page(ledger)
    assert (restored.card, restored.card_channel, restored.card_guild) == (4, 3, 2)
    assert restored.former == {8: 33}


async def test_what_is_noted_of_a_forgotten_painting_is_to_be_deleted(redis: ArqRedis, ledger: Ledger) -> None:
    assert await ledger.note_kept("7", {"shared:9": 3})
    await ledger.forget("7")
    assert not await ledger.note_kept("7", {"shared:10": 3})
    assert set((await page(ledger)).shared) == {9, 10}  # whoever deletes the rest finds them
    await ledger.close("7")
    assert not await ledger.note_kept("7", {"shared:11": 3, "film:11": 1})
    assert not await redis.exists("impasto:posted:7")


async def test_why_it_was_stopped_is_the_first_reason(ledger: Ledger) -> None:
    await ledger.stop("7", "The thread was deleted.")
    await ledger.stop("7", "The channel was deleted.")
    assert (await page(ledger)).stopped == "The thread was deleted."


async def test_what_is_to_be_forgotten_is_known_until_it_is(ledger: Ledger) -> None:
    assert await ledger.to_forget() == []
    await ledger.forget("7", "6")
    assert (await page(ledger)).forget
    assert await ledger.to_forget() == ["6", "7"]
    await ledger.close("7")
    assert await ledger.page("7") is None
    assert await ledger.to_forget() == ["6"]


async def test_a_redis_that_is_gone_is_an_error_and_not_a_note(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: Any) -> Any:
        raise ConnectionError("gone")

    monkeypatch.setattr(ledger._redis.connection_pool, "get_connection", gone)
    with pytest.raises(ConnectionError):
        await ledger.note("7", {"post:final": 99})
    monkeypatch.undo()
    assert (await page(ledger)).posts == {}
