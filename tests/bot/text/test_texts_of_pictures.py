"""What a job brings for the pictures that workers draw."""

from __future__ import annotations

import pytest
from card_kit import a_job
from matplotlib.ft2font import FT2Font

from bot.cards.before_and_after import FONT
from bot.text.drawn_texts import WITHOUT_LETTERS, drawn_texts, drawn_words
from bot.text.translation import LANGUAGES, speaking
from engine.contract.drawn_texts import TEXTS, WEIGHTS_NOTES
from engine.contract.models import Job, StoredPicture
from engine.contract.study import Part, Study
from engine.recipe.presets import preset
from engine.recipe.studies import KINDS, variants
from engine.worker.results.lettering import font

WRITTEN = [language for language in LANGUAGES if language not in WITHOUT_LETTERS]


def a_study(vary: str) -> Job:
    picture = StoredPicture(key="nowhere", name="harbour.png", width=32, height=32)
    recipe = preset("fine", iterations=20, size=128)
    parts = [
        Part(label=variant.label, note=variant.note, recipe=recipe, content=picture, styles=(picture,))
        for variant in variants(vary, recipe, {}, ["strokes", "wave"])
    ]
    return a_job().model_copy(update={"study": Study(vary=vary, parts=tuple(parts))})


@pytest.mark.parametrize("language", WRITTEN)
def test_all_that_is_drawn_has_letters_in_the_font(language: str) -> None:
    known = FT2Font(font(12).path).get_charmap()
    with speaking(language):
        told = {text: word for vary in KINDS for text, word in drawn_texts(a_study(vary)).items()}
    assert {*TEXTS, *WEIGHTS_NOTES} < set(told)
    assert [note for note in WEIGHTS_NOTES if told[note] == note] == []
    assert {letter for word in told.values() for letter in word if ord(letter) not in known} == set()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ["vorher", "nachher"]),
        ("es", ["antes", "después"]),
        ("fr", ["avant", "après"]),
        ("ja", ["before", "after"]),
        ("en", ["before", "after"]),
    ],
)
def test_what_the_bot_draws_is_in_the_language_where_its_font_has_the_letters(language: str, words: list[str]) -> None:
    with speaking(language):
        assert drawn_words("before", "after") == words
    assert {ord(letter) for word in words for letter in word} <= set(FT2Font(FONT).get_charmap())


def test_where_the_font_has_no_letters_it_stays_english() -> None:
    with speaking("ja"):
        assert drawn_texts(a_study("start")) == {}
    assert drawn_texts(a_study("start")) == {}


def test_a_studys_title_its_labels_and_their_notes_are_among_them() -> None:
    with speaking("de"):
        told = drawn_texts(a_study("start"))
        styles = drawn_texts(a_study("style"))
    assert told["What it begins with"] == "Womit es beginnt"
    assert told["patches"] == "Stücke des Stils"
    assert told["1,234.5"] == "1.234,5"
    assert styles["strokes"] == "strokes"
