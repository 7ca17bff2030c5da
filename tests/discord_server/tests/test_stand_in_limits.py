"""Rate limits, and the faults that a test orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from discord_server.driver import Discord
from discord_server.places import Channel
from discord_server.tests.raw import Raw


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(inside=True) as discord:
        yield discord


@pytest.fixture
async def channel(discord: Discord) -> Channel:
    return await (await discord.guild("Studio")).channel("paintings")


async def test_five_sends_in_five_seconds(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    answers = [await raw("POST", path, {"content": "a"}) for _ in range(6)]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    last = answers[-1]
    assert last.status == 429
    assert 0 < last.body["retry_after"] <= 5
    assert not last.body["global"]
    assert last.headers["Via"]
    assert last.headers["X-RateLimit-Bucket"] == answers[0].headers["X-RateLimit-Bucket"]
    assert discord.world.counts["rate_limited"] == 1
    assert discord.world.violations == []


async def test_edits_are_another_bucket_and_can_be_widened(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    sent = (await raw("POST", path, {"content": "a"})).body
    statuses = [(await raw("PATCH", f"{path}/{sent['id']}", {"content": str(number)})).status for number in range(6)]
    assert statuses == [200] * 5 + [429]
    await discord.rate_limits(20)
    assert (await raw("PATCH", f"{path}/{sent['id']}", {"content": "b"})).headers["X-RateLimit-Limit"] == "100"


async def test_old_messages_take_three_edits(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    sent = (await raw("POST", path, {"content": "a"})).body
    await discord.turn_clock(3601)
    answers = [await raw("PATCH", f"{path}/{sent['id']}", {"content": str(number)}) for number in range(4)]
    assert [answer.status for answer in answers] == [200] * 3 + [429]
    assert answers[-1].code == 30046
    assert answers[-1].body["retry_after"] > 0


async def test_fifty_requests_a_second(discord: Discord) -> None:
    raw = Raw(discord)
    answers = await asyncio.gather(*(raw("GET", "/users/@me") for _ in range(60)))
    limited = [answer for answer in answers if answer.status == 429]
    assert any(answer.body["global"] for answer in limited)
    assert discord.world.counts["busiest_second"] > 50


async def test_an_interactions_webhook_is_outside_of_the_global_limit(discord: Discord) -> None:
    raw, path = Raw(discord), f"/webhooks/{discord.application_id}/nobody/messages/@original"
    answers = await asyncio.gather(*(raw("GET", path) for _ in range(60)))
    assert {answer.status for answer in answers} == {404, 429}
    assert not any(answer.body.get("global") for answer in answers)
    assert discord.world.counts["busiest_second"] == 0
    assert (await raw("GET", "/users/@me")).status == 200


async def test_ten_thousand_invalid_requests_in_ten_minutes_ban_the_address(discord: Discord, channel: Channel) -> None:
    raw, wrong = Raw(discord), f"/channels/{channel.id}/messages/1"
    await channel.deny("view_channel")
    await discord.ban_after(4)
    assert [(await raw("GET", wrong)).status for _ in range(3)] == [403] * 3
    await discord.turn_clock(600)
    assert [(await raw("GET", wrong)).status for _ in range(3)] == [403] * 3
    assert (await raw("GET", "/users/@me")).status == 200
    assert discord.world.counts["invalid_in_ten_minutes"] == 3
    assert discord.world.violations == []
    assert (await raw("GET", wrong)).status == 403
    banned = await raw("GET", "/users/@me")
    assert (banned.status, banned.headers.get("Via")) == (429, None)
    assert b"1015" in banned.body
    [violation] = discord.world.violations
    assert "the address is banned" in violation["what"]
    await discord.turn_clock(3600)
    assert (await raw("GET", "/users/@me")).status == 200
    assert discord.world.counts["invalid_requests"] == 8


async def test_what_counts_as_invalid(discord: Discord, channel: Channel) -> None:
    """401, 403 and 429, whoever answers so; not what is not there or not as it should be."""
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    for body, status in (({"content": "x" * 2001}, 400), ({"content": "a"}, 200)):
        assert (await raw("POST", path, body)).status == status
    assert (await raw("GET", f"{path}/1")).status == 404
    assert discord.world.counts["invalid_requests"] == 0
    for number, status in enumerate((401, 403, 429, 429), 1):
        await discord.fault("GET /users/@me", status=status, times=1, via=number < 4)
        assert (await raw("GET", "/users/@me")).status == status
        assert discord.world.counts["invalid_in_ten_minutes"] == number
    assert (await raw("GET", "/users/@me")).status == 200


async def test_a_fault_can_strike_only_what_brings_files(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    sent = (await raw("POST", path, {"content": "a"})).body
    fault = await discord.fault("PATCH /channels/**", status=400, code=50035, with_files=True)
    assert (await raw("PATCH", f"{path}/{sent['id']}", {"content": "b"}, {"a.txt": b"a"})).code == 50035
    assert (await raw("PATCH", f"{path}/{sent['id']}", {"content": "b"})).status == 200
    await fault.remove()
    await discord.fault("PATCH /channels/**", status=400, code=240000, with_files=False)
    assert (await raw("PATCH", f"{path}/{sent['id']}", {"content": "c"}, {"a.txt": b"a"})).status == 200
    refused = await raw("PATCH", f"{path}/{sent['id']}", {"content": "d"})
    assert refused.body == {"message": "Message blocked by harmful links filter", "code": 240000}


async def test_a_fault_strikes_so_many_times(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    fault = await discord.fault("POST /channels/*/messages", status=503, times=2)
    assert [(await raw("POST", path, {"content": "a"})).status for _ in range(3)] == [503, 503, 200]
    assert await fault.hits() == 2
    assert len(discord.world.messages(channel)) == 1
    assert (await raw("GET", f"{path}?limit=1")).status == 200


async def test_a_fault_until_it_is_removed(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    fault = await discord.fault("POST /channels/**", status=403, code=50013)
    assert (await raw("POST", path, {"content": "a"})).code == 50013
    await fault.remove()
    assert (await raw("POST", path, {"content": "a"})).status == 200


async def test_a_late_answer_comes_when_the_fault_is_released_not_when_it_is_removed(
    discord: Discord, channel: Channel
) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    for content, end in (("a", "remove"), ("b", "release")):
        fault = await discord.fault("POST /channels/**", delay_s=600, times=1)
        late = asyncio.create_task(raw("POST", path, {"content": content}))
        while not await fault.hits():
            await discord.now()
        await getattr(fault, end)()
        if end == "release":
            assert (await late).status == 200
        else:
            assert (await raw("POST", path, {"content": "meanwhile"})).status == 200
            assert not late.done()
            late.cancel()
    assert [message["content"] for message in discord.world.messages(channel)] == ["meanwhile", "b"]


async def test_too_many_requests_with_and_without_via(discord: Discord) -> None:
    raw = Raw(discord)
    await discord.fault("GET /users/@me", status=429, retry_after=0.5, everywhere=True, times=1)
    limited = await raw("GET", "/users/@me")
    assert limited.body == {"message": "You are being rate limited.", "retry_after": 0.5, "global": True}
    await discord.fault("GET /users/@me", status=429, via=False, times=1)
    banned = await raw("GET", "/users/@me")
    assert "Via" not in banned.headers
    assert b"1015" in banned.body


async def test_a_reset_connection_did_nothing(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    await discord.fault("POST /channels/*/messages", reset=True, times=1)
    with pytest.raises(aiohttp.ClientOSError) as error:
        await raw("POST", path, {"content": "a"})
    assert error.value.errno == 104
    assert discord.world.messages(channel) == []


async def test_a_swallowed_answer_did_it(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    await discord.fault("POST /channels/*/messages", swallow="cut", times=1)
    with pytest.raises(aiohttp.ClientError):
        await raw("POST", path, {"content": "a"})
    await discord.until(lambda world: len(world.messages(channel)) == 1, 5)
    await discord.fault("POST /channels/*/messages", swallow="hang", times=1)
    hanging = asyncio.create_task(raw("POST", path, {"content": "b"}))
    await discord.until(lambda world: len(world.messages(channel)) == 2, 5)
    assert not hanging.done()
    hanging.cancel()


async def test_files_can_be_struck_too(discord: Discord, channel: Channel) -> None:
    sent = await Raw(discord)("POST", f"/channels/{channel.id}/messages", {}, {"a.txt": b"text"})
    url = sent.body["attachments"][0]["url"]
    await discord.fault("GET /attachments/**", status=502, times=1)
    with pytest.raises(ConnectionError, match="502"):
        await discord.download(url)
    assert await discord.download(url) == b"text"


async def test_a_wait_that_fails_says_what_the_world_is(discord: Discord, channel: Channel) -> None:
    await Raw(discord)("POST", f"/channels/{channel.id}/messages", {"content": "a cat"})
    with pytest.raises(TimeoutError, match="Impasto: a cat"):
        await discord.until(lambda world: world.messages("none")[0], timeout=0.01)
