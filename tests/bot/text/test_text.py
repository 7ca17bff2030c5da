"""Words: a member's text does nothing, and numbers read well."""

from __future__ import annotations

import math
import re
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.formatting import bar, count, duration, exact_duration, joined, loss
from bot.text.recipe_text import recipe_in_words
from bot.text.sanitise import plain, safe
from bot.text.titles import alt_text, title
from bot.text.translation import _, language_of, listed, number, speaking
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import Recipe

MISCHIEF = [
    "@everyone", "@here", "<@1234>", "<@&1234>", "<#1234>", "<a:party:1234>", "<t:0:R>", "</stylize:1234>",
    "https://evil.example/x", "discord.gg/abc", "[click](https://evil.example)", "||spoiler||", "```\ncode", "**", "__",
    "\\", "\\_", "> quote", "# heading", "-# small", "1. one", "- a", "\u202e", "\u200b", "\u2066", "\x00", "\x1b[31m",
    "\n", "\u3164", "\u2800", "\ud800", "👩‍🎨", "é", "海", " ",
]  # fmt: skip
TEXT = st.lists(st.text(max_size=12) | st.sampled_from(MISCHIEF), max_size=8).map("".join)
MOST = st.integers(1, 120)


@given(TEXT, MOST)
def test_tamed_words_are_one_short_line_that_shows_something(text: str, most: int) -> None:
    for tamed in (safe(text, most), plain(text, most)):
        assert 1 <= len(tamed) <= most
        assert tamed.isprintable() and tamed.strip() == tamed
        assert "  " not in tamed


@given(TEXT, MOST)
def test_no_mention_link_or_emoji_lives(text: str, most: int) -> None:
    for tamed in (safe(text, most), plain(text, most)):
        assert discord.utils.escape_mentions(tamed) == tamed
        assert not set(tamed) & set("@<>/")


@given(TEXT, MOST)
def test_discord_finds_no_markdown(text: str, most: int) -> None:
    tamed = safe(text, most)
    bare = re.sub(r"\\[^0-9A-Za-z\s]", "x", tamed)
    assert not re.search(r"[\\*_~`|\[\]():]|^[-#]|^\d+[.]", bare)
    assert discord.utils.escape_markdown(bare) == bare


