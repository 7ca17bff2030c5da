"""From the command to the last picture in the thread, and on from there; everything in processes of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
import pytest_asyncio
from discord_server.message_text import buttons_of, files_of, is_ephemeral, text_of
from PIL import Image, ImageSequence
from scene import LONG, Json, Scene, card_of, pictures, scene
from support.pictures import noise
from support.workers import WorkerPool

ALL = ["00010.png", "final.png", "loss.png", "film.webp"]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(busy_pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(busy_pool, tmp_path_factory.mktemp("stylize")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Scene) -> AsyncIterator[Scene]:
    """With a server, a channel and a member of the test's own."""
    await shared_stage.open()
    yield shared_stage
    assert shared_stage.discord.world.violations == []


async def test_from_the_command_to_the_film(stage: Scene) -> None:
    asked = await stage.stylize(seed=42, mention=True)
    assert (await asked.answered()).ephemeral
    card = await stage.card(asked)
    assert sorted(files_of(card)) == [f"impasto-{asked.id}-content.jpg", f"impasto-{asked.id}-style-1.jpg"]
    thread = await stage.discord.until(lambda world: world.threads(stage.channel)[0])
    assert (thread["id"], thread["name"]) == (card["id"], "harbour × strokes")
    assert f"<#{thread['id']}>" in text_of(await asked.shown())
    done = await stage.ended(card)
    assert pictures(stage.discord.world, thread) == ALL
    assert f"impasto-{asked.id}-painting.jpg" in files_of(done)
    assert "seed 42" in text_of(done)
    assert "stand-in" in text_of(done)
    snapshot, final, *making = [m for m in stage.discord.world.messages(thread) if m["attachments"]]
    (attached,) = snapshot["attachments"]
    assert attached["description"].startswith("Iteration 10 of 24: harbour")
    assert text_of(snapshot).startswith("**Iteration 10** of 24 · loss")
    assert "stand-in" in text_of(final)
    assert all(file["description"] for message in making for file in message["attachments"])
    (ping,) = stage.discord.world.pings
    assert (ping["message"], ping["users"]) == (final["id"], [stage.ada.id])


@pytest.mark.long
async def test_what_the_buttons_lead_to(stage: Scene) -> None:
    parent = await stage.card(await stage.stylize(seed=42))
    parent = await stage.ended(parent)
    for label, expected in (
        ("Again", "24 iterations"),
        ("Swap", "### strokes × harbour"),
        ("Stronger", "twice the usual strength"),
        ("Weaker", "half the usual strength"),
        ("Continue", "48 iterations"),
    ):
        press = await stage.ada.press(parent, label)
        assert (await press.answered()).ephemeral
        child = await stage.ended(await stage.card(press))
        assert expected in text_of(child)
        assert f"/{parent['channel_id']}/{parent['id']})" in text_of(child)  # the link to where it came from
        seeds = ("seed 42 " in text_of(child), label == "Again")
        assert seeds in {(True, False), (False, True)}
        assert pictures(stage.discord.world, child["id"])[-1] == ALL[-1]


@pytest.mark.long
async def test_a_finished_picture_goes_on_to_twice_its_size(stage: Scene) -> None:
    parent = await stage.ended(await stage.card(await stage.stylize()))
    final = _final(stage, parent)
    child = await stage.ended(await stage.card(await stage.ada.press(final, "Larger")))
    small, large = (
        next(a for a in message["attachments"] if "final" in a["filename"]) for message in (final, _final(stage, child))
    )
    assert (large["width"], large["height"]) == (2 * small["width"], 2 * small["height"])


@pytest.mark.long
async def test_a_draft_is_finished_at_full_size_by_the_workers_network(stage: Scene) -> None:
    asked = await stage.stylize(quality="draft", size=288, iterations=6, seed=42)
    draft = await stage.ended(await stage.card(asked))
    assert "fine, 6 iterations at 256 px · seed 42 " in text_of(draft)
    assert "A draft by our small starter network: Finish goes on from it, at 288 px." in text_of(draft)
    small = _final(stage, draft)
    assert [button["label"] for button in buttons_of(small)] == ["Finish", "Again", "Swap", "Stronger", "Weaker"]
    child = await stage.ended(await stage.card(await stage.ada.press(draft, "Finish")))
    assert text_of(child).startswith("### harbour × strokes\n")
    # What is coarser than the draft is left out: of three scales two.
    assert "fine, 2 iterations at 288 px, from a given picture · seed 42 " in text_of(child)
    assert "random stand-in weights" in text_of(child)
    assert f"/{draft['channel_id']}/{draft['id']})" in text_of(child)
    (large,) = [a for a in _final(stage, child)["attachments"] if "final" in a["filename"]]
    assert (large["width"], large["height"]) == (288, 216)
    again = await stage.card(await stage.ada.press(draft, "Again"))
    assert text_of(again).startswith("### Draft\\: harbour × strokes\n")


