"""What the bot keeps in Redis and in messages has the names that it always had: an upgrade loses no painting."""

from __future__ import annotations

from arq.connections import ArqRedis

from bot.cards.buttons import Action, JobButton
from bot.interactions import deferred
from bot.lifecycle.leadership import Leadership
from bot.post_ledger import GROUP, Address, Ledger, LedgerPage
from bot.requests import admission

OLD = {
    "address": '{"job":"7","owner":1,"guild":2,"channel":3,"place":"thread","title":"harbour","mention":true}',
    "card": "8", "card_channel": "4", "card_guild": "5", "former:9": "3", "brought:6": "1", "shared:12": "3",
    "shared:13": "3", "film:13": "1", "title": "A painting",
    "thread": "10", "post:snapshot:300": "11", "at:300": "jobs/7/300.png", "files": "a.jpg b.jpg",
    "parent": "https://discord.com/channels/2/3/1", "stopped": "Gone.", "forget": "1",
}  # fmt: skip


async def test_a_page_that_an_older_bot_wrote_is_read(redis: ArqRedis) -> None:
    await redis.hset("impasto:posted:7", mapping=OLD)  # type: ignore[misc]
    address = Address(job="7", owner=1, guild=2, channel=3, place="thread", title="harbour", mention=True)
    assert await Ledger(redis).page("7") == LedgerPage(
        address=address, card=8, card_channel=4, card_guild=5, former={9: 3}, shared={12: 3, 13: 3},
        films=frozenset({13}), brought=frozenset({6}), title="A painting", thread=10,
        posts={"snapshot:300": 11}, pictures={300: "jobs/7/300.png"},
        files=("a.jpg", "b.jpg"), parent="https://discord.com/channels/2/3/1", left_out="", stopped="Gone.",
        forget=True,
    )  # fmt: skip
    await redis.sadd("impasto:forgetting", "7")  # type: ignore[misc]
    assert await Ledger(redis).to_forget() == ["7"]
    assert GROUP == "discord"


async def test_whoever_leads_holds_the_key_that_an_older_bot_asks_for(redis: ArqRedis) -> None:
    await Leadership(redis, "a token").gain()
    keys = {"impasto:leader:e3316e2bafebb610", "impasto:leader:e3316e2bafebb610:last"}
    assert {key.decode() for key in await redis.keys("impasto:leader:*")} == keys


def test_notes_have_the_keys_they_always_had() -> None:
    assert (deferred._KEY, admission._WEIGHTS) == ("impasto:thinking", "impasto:weights")
    older = '{"application": 1, "language": "de", "token": "secret"}'
    assert deferred._Note.model_validate_json(older).channel is None
    assert set(deferred._Note.model_fields) == {"application", "channel", "ephemeral", "language", "token"}


def test_buttons_of_old_messages_are_known() -> None:
    acts = ["cancel", "continue", "again", "swap", "stronger", "weaker", "larger", "finish", "from", "code", "share"]
    acts += ["film", "save"]
    assert {action.value for action in Action} >= set(acts)
    for act in acts:
        assert JobButton.knows(f"impasto:{act}:1234567890:300")
        assert JobButton(Action(act), "1", 300).custom_id == f"impasto:{act}:1:300"
