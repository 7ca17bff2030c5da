"""The page of a channel: what a person finds in it, and its picture."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from discord_server.page.page import render_channel
from discord_server.page.shoot import NoBrowser, shoot

NOW = datetime(2026, 8, 14, 14, 30, tzinfo=UTC)
SOON = int((NOW + timedelta(minutes=4)).timestamp())
CDN = "http://127.0.0.1:8100/attachments/1/2"
RED, BLUE, GREEN = (200, 30, 40), (30, 60, 200), (20, 150, 70)
EPHEMERAL, LOADING, V2 = 1 << 6, 1 << 7, 1 << 15

Json = dict[str, Any]

ADA: Json = {"id": "175928847299117063", "username": "ada", "global_name": "Ada Lovelace", "avatar": None}
BO: Json = {"id": "275928847309117064", "username": "bo", "global_name": None, "avatar": None}
IMPASTO: Json = {"id": "375928847399117065", "username": "impasto", "global_name": "Impasto", "bot": True}
USERS = {user["id"]: user for user in (ADA, BO, IMPASTO)}
CHANNEL: Json = {"id": "1", "type": 0, "name": "paintings", "topic": None}
STYLIZE: Json = {
    "interaction_metadata": {"id": "5", "type": 2, "user": ADA},
    "interaction": {"name": "stylize", "type": 2},
}


class Reader(HTMLParser):
    """What a browser would find: elements with their attributes, and the text that a person reads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Json]] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside != "style":
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def every(self, tag: str) -> list[Json]:
        return [attributes for name, attributes in self.elements if name == tag]

    def classed(self, name: str) -> list[Json]:
        return [attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split()]


def message(author: Json, content: str = "", *, minutes: float = 0, **fields: Any) -> Json:
    """A message that was sent so many minutes ago."""
    sent = NOW - timedelta(minutes=minutes)
    number = int(sent.timestamp() * 1000 - 1_420_070_400_000) << 22
    usual: Json = {"type": 0, "flags": 0, "edited_timestamp": None, "attachments": [], "embeds": [], "components": []}
    return {"id": str(number), "author": author, "content": content, "timestamp": sent.isoformat(), **usual, **fields}


def attachment(name: str, alt: str | None = None) -> Json:
    about = {"id": "9", "filename": name, "url": f"{CDN}/{name}", "size": 2048, "width": 96, "height": 64}
    return {**about, "content_type": "image/png", "description": alt}


def button(style: int, label: str, **fields: Any) -> Json:
    return {"type": 2, "style": style, "label": label, "custom_id": label, **fields}


def paint(url: str) -> bytes:
    """A small picture in one colour, told by the name in its address."""
    colour = {"harbour.png": RED, "strokes.png": BLUE}.get(url.rsplit("/", 1)[-1], GREEN)
    file = io.BytesIO()
    Image.new("RGB", (96, 64), colour).save(file, "PNG")
    return file.getvalue()


def a_card() -> Json:
    gallery = [
        {"media": {"url": "attachment://harbour.png"}, "description": "A harbour"},
        {"media": {"url": f"{CDN}/strokes.png"}, "description": None},
    ]
    words = f"**Painting** · iteration **90** of 120\n`▰▰▰▱` 75 %\n-# for <@{ADA['id']}>, done <t:{SOON}:R>"
    first = [button(4, "Cancel"), button(1, "Continue"), button(2, "Again", disabled=True), button(2, "Swap")]
    inside = [
        {"type": 10, "content": "## Harbour in the style of Strokes"},
        {"type": 12, "items": gallery},
        {"type": 10, "content": words},
        {"type": 14, "divider": True, "spacing": 1},
        {"type": 1, "components": first},
        {"type": 1, "components": [button(3, "Stronger"), {**button(5, "Weaker"), "url": "https://example.org"}]},
    ]
    attachments = [attachment("harbour.png"), attachment("strokes.png", "Broad strokes")]
    container = {"type": 17, "accent_color": 0xE8743B, "components": inside}
    thread = {"id": "900", "name": "harbour × strokes", "message_count": 3, "owner_id": IMPASTO["id"]}
    fields: Json = {"flags": V2, "attachments": attachments, "components": [container], "thread": thread, "type": 20}
    return message(IMPASTO, minutes=9, **fields, **STYLIZE)