@given(TEXT)
def test_what_is_shown_is_the_same_with_and_without_markdown(text: str) -> None:
    assert re.sub(r"\\(.)", r"\1", safe(text, 1000)) == plain(text, 1000)
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("harbour at night.png", "harbour at night.png"),
        ("  two\n\twords\u200b ", "two words"),
        ("my_cat.png", r"my\_cat.png"),
        ("1. one", r"1\. one"),
        ("-# small", r"\-# small"),
        ("2024-b #1", "2024-b #1"),
        (".#", ".#"),
        ("@everyone", "＠everyone"),
        ("AC/DC", "AC∕DC"),
        ("\u202e\u3164", "picture"),
        ("", "picture"),
    ],
)
def test_safe(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_long_words_end_in_an_ellipsis_and_no_escape_is_cut_in_two() -> None:
    assert plain("a harbour", 8) == "a harbo…"
    assert plain("a harbour", 3) == "a…"
    assert [safe("____", most) for most in (8, 7, 6, 5, 2)] == [
        r"\_\_\_\_", r"\_\_\_…", r"\_\_…", r"\_\_…", "…",
    ]  # fmt: skip


def test_count() -> None:
    counted = [count(n, "iteration") for n in (0, 1, 2, 3300)]
    assert counted == ["0 iterations", "1 iteration", "2 iterations", "3,300 iterations"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "under a minute"),
        (59.9, "under a minute"),
        (60, "about a minute"),
        (240, "about 4 minutes"),
        (3599, "about an hour"),
        (5400, "about 1½ hours"),
        (7200, "about 2 hours"),
        (86400, "about 24 hours"),
        (3 * 86400, "about 3 days"),
        (math.inf, "an unknown time"),
        (math.nan, "an unknown time"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_exact_duration() -> None:
    told = [exact_duration(seconds) for seconds in (-1, 0.4, 42, 59.6, 200, 3599.7, 7500)]
    assert told == ["0 s", "0 s", "42 s", "1 min 0 s", "3 min 20 s", "1 h 0 min", "2 h 5 min"]


@given(st.floats(), st.integers(1, 40))
def test_a_bar_is_as_wide_as_asked_and_full_only_at_the_end(share: float, width: int) -> None:
    drawn = bar(share, width)
    assert len(drawn) == width and drawn.strip("▰").strip("▱") == ""
    assert ("▱" not in drawn) == (share >= 1)


def test_a_bar() -> None:
    assert bar(0.61, 5) == "▰▰▰▱▱"


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (0, "0"),
        (0.034, "0.034"),
        (1.5, "1.5"),
        (184.4, "184"),
        (12_345, "12,300"),
        (999_999, "1 million"),
        (1_200_000, "1.2 million"),
        (5.67e10, "56.7 billion"),
        (1e15, "1.00e+15"),
        (1e-7, "1.00e-07"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_loss(x: float, words: str) -> None:
    assert loss(x) == words


NO_NAMES = [
    "IMG_2034.jpg", "image.png", "image0.jpg", "unknown.png", "20240511_103344.jpg", "DSCF1234.JPG", "a.png", "",
    "PXL_20240511_103344123.MP.jpg", "3f2b8c9e-1a2b-4c3d-9e8f-aabbccddeeff.png", "IMG-20240511-WA0003.jpg",
    "Screenshot_2024-05-11_at_10.33.44.png", "WhatsApp_Image_2024-05-11_at_10.33.44_AM.jpeg", "\u202e.png",
    "impasto-1576512150350856194-00010.png",
]  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_a_machine_called_it_is_no_title(name: str) -> None:
    assert title(name, [name], "fine painting") == "fine painting"
    assert title("harbour.png", [name], "fine painting") == "harbour"
    assert title(name, ["strokes.png"], "fine painting") == "in the style of strokes"


@pytest.mark.parametrize(
    ("content", "styles", "words"),
    [
        ("harbour.png", ["strokes.png"], "harbour × strokes"),
        ("My_cat.JPG", ["strokes.webp", "unknown.png", "waves.png"], "My cat × strokes, waves"),
        ("海.png", ["café.v2.png"], "海 × café.v2"),
        ("🌊.png", ["мазки 2.png"], "🌊 × мазки 2"),
        ("harbour.HIF", ["strokes.jfif"], "harbour × strokes"),
        ("Portrait_of_Ann.png", ["1889.png", "night.png"], "Portrait of Ann × night"),
        ("x" * 90 + ".png", ["y" * 90], f"{'x' * 47}… × {'y' * 47}…"),
    ],
)
def test_title(content: str, styles: list[str], words: str) -> None:
    assert title(content, styles) == words
    assert len(words) <= 100


@given(TEXT, st.lists(TEXT, min_size=1, max_size=5), st.text(max_size=200))
def test_titles_and_alt_texts_fit(content: str, styles: list[str], fallback: str) -> None:
    assert 1 <= len(title(content, styles, fallback)) <= 100
    assert len(alt_text(300, 3300, content * 20, styles * 20)) <= 1024


def test_what_has_no_other_title_is_not_called_as_what_is_being_painted() -> None:
    """English has one word for both."""
    with speaking("de"):
        assert title("IMG_1.jpg", ["IMG_2.jpg"]) != _("painting") == "wird gemalt"


@pytest.mark.parametrize(("language", "line"), [("en", "a, b, c"), ("de", "a, b, c"), ("ja", "a、b、c")])
def test_what_is_joined_is_so_as_the_language_does(language: str, line: str) -> None:
    with speaking(language):
        assert joined(["a", "", "b", "c"]) == line


def test_alt_text() -> None:
    assert alt_text(300, 3300, "harbour.png", ["strokes.png"]) == (
        "Iteration 300 of 3,300: harbour painted in the style of strokes"
    )
    assert alt_text(1, 2, "IMG_1.jpg", ["image.png", "waves.png", "unknown.png"]) == (
        "Iteration 1 of 2: a picture painted in the style of another picture and waves"
    )


@pytest.mark.parametrize("weights", ["imagenet", "starter", "random"])
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_told_by_its_name(name: str, weights: str) -> None:
    recipe = preset(name, weights=weights)
    assert recipe_in_words(recipe) == f"{name}, {recipe.iterations:,} iterations at {recipe.size} px"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"strength": 2.0}, "twice the usual strength"),
        ({"strength": 0.5}, "half the usual strength"),
        ({"strength": 1.5}, "1.5 times the usual strength"),
        ({"colours": "content"}, "content's colours"),
        ({"style_weights": (1.0, 1.0)}, "2 styles"),
        ({"style_weights": (0.7, 0.3)}, "2 styles 70 : 30"),
        ({"style_weights": tuple(range(1, 13))}, "12 styles"),
        ({"start": "noise"}, "from noise"),
        ({"start": "noise", "noise": 0.0}, "from a flat colour"),
        ({"noise": 1.0}, "from noise"),
        ({"noise": 0.6}, "from the content with 60% noise"),
        ({"start": "picture", "noise": 0.0}, "from a given picture"),
        ({"style_scale": 0.5}, "style at 50% of its size"),
        ({"optimiser": "adam"}, "with Adam"),
        ({"step": 0.5, "clamp": True}, "own clamp and step"),
        ({"step": 0.5, "clamp": True, "detail": 0.5}, "3 other settings"),
    ],
)
def test_what_differs_from_the_preset_is_told(fields: dict[str, Any], words: str) -> None:
    assert recipe_in_words(preset("fine", **fields)) == f"fine, 225 iterations at 512 px, {words}"


