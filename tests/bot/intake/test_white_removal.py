"""Less white of a style: seen on a picture whose paper, drawing and margin are known."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw

from bot.intake import white_removal

PAPER, RED, INK = (252, 251, 246), (200, 40, 30), (20, 20, 60)


def drawing() -> Image.Image:
    """A red field with a dark line and a white hole, in a white margin of 20 px."""
    picture = Image.new("RGB", (120, 100), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, 99, 79), RED)
    draw.rectangle((50, 40, 69, 59), PAPER)
    draw.rectangle((20, 20, 99, 24), INK)
    return picture


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    return picture


def test_the_margin_is_cut_away_and_nothing_else() -> None:
    cut = opened(white_removal.trimmed(png(drawing())))
    assert cut.size == (80, 60)
    assert cut.tobytes() == drawing().crop((20, 20, 100, 80)).tobytes()


def test_what_has_no_margin_or_is_nothing_but_paper_stays() -> None:
    for picture in (drawing().crop((20, 20, 100, 80)), Image.new("RGB", (64, 64), PAPER)):
        assert white_removal.trimmed(png(picture)) == png(picture)


def test_white_becomes_the_mean_of_the_rest_and_the_rest_stays() -> None:
    toned, half = opened(white_removal.toned(png(drawing()), 1.0)), opened(white_removal.toned(png(drawing()), 0.5))
    assert toned.getpixel((60, 70)) == RED
    assert toned.getpixel((60, 22)) == INK
    red, green, blue = toned.getpixel((5, 5))  # type: ignore[misc]
    assert red > 150
    assert max(green, blue) < 60
    middle = half.getpixel((60, 50))
    assert middle == pytest.approx([(a + b) / 2 for a, b in zip(PAPER, (red, green, blue), strict=True)], abs=2)


def test_a_mask_is_black_where_it_is_white() -> None:
    mask = opened(white_removal.mask(png(drawing())))
    assert [mask.getpixel(at) for at in ((5, 5), (60, 50), (30, 60), (60, 22))] == [
        (0, 0, 0), (0, 0, 0), (255, 255, 255), (255, 255, 255)
    ]  # fmt: skip


def test_whether_there_is_any() -> None:
    assert white_removal.has_white(png(drawing()))
    assert not white_removal.has_white(png(Image.new("RGB", (64, 64), RED)))


def test_whether_there_is_anything_else() -> None:
    assert white_removal.all_white(png(Image.new("RGB", (64, 64), PAPER)))
    assert not white_removal.all_white(png(drawing()))


def test_a_faint_drawing_is_toned_to_its_own_colour_and_not_to_black() -> None:
    faint = Image.new("RGB", (64, 64), (250, 250, 250))
    ImageDraw.Draw(faint).rectangle((20, 20, 40, 40), (196, 192, 192))
    assert not white_removal.all_white(png(faint))
    assert opened(white_removal.toned(png(faint), 1.0)).getpixel((5, 5)) == pytest.approx((196, 192, 192), abs=6)


def test_blank_paper_is_all_white_photographed_too() -> None:
    photographed = Image.effect_noise((96, 96), 8).point(lambda level: min(255, level + 116)).convert("RGB")
    assert white_removal.all_white(png(photographed))
    assert white_removal.all_white(png(Image.new("RGB", (64, 64), PAPER)))
    assert not white_removal.all_white(png(drawing()))