def a_thread() -> list[Json]:
    """As REST gives it: the newest first."""
    film = [attachment("film.webp", "The film"), attachment("loss.png", "The losses")]
    return [
        message(IMPASTO, "How it was made", minutes=1, attachments=film),
        message(IMPASTO, "**Done** · 120 iterations", minutes=2, attachments=[attachment("final.png", "The painting")]),
        message(IMPASTO, "Iteration 10 · loss 9", minutes=8, attachments=[attachment("00010.png", "The beginning")]),
    ]


def a_channel() -> list[Json]:
    card = a_card()
    return [
        message(BO, "Going well already", minutes=3, type=19, referenced_message=card),
        message(IMPASTO, "That file is no picture.", minutes=4, flags=EPHEMERAL, type=20, **STYLIZE),
        card,
        message(ADA, "the one with the boats", minutes=13),
        message(ADA, f"I have it, <@{BO['id']}>!", minutes=14),
        message(BO, "Does anybody have the harbour?", minutes=26 * 60),
    ]


def show(messages: list[Json], channel: Json = CHANNEL, **options: Any) -> Reader:
    return Reader(render_channel(channel, messages, **{"users": USERS, "now": NOW, **options}))


def body(content: str) -> str:
    """The HTML that stands for a message's text."""
    page = render_channel(CHANNEL, [message(ADA, content)], users=USERS, now=NOW)
    found = re.search(r'<div class="body"><div class="markdown">(.*?)</div></div></article>', page, re.S)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("**bold** *it* _it_ __u__ ~~s~~", "<strong>bold</strong> <em>it</em> <em>it</em> <u>u</u> <s>s</s>"),
        ("***both***", "<em><strong>both</strong></em>"),
        ("a `**b** <i>`", "a <code>**b** &lt;i&gt;</code>"),
        (r"\*plain\* 2 * 3 * 4 snake_case_name", "*plain* 2 * 3 * 4 snake_case_name"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("# One\ntwo\n-# three", "<h1>One</h1>two\n<small>three</small>"),
        (r"\# no", "# no"),
        ("> said *so*\n> twice\nthen", "<blockquote><div>said <em>so</em>\ntwice</div></blockquote>then"),
        ("> a\n> > b", "<blockquote><div>a\n&gt; b</div></blockquote>"),
        ("```py\na < b\n```", "<pre><code>a &lt; b</code></pre>"),
        ("- a\n  - b\n- c\n3. d", '<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><ol><li value="3">d</li></ol>'),
        ("[here](https://a.org/x_y_z)", '<a href="https://a.org/x_y_z">here</a>'),
        ("[here](javascript:alert)", "[here](javascript:alert)"),
        ("see https://a.org/?a=1&b=2.", 'see <a href="https://a.org/?a=1&amp;b=2">https://a.org/?a=1&amp;b=2</a>.'),
        (f"<@{BO['id']}> <@7>", '<span class="mention">@bo</span> <span class="mention">@unknown-user</span>'),
        ("<#1>", '<span class="mention">#paintings</span>'),
        ("||x||", '<span class="spoiler" tabindex="0"><span>x</span></span>'),
        (f"<t:{SOON}:R>", '<span class="moment">in 4 minutes</span>'),
        (f"<t:{SOON - 7440}:R>", '<span class="moment">2 hours ago</span>'),
        (f"<t:{SOON}:t>", '<span class="moment">2:34 PM</span>'),
        (f"<t:{SOON}:F>", '<span class="moment">Friday, August 14, 2026 at 2:34 PM</span>'),
        ("<t:9999999999999:R>", "&lt;t:9999999999999:R&gt;"),
        ("✅ ▰▱", '<span class="emoji">✅</span> ▰▱'),
    ],
)
def test_text_reads_as_discord_writes_it(content: str, html: str) -> None:
    assert body(content) == html


def test_a_message_of_nothing_but_marks_is_still_text() -> None:
    assert "*" in body("*" * 4000)


