"""Cards within Discord's limits whatever the names, and buttons that no view can take away."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import discord
import pytest
from card_kit import a_job, a_page, progress, text_of
from malformed import encoded, png, scene

from bot.cards.buttons import Action, JobButton, card_buttons, failed_buttons, picture_buttons
from bot.cards.card import Card, again_anew
from bot.cards.card_state import CardState
from bot.cards.thumbnails import thumbnails
from bot.delivery.messages import card_message, stopped_message
from engine.contract.models import Asked, JobState
from engine.contract.store import Store
from engine.forecast.open_jobs import Forecast

LONGEST = "9" * 40
NASTY = [
    "x" * 300, "_*~`|[]()" * 30, "<@1>" * 80, "@everyone " * 30, "\u202e\u2066\x00\x1b" * 50, "\n# big\n> quote\n" * 20,
    "[free](https://evil.example)" * 10, "👩‍🎨" * 100, "</stylize:1> <t:0:R> <#1>" * 10, "||s||", "```",
]  # fmt: skip


def a_full_card(name: str, state: JobState) -> Card:
    """Whose every line is there, and long."""
    job = a_job(int(LONGEST), name=name, parent=LONGEST)
    link = f"https://discord.com/channels/{'9' * 20}/{'9' * 20}/{'9' * 20}"
    card_state = CardState(
        state, 90_000, progress(job, 90_000)["progress"], Forecast(10_000, 1e7, 1e7), 2**40, note="n" * 300,
        reason="r" * 300,
    )  # fmt: skip
    return Card(job, a_page_of(job.id, name, parent=link), card_state, ("painting.jpg", "content.jpg", "style-1.jpg"))


def a_page_of(job: str, title: str, **fields: Any) -> Any:
    return a_page(a_job(1), title=title, card=1, thread=int("9" * 20), **fields)


def buttons(view: Any) -> list[Any]:
    return [item for item in view.walk_children() if item.is_dispatchable()]


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("name", NASTY, ids=ascii)
async def test_a_card_is_within_discords_limits_whatever_the_names(name: str, state: JobState) -> None:
    card = a_full_card(name, state)
    assert len(text_of(card)) < 4_000
    assert sum(1 for _ in card.walk_children()) <= 40
    custom_ids = [item.custom_id for item in buttons(card)]
    assert len(set(custom_ids)) == len(custom_ids) >= 4
    for one in custom_ids:
        assert 1 <= len(one) <= 100
        assert JobButton.knows(one)


@pytest.mark.parametrize("name", NASTY, ids=ascii)
async def test_nothing_lives_in_the_names_on_a_card(name: str) -> None:
    heading = text_of(a_full_card(name, JobState.QUEUED)).split("\n")[0]
    bare = re.sub(r"\\.", "", heading.removeprefix("### "))
    assert not re.search(r"[<>@/\\*_~`|\[\]()]", bare)
    assert bare.isprintable()
    assert len(heading) <= 104


async def test_no_iteration_and_no_number_makes_a_custom_id_too_long() -> None:
    for button in [JobButton(action, LONGEST, 999_999) for action in Action] + [again_anew(LONGEST)]:
        assert len(button.custom_id) <= 100
        assert JobButton.knows(button.custom_id)


@pytest.mark.parametrize(
    "custom_id",
    ["", "impasto", "impasto:", "impasto:again:", "impasto:burn:1", "impasto:again:1:x", "impasto:again:1:1234567",
     f"impasto:again:{LONGEST}9", "impasto:again:1\n", "x:impasto:again:1", "impasto:AGAIN:1"],
)  # fmt: skip
def test_only_our_own_buttons_are_known(custom_id: str) -> None:
    assert not JobButton.knows(custom_id)


@pytest.mark.parametrize("last", [False, True])
async def test_a_card_without_pictures_is_known_by_a_button_that_no_other_message_has(last: bool) -> None:
    """By which it is found where a bot was killed before it noted that it had posted it."""
    job, page = a_job(), a_page(a_job())
    states = {False: CardState(), True: CardState(JobState.DONE)}
    mine, other = (card_message(job, page, states[one], [], last=one) for one in (last, not last))
    views: list[Any] = [message.view([]) for message in (mine, other) if message.view is not None]
    views += [picture_buttons(job.id, 10, last=True), failed_buttons(job.id, 10)]
    assert [mine.marker in [item.custom_id for item in buttons(view)] for view in views] == [True, False, False, False]


async def test_no_view_ends_or_holds_anything_but_our_buttons() -> None:
    """A view that ends, or mixes them with plain ones, makes discord.py forget the whole class."""
    views = [a_full_card("a", state) for state in JobState]
    for view in [*views, picture_buttons(LONGEST, 10, last=False), picture_buttons(LONGEST, 10, last=True)]:
        assert view.timeout is None
        assert all(isinstance(item, JobButton) for item in buttons(view))


async def test_discord_py_knows_the_buttons_after_thousands_of_views() -> None:
    async with discord.Client(intents=discord.Intents.none()) as client:
        client.add_dynamic_items(JobButton)
        store = client._connection._view_store
        for number in range(1, 1_000):
            for view in (a_full_card("a", JobState.PAINTING), picture_buttons("1", 10, last=bool(number % 2))):
                store.add_view(view, message_id=number % 10)
                if number % 3 == 0:
                    view.stop()
                if number % 5 == 0:
                    store.remove_message_tracking(number % 10)
        assert list(store._dynamic_items.values()) == [JobButton]


def test_each_state_has_the_buttons_that_make_sense() -> None:
    usual = [Action.AGAIN, Action.SWAP, Action.STRONGER, Action.WEAKER]
    first = {
        JobState.QUEUED: [Action.CANCEL], JobState.PAINTING: [Action.CANCEL], JobState.DONE: [Action.CONTINUE],
        JobState.CANCELLED: [Action.CONTINUE], JobState.FAILED: [], JobState.QUARANTINED: [],
    }  # fmt: skip
    assert {state: [button.action for button in card_buttons("1", state)] for state in JobState} == {
        state: [*actions, *usual] for state, actions in first.items()
    }


async def test_a_draft_is_finished_instead_of_continued_or_enlarged() -> None:
    usual = [Action.AGAIN, Action.SWAP, Action.STRONGER, Action.WEAKER]
    for state in JobState:
        actions = [button.action for button in card_buttons("1", state, draft=True)]
        assert actions == (
            [Action.FINISH, *usual] if state is JobState.DONE else [b.action for b in card_buttons("1", state)]
        )
    asked = Asked(recipe="fine", fields={"size": 768})
    card = Card(a_job(1, draft_of=asked), a_page_of("1", "harbour"), CardState(JobState.DONE, 135), ())
    assert [item.item.label for item in buttons(card)] == ["Finish", "Again", "Swap", "Stronger", "Weaker"]
    assert "A draft by our small starter network: Finish goes on from it, at 768 px." in text_of(card)


async def test_under_the_last_picture_of_a_draft_is_its_finish() -> None:
    labels = [item.item.label for item in buttons(picture_buttons("1", 135, last=True, draft=True))]
    assert labels == ["Finish", "Again", "Swap", "Stronger", "Weaker"]
    labels = [item.item.label for item in buttons(picture_buttons("1", 135, last=True))]
    assert labels[-5:] == ["Larger", "Before and after", "Short film", "Recipe code", "Save as style"]


async def test_under_the_last_picture_of_what_was_stopped_is_nothing_that_only_a_finished_one_has() -> None:
    stopped = stopped_message(a_job(1), a_page(a_job(1)), 135, b"", 1)
    assert stopped.view is not None
    labels = [item.item.label for item in buttons(stopped.view(()))]
    assert labels == ["Continue", "Again", "Swap", "Stronger", "Weaker", "Recipe code", "Save as style"]


async def test_a_card_whose_pictures_are_broken_goes_without(tmp_path: Path) -> None:
    store, job = Store(tmp_path.as_uri()), a_job(1)
    sound = encoded(scene(), "PNG")
    for picture in (job.content, *job.styles):
        await store.put(picture.key, sound)
    assert len(await thumbnails(store, job)) == 1 + len(job.styles)
    for broken in (b"", b"no picture", sound[:-90], encoded(scene(), "GIF"), png(60_000, 60_000, pixels=b"x")):
        await store.put(job.content.key, broken)
        assert await thumbnails(store, job) == []