def test_all_of_it_at_once() -> None:
    recipe = preset("fine", strength=2.0, colours="content", style_weights=(0.7, 0.3), start="noise").continued(100)
    assert recipe_in_words(recipe) == (
        "fine, 325 iterations (100 of them added) at 512 px, twice the usual strength, content's colours, "
        "2 styles 70 : 30, from noise"
    )


def test_any_recipe_is_told_in_200_characters() -> None:
    own: dict[str, Any] = {
        "name": "harbour " * 40,
        "beta": 1e9,
        "style_weights": (1.0, 2.0, 3.0, 4.0),
        "style_scale": 0.3,
        "extra": 99,
    }
    recipe = Recipe(**own, noise=0.123, start="style", colours="content", optimiser="lbfgs", step=1.0)
    assert recipe_in_words(recipe).startswith("harbour") and len(recipe_in_words(recipe)) <= 200


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "1 Bild; 2 Bilder; 3.300 Iterationen; etwa 2½ Stunden; 1,23 Millionen; a, b und c; 50 %"),
        ("es", "1 imagen; 2 imágenes; 3.300 iteraciones; unas 2½ horas; 1,23 millones; a, b y c; 50 %"),
        ("fr", "1 image; 2 images; 3 300 itérations; environ 2½ h; 1,23 million; a, b et c; 50 %"),
        ("ja", "1 枚; 2 枚; 3,300 回; 約2½時間; 123万; a、b、c; 50%"),
        ("pt_BR", "1 imagem; 2 imagens; 3.300 iterações; cerca de 2½ horas; 1,23 milhão; a, b e c; 50%"),
        ("tlh", "1 picture; 2 pictures; 3,300 iterations; about 2½ hours; 1.23 million; a, b and c; 50%"),
    ],
)
def test_numbers_and_plurals_are_those_of_the_language(language: str, words: str) -> None:
    """One that there is no catalogue for is English. Spaces that do not break are shown as any."""
    with speaking(language):
        told = [count(1, "picture"), count(2, "picture"), count(3300, "iteration"), duration(9000), loss(1.234e6)]
        told += [listed(["a", "b", "c"]), number(0.5, ".0%")]
    assert re.sub(r"\s", " ", "; ".join(told)) == words
    assert count(2, "picture") == "2 pictures"


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("es-ES", "es"), ("es-419", "es"), ("pt-BR", "pt_BR"), ("en-GB", "en"), ("zh-TW", "en"), ("", "en")],
)
def test_each_of_discords_locales_has_a_language(locale: str, language: str) -> None:
    assert language_of(locale) == language