def test_a_card_shows_its_pictures_words_and_buttons() -> None:
    page = show([a_card()])
    pictures = [(img["src"], img["alt"]) for img in page.every("img")]
    assert pictures == [(f"{CDN}/harbour.png", "A harbour"), (f"{CDN}/strokes.png", "Broad strokes")]
    buttons = [one["class"].split()[-1] + " off" * ("disabled" in one) for one in page.every("button")]
    assert buttons == ["danger", "primary", "secondary off", "secondary", "success"]
    assert page.classed("container") == [{"class": "container accent", "style": "--accent: #e8743b"}]
    assert "for @Ada Lovelace, done in 4 minutes" in page.text
    assert "Ada Lovelace used /stylize" in page.text
    assert "harbour × strokes3 MessagesSee Thread ›" in page.text


def test_what_no_message_can_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="type 18"):
        show([message(IMPASTO, flags=V2, components=[{"type": 18}])])
    with pytest.raises(LookupError, match=r"attachment://harbour\.png"):
        show([{**a_card(), "attachments": []}])


def test_files_and_thumbnails_and_selects_have_their_places() -> None:
    thumbnail = {"type": 11, "media": {"url": f"{CDN}/small.png"}, "description": "Small"}
    parts = [
        {"type": 9, "components": [{"type": 10, "content": "### Beside"}], "accessory": thumbnail},
        {"type": 13, "file": {"url": f"{CDN}/recipe.json?ex=1"}, "name": "recipe.json", "size": 1536},
        {"type": 1, "components": [{"type": 3, "custom_id": "a", "placeholder": "Choose a recipe", "options": []}]},
    ]
    page = show([message(IMPASTO, flags=V2, components=parts)])
    assert page.classed("thumbnail")[0]["alt"] == "Small"
    assert "recipe.json1.50 KBChoose a recipe" in page.text


def test_a_select_names_the_people_and_places_that_are_chosen_in_it() -> None:
    people = {"type": 5, "placeholder": "Nobody", "default_values": [{"id": ADA["id"], "type": "user"}]}
    places = {"type": 8, "placeholder": "Nowhere", "default_values": [{"id": "1", "type": "channel"}]}
    roles = {"type": 6, "placeholder": "No role", "default_values": []}
    parts = [{"type": 1, "components": [{"custom_id": "a", **select}]} for select in (people, places, roles)]
    text = show([message(IMPASTO, flags=V2, components=parts)]).text
    assert "@Ada Lovelace#paintingsNo role" in text


def test_what_is_covered_stays_covered_however_it_was_said() -> None:
    plain, flagged = attachment("a.png"), {**attachment("b.png"), "flags": 8}
    page = show([message(ADA, attachments=[plain, flagged, attachment("SPOILER_c.png")])])
    assert [len(page.classed(name)) for name in ("cell", "cover")] == [3, 2]
    items = [{"media": {"url": f"{CDN}/a.png"}}, {"media": {"url": f"{CDN}/b.png"}, "spoiler": True}]
    card = message(IMPASTO, flags=V2, components=[{"type": 12, "items": items}])
    assert len(show([card]).classed("cover")) == 1


def test_an_embed_keeps_its_picture_out_of_the_attachments() -> None:
    embed = {"title": "Painting", "description": "**so**", "color": 1, "image": {"url": "attachment://final.png"}}
    page = show([message(IMPASTO, embeds=[embed], attachments=[attachment("final.png", "Done")])])
    assert [(img["class"], img["alt"]) for img in page.every("img")] == [("image", "Done")]


def test_only_who_asked_sees_what_is_for_them_alone() -> None:
    for viewer, sees in ((ADA["id"], True), (BO["id"], False), (None, False)):
        text = show(a_channel(), viewer=viewer).text
        assert ("That file is no picture." in text) is sees
        assert ("Only you can see this" in text) is sees


def test_a_bot_that_has_not_answered_yet_is_thinking() -> None:
    assert "Impasto is thinking…" in show([message(IMPASTO, flags=LOADING, type=20, **STYLIZE)]).text


