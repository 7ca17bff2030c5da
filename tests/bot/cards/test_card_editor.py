"""The pace at which cards are edited, on a clock that stands still while anything is at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import pytest
from card_kit import WAITING, FakeClient, a_job, a_page, gaps, progress, refusal
from virtual_clock import run

from bot.cards.card_state import CardState
from bot.cards.editor import BUDGET, CHANNEL_GAP, OLD_GAP, QUICKEST, CardEditor
from bot.cards.thumbnails import Thumbnail
from engine.contract.models import JobState

HOUR = 3600.0


@asynccontextmanager
async def running(fake: FakeClient) -> AsyncIterator[CardEditor]:
    editor = fake.editor()
    task = asyncio.create_task(editor.run())
    yield editor
    assert not task.done()
    task.cancel()


async def tell(editor: CardEditor, seconds: float, jobs: int = 1, every: float = 1.0) -> None:
    """What a worker tells of each of the jobs, by the second: the iteration is the time."""
    for iteration in range(1, round(seconds / every) + 1):
        for number in range(1, jobs + 1):
            editor.show(str(number), **progress(a_job(number), iteration))
        await asyncio.sleep(every)


def test_the_latest_wins() -> None:
    async def scenario() -> None:
        fake, job = FakeClient(), a_job()
        async with running(fake) as editor:
            editor.follow(job, a_page(job), WAITING)
            await tell(editor, 20, every=0.1)
            await asyncio.sleep(QUICKEST)
        assert "**Painting** · iteration 200 of" in fake.edits[-1].text
        for edit in fake.edits[1:-1]:
            assert f"iteration {int(edit.at / 0.1 + 1.001)} of" in edit.text  # the one that was told just then

    run(scenario())


def test_a_card_that_shows_all_that_is_known_is_left_alone() -> None:
    async def scenario() -> None:
        fake, job = FakeClient(), a_job()
        page = a_page(job)
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            for _ in range(100):
                editor.show(job.id, **progress(job, 7))
                editor.follow(job, page, WAITING)
                await asyncio.sleep(1)
            editor.show("another", iteration=8)
            await asyncio.sleep(100)
        assert ["iteration 7 of" in edit.text for edit in fake.edits] in ([True], [False, True])

    run(scenario())


def test_a_card_is_never_edited_twice_at_once() -> None:
    async def scenario() -> None:
        fake, job = FakeClient(slow=5.0), a_job()
        async with running(fake) as editor:
            editor.follow(job, a_page(job), WAITING)
            await tell(editor, 60)
            await asyncio.sleep(60)
        assert fake.most_at_once == 1
        assert min(gaps(fake.edits)) >= fake.slow
        assert len(fake.edits) >= 10
        assert 60 < fake.edits[-1].at + fake.slow < 60 + 2 * fake.slow + QUICKEST  # none had queued up

    run(scenario())


@pytest.mark.parametrize("age", [0.0, HOUR - 600, HOUR + 600])
def test_one_card_has_its_pace_and_an_old_one_a_slow_one(age: float) -> None:
    async def scenario() -> None:
        fake, job = FakeClient(), a_job()
        async with running(fake) as editor:
            editor.follow(job, a_page(job, age=age), WAITING)
            await tell(editor, 300)
        gap = OLD_GAP if age > HOUR else QUICKEST
        assert min(gaps(fake.edits)) >= gap
        assert max(gaps(fake.edits)) <= gap + 1.0  # a second, for there was no news before

    run(scenario())


def test_the_cards_of_one_channel_take_turns() -> None:
    async def scenario() -> None:
        fake = FakeClient()
        async with running(fake) as editor:
            for number in range(1, 6):
                editor.follow(a_job(number), a_page(a_job(number), channel=9), WAITING)
            await tell(editor, 60, jobs=5)
        assert min(gaps(fake.edits)) >= CHANNEL_GAP
        counts = [sum(edit.card == card for edit in fake.edits) for card in {edit.card for edit in fake.edits}]
        assert len(counts) == 5
        assert max(counts) - min(counts) <= 1

    run(scenario())


def test_all_cards_together_keep_to_the_budget_and_none_starves() -> None:
    async def scenario() -> None:
        fake = FakeClient(slow=0.3)
        jobs = 60
        async with running(fake) as editor:
            for number in range(1, jobs + 1):
                editor.follow(a_job(number), a_page(a_job(number), channel=number), WAITING)
            await tell(editor, 120, jobs=jobs)
        for first, edit in zip(fake.edits, fake.edits[int(BUDGET) :], strict=False):
            assert edit.at - first.at >= 0.999
        for number in range(1, jobs + 1):
            own = [edit for edit in fake.edits if edit.channel == number]
            assert max(gaps(own)) <= 2 * jobs / BUDGET

    run(scenario())


def test_the_last_face_comes_at_once_and_is_the_last() -> None:
    async def scenario() -> None:
        fake, job = FakeClient(slow=1.0), a_job()
        page = a_page(job)
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            editor.show(job.id, **progress(job, 1))
            await asyncio.sleep(0.5)  # an edit is on its way
            files = [Thumbnail("painting.jpg", b"jpeg")]
            assert await editor.close(job, page, CardState(JobState.DONE, 90_000), files)
            editor.show(job.id, **progress(job, 2))
            await asyncio.sleep(100)
        before, last = fake.edits
        assert last.at == before.at + fake.slow
        assert "**Done**" in last.text
        assert (before.attachments, last.attachments) == (0, 1)
        assert fake.most_at_once == 1
        assert fake.lost == []

    run(scenario())


@pytest.mark.parametrize("steps", range(4))
def test_the_last_face_is_the_last_at_whichever_step_of_an_edit_it_comes(steps: int) -> None:
    async def scenario() -> None:
        fake, job = FakeClient(slow=1.0), a_job()
        page = a_page(job)
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            for _ in range(steps):
                await asyncio.sleep(0)
            await editor.close(job, page, CardState(JobState.DONE, 90_000), ())
            await asyncio.sleep(100)
        assert "**Done**" in fake.edits[-1].text

    run(scenario())


@pytest.mark.parametrize(("code", "status"), [(10008, 404), (10003, 404), (50001, 403), (50013, 403)])
def test_a_card_that_is_gone_is_told_once_and_asked_for_no_more(code: int, status: int) -> None:
    async def scenario() -> None:
        job = a_job()
        page = a_page(job)
        assert page.card is not None
        fake = FakeClient(errors={page.card: refusal(code, status)})
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            await tell(editor, 60)
        assert len(fake.edits) == 1
        assert [job for job, _ in fake.lost] == [job.id]

    run(scenario())


@pytest.mark.parametrize(("code", "status"), [(10008, 404), (10003, 404), (50001, 403), (50013, 403)])
@pytest.mark.parametrize("home_is_there", [True, False])
def test_in_place_of_a_copy_that_is_gone_the_card_before_it_goes_on(
    code: int, status: int, home_is_there: bool
) -> None:
    async def scenario() -> None:
        job = a_job()
        home = a_page(job)
        assert home.card is not None
        copy, gone = home.card + 2, home.card + 1
        page = a_page(job, card=copy, card_channel=3, former={home.card: 1, gone: 2})
        lost = (copy, gone) if home_is_there else (copy, gone, home.card)
        fake = FakeClient(errors={card: refusal(code, status) for card in lost})
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            await tell(editor, 60)
        assert [(edit.card, edit.channel) for edit in fake.edits[:3]] == [(copy, 3), (gone, 2), (home.card, 1)]
        assert {edit.card for edit in fake.edits[3:]} == ({home.card} if home_is_there else set())
        assert fake.noted[job.id] == {
            "card": home.card, "card_channel": 1, "card_guild": 1, f"former:{gone}": 2, f"former:{copy}": 3,
        }  # fmt: skip
        assert [job for job, _ in fake.lost] == ([] if home_is_there else [job.id])

    run(scenario())


@pytest.mark.parametrize("copied", [False, True])
def test_what_became_of_a_card_while_redis_takes_nothing_is_noted_once_it_does(copied: bool) -> None:
    async def scenario() -> None:
        job = a_job()
        home = a_page(job)
        assert home.card is not None
        page = a_page(job, card=home.card + 1, card_channel=3, former={home.card: 1}) if copied else home
        assert page.card is not None
        fake = FakeClient(errors={page.card: refusal(10008, 404)}, full=2)
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            await tell(editor, 60)
        assert [edit.card for edit in fake.edits[:3]] == [page.card] * 3
        assert {edit.card for edit in fake.edits[3:]} == ({home.card} if copied else set())
        assert bool(fake.noted) == copied
        assert len(fake.lost) == int(not copied)

    run(scenario())


@pytest.mark.parametrize("error", [refusal(0, 503), TimeoutError(), discord.RateLimited(1.0), ConnectionResetError()])
def test_what_passes_is_tried_again_at_the_usual_pace(error: Exception) -> None:
    async def scenario() -> None:
        job = a_job()
        page = a_page(job)
        assert page.card is not None
        fake = FakeClient(errors={page.card: error})
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            await asyncio.sleep(60)
            assert min(gaps(fake.edits)) >= QUICKEST
            assert len(fake.edits) >= 25
            fake.errors = {}
            await asyncio.sleep(60)
        assert len(fake.edits) <= 32
        assert fake.lost == []

    run(scenario())


@pytest.mark.long
def test_what_is_refused_for_days_is_asked_for_ever_more_rarely() -> None:
    """As the card in a thread that is archived, of a painting that takes long."""

    async def scenario() -> None:
        job = a_job()
        page = a_page(job)
        assert page.card is not None
        fake = FakeClient(errors={page.card: refusal(50083, 400)})
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            await tell(editor, 24 * HOUR, every=10.0)
            assert len(fake.edits) <= 24 * 60 + 60
            fake.errors = {}
            await tell(editor, 100)
        assert "iteration 100 of" in fake.edits[-1].text or "iteration 99 of" in fake.edits[-1].text
        assert fake.lost == []

    run(scenario())


def test_a_card_whose_pictures_are_refused_goes_on_without_them() -> None:
    async def scenario() -> None:
        job, fake = a_job(), FakeClient(bare=True)
        async with running(fake) as editor:
            editor.follow(job, a_page(job), WAITING)
            await tell(editor, 20)
            assert await editor.close(job, a_page(job), CardState(JobState.DONE, 90_000), ()) == ()
        assert [f"iteration {iteration} of" in fake.edits[-3].text for iteration in (19, 20)].count(True) == 1
        assert "**Done**" in fake.edits[-1].text
        assert fake.lost == []

    run(scenario())


def test_a_request_that_hangs_holds_up_nothing_for_long() -> None:
    async def scenario() -> None:
        fake = FakeClient(slow=1e9)
        jobs = (a_job(1), a_job(2))
        async with running(fake) as editor:
            for job in jobs:
                editor.follow(job, a_page(job, channel=int(job.id)), WAITING)
            await tell(editor, 100, jobs=2)
        for job in jobs:
            assert 3 <= sum(edit.channel == int(job.id) for edit in fake.edits) <= 6
        assert fake.most_at_once == 1

    run(scenario())


def test_a_card_that_was_shown_elsewhere_is_edited_there_from_then_on() -> None:
    async def scenario() -> None:
        job = a_job()
        old, new = a_page(job), a_page(job, channel=2, card=77)
        assert old.card is not None
        fake = FakeClient(slow=1.0, errors={old.card: refusal(10008)})
        async with running(fake) as editor:
            editor.follow(job, old, WAITING)
            await asyncio.sleep(0.5)
            editor.follow(job, new, WAITING)  # while the old one, just deleted, is being edited
            await asyncio.sleep(100)
            editor.show(job.id, **progress(job, 5))
            await asyncio.sleep(100)
        assert [edit.card for edit in fake.edits] == [old.card, 77, 77]
        assert fake.lost == []

    run(scenario())


def test_a_card_that_moved_shows_again_what_the_last_one_showed() -> None:
    async def scenario() -> None:
        job, fake = a_job(), FakeClient()
        async with running(fake) as editor:
            editor.follow(job, a_page(job), WAITING)
            editor.show(job.id, **progress(job, 5))
            await asyncio.sleep(100)
            editor.follow(job, a_page(job, channel=2, card=77), WAITING)
            await asyncio.sleep(100)
        assert fake.edits[-1].card == 77
        assert fake.edits[-1].text == fake.edits[-2].text

    run(scenario())


def test_a_card_that_moved_while_it_was_edited_is_edited_anew() -> None:
    async def scenario() -> None:
        job = a_job()
        fake = FakeClient(slow=1.0)
        async with running(fake) as editor:
            editor.follow(job, a_page(job), WAITING)
            await asyncio.sleep(0.5)
            editor.follow(job, a_page(job, channel=2, card=77), WAITING)
            await asyncio.sleep(100)
        assert [edit.card for edit in fake.edits][1:] == [77]

    run(scenario())


def test_what_is_dropped_is_left_alone_whatever_comes_of_the_edit_on_its_way() -> None:
    async def scenario() -> None:
        job = a_job()
        page = a_page(job)
        assert page.card is not None
        fake = FakeClient(slow=1.0, errors={page.card: refusal(10008)})
        async with running(fake) as editor:
            editor.follow(job, page, WAITING)
            await asyncio.sleep(0.5)
            editor.drop(job.id)
            editor.show(job.id, **progress(job, 5))
            await asyncio.sleep(100)
        assert len(fake.edits) == 1
        assert fake.lost == []
        assert editor.card_states() == {}

    run(scenario())