def _final(stage: Scene, card: Json) -> Json:
    """The message with the finished picture."""
    return next(m for m in stage.discord.world.messages(card["id"]) if any("final" in name for name in files_of(m)))


@pytest.mark.long
async def test_an_animated_gif_becomes_a_film_if_it_is_asked_for(stage: Scene) -> None:
    still = await stage.ended(await stage.card(await stage.stylize(content=("clip.gif", _clip()), iterations=5)))
    assert "fine, 5 iterations" in text_of(still)
    asked = await stage.stylize(content=("clip.gif", _clip()), iterations=5, animate=True)
    card = await stage.ended(await stage.card(asked))
    assert "a film of 3 frames, 85 iterations" in text_of(card)
    assert await _film_times(stage, card) == [80, 200, 120]
    posted = stage.discord.world.messages(card["id"])
    assert "**The film**, painted" in [text_of(message) for message in posted]
    assert not any(button["label"] == "From here" for message in posted for button in buttons_of(message))
    again = await stage.ended(await stage.card(await stage.ada.press(card, "Again")))
    assert await _film_times(stage, again) == [80, 200, 120]
    swapped = await stage.ended(await stage.card(await stage.ada.press(card, "Swap")))
    assert "fine, 5 iterations" in text_of(swapped)
    for picture, label, words in (
        (card, "Continue", "A film ends with its last picture: press Again or Stronger for another one."),
        (_final(stage, card), "Larger", "A film cannot be enlarged: ask for it anew at the larger size."),
    ):
        assert await stage.private_reply(await stage.ada.press(picture, label)) == words


@pytest.mark.long
async def test_without_a_film_none_is_posted_nor_of_what_follows(stage: Scene) -> None:
    card = await stage.ended(await stage.card(await stage.stylize(film="no")))
    again = await stage.ended(await stage.card(await stage.ada.press(card, "Again")))
    for one in (card, again):
        assert pictures(stage.discord.world, one["id"]) == ["00010.png", "final.png", "loss.png"]
    asked = await stage.stylize(content=("clip.gif", _clip()), animate=True, film="no")
    assert await stage.private_reply(asked) == "What animate paints is a film: leave out one of the two."


def _clip() -> bytes:
    out = BytesIO()
    first, *further = [noise(seed, 24).resize((48, 36)) for seed in (1, 2, 3)]
    first.save(out, "GIF", save_all=True, append_images=further, duration=[80, 200, 120])
    return out.getvalue()


async def _film_times(stage: Scene, card: Json) -> list[int]:
    """How long each frame of the posted film is shown, ms."""
    (attached,) = [
        file
        for message in stage.discord.world.messages(card["id"])
        for file in message["attachments"]
        if file["filename"].endswith("film.webp")
    ]
    times = []
    with Image.open(BytesIO(await stage.discord.download(attached["url"]))) as film:
        for frame in ImageSequence.Iterator(film):
            frame.load()  # a WebP tells no time before
            times.append(round(frame.info["duration"]))
    return times


@pytest.mark.long
async def test_on_from_a_snapshot_with_other_settings(stage: Scene) -> None:
    parent = await stage.ended(await stage.card(await stage.stylize()))
    snapshot = stage.discord.world.messages(parent["id"])[-4]
    press = await stage.ada.press(snapshot, "From here")
    await press.answered()
    form = await stage.ada.submit(press.modal, {"Recipe": "gatys", "Iterations": "6", "Strength of the style": "0,5"})
    child = await stage.ended(await stage.card(form))
    assert "gatys, 6 iterations" in text_of(child)
    assert parent["id"] in text_of(child)
    press = await stage.ada.press(snapshot, "From here")
    await press.answered()
    form = await stage.ada.submit(press.modal, {"Recipe": "fine", "Iterations": "six", "Strength of the style": "1"})
    assert "must be a whole number" in text_of(await form.shown())


@pytest.mark.long
async def test_cancel_and_on_from_there(stage: Scene) -> None:
    asked = await stage.stylize(**LONG)
    card = await stage.card(asked)
    await stage.discord.until(lambda world: pictures(world, card["id"]))
    bob = await stage.guild.member("Bob")
    refused = await stage.discord.until(lambda world: card_of(world, stage.channel, asked.id))
    press = await bob.press(refused, "Cancel")
    answer = await press.shown()
    assert is_ephemeral(answer)
    assert "Only" in text_of(answer)
    press = await stage.ada.press(refused, "Cancel")
    await press.shown()
    stopped = await stage.ended(card, "**Stopped**")
    assert [b["label"] for b in buttons_of(stopped)] == ["Continue", "Again", "Swap", "Stronger", "Weaker"]
    assert pictures(stage.discord.world, card["id"])[-1] == "stopped.png"
    press = await stage.ada.press(stopped, "Continue")
    child = await stage.card(press)
    moderator = await stage.guild.member("Mo", permissions=["manage_messages"])
    await stage.discord.until(lambda world: "**Painting**" in text_of(world.message(child)))
    await (await moderator.press(child, "Cancel")).shown()
    await stage.ended(child, "**Stopped**")