def test_messages_of_one_author_stand_together_and_days_apart() -> None:
    page = show(a_channel())
    kinds = [one["class"].removeprefix("message") for one in page.classed("message")]
    assert kinds == ["", "", " grouped", " threaded", ""]
    assert page.text.index("August 13, 2026") < page.text.index("Does anybody") < page.text.index("August 14, 2026")
    assert "Yesterday at 12:30 PM" in page.text


def test_a_reply_names_what_it_answers() -> None:
    assert "ImpastoAPPHarbour in the style of StrokesBbo2:27 PMGoing" in show(a_channel()).text
    gone = show([message(BO, "Yes", type=19, referenced_message=None)])
    assert "Original message was deleted" in gone.text


def test_the_viewer_is_shown_what_mentions_them_and_what_was_edited() -> None:
    called = message(BO, "look", mentions=[ADA], edited_timestamp=NOW.isoformat())
    assert show([called], viewer=ADA["id"]).classed("mentioned")
    assert not show([called], viewer=BO["id"]).classed("mentioned")
    assert "look (edited)" in show([called]).text


def test_the_open_thread_stands_beside_the_channel() -> None:
    page = show(a_channel(), threads={"900": a_thread()})
    channel, thread = page.text.split("Message #paintings")
    assert "How it was made" in channel, "its last message is told of under the card"
    assert "Started by IImpasto" in thread
    order = ["Iteration 10", "Done", "How it was made"]
    assert sorted(order, key=thread.index) == order
    assert "Message harbour × strokes" in thread


def test_a_thread_without_a_message_of_its_own_is_a_line_in_the_channel() -> None:
    created = message(ADA, "August", type=18, message_reference={"channel_id": "901"})
    page = show([created], threads={"901": [message(BO, "", type=21, referenced_message=message(ADA, "Begin"))]})
    assert "Ada Lovelace started a thread: August." in page.text
    assert "Begin" in page.text.split("Message #paintings")[1]


def test_private_channels_go_by_who_is_in_them() -> None:
    assert "Message @Ada Lovelace" in show([], {"id": "2", "type": 1, "recipients": [ADA]}).text


def test_with_its_pictures_inside_the_page_fetches_nothing() -> None:
    faced = message({**ADA, "avatar": "abc"}, "x", minutes=20)
    page = show([*a_channel(), faced], threads={"900": a_thread()}, embed=paint)
    sources = [img["src"] for img in page.every("img")]
    assert len(sources) == 2 + 4 + 1
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not page.every("link") + page.every("script")


def test_avatars_that_cannot_be_had_are_initials() -> None:
    def nothing(url: str) -> bytes:
        raise LookupError(url)

    page = show([message({**ADA, "avatar": "abc"}, "x")], embed=nothing)
    assert "AL" in page.text and not page.every("img")


def test_the_hour_is_the_viewers() -> None:
    with pytest.raises(ValueError, match="time zone"):
        show([], now=NOW.replace(tzinfo=None))


def test_a_screenshot_shows_the_whole_conversation(tmp_path: Path) -> None:
    page = render_channel(CHANNEL, a_channel(), users=USERS, threads={"900": a_thread()}, now=NOW, embed=paint)
    shot, window = tmp_path / "shots" / "page.png", tmp_path / "window.png"
    try:
        shoot(page, shot, scale=1)
        shoot(page, window, width=900, height=300, scale=2)
    except NoBrowser as missing:
        pytest.skip(f"needs a browser on the PATH: {missing}")
    with Image.open(shot) as picture:
        assert picture.width == 1280
        assert picture.height > 900
        colours = picture.convert("RGB")
        red, blue, green = (box_of(colours, colour) for colour in (RED, BLUE, GREEN))
    assert red[1::2] == blue[1::2], "the card's pictures stand side by side, equally high"
    assert 0 < blue[0] - red[2] <= 8
    assert green[0] > 800, "the thread's pictures are at the right"
    with Image.open(window) as picture:
        assert picture.size == (1800, 600)


def box_of(picture: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all that has the colour."""
    rows, columns = np.nonzero((np.asarray(picture) == colour).all(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_without_a_browser_it_says_so_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowser, match=r"^No Chromium to take a screenshot with: none of chromium, .* on the PATH\.$"):
        shoot("<p>", tmp_path / "page.png")
