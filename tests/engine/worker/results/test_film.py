from __future__ import annotations

from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor, ImageStat
from support.jobs import light

from engine.worker.results.film import FEWEST_STEPS, HOLD_MS, LENGTH_MS, film, film_iterations, frame, times_of
from engine.worker.results.film_loss_curve import LossStrip, loss_in_digits, strip_height
from engine.worker.results.loss_plot import INK, PAPER


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


def flat(level: int, size: tuple[int, int] = (48, 32)) -> Image.Image:
    return Image.new("RGB", size, (level, 255 - level, 128))


def noise(seed: int, side: int) -> bytes:
    levels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return encoded(Image.fromarray(levels))


def durations(data: bytes) -> list[int]:
    with Image.open(BytesIO(data)) as movie:
        times = []
        for i in range(getattr(movie, "n_frames", 1)):
            movie.seek(i)
            movie.load()
            times.append(int(movie.info["duration"]))
        return times


@given(st.integers(1, 3000), st.integers(2, 200))
def test_frames_rise_from_the_first_to_the_last_iteration(iterations: int, most: int) -> None:
    chosen = film_iterations(light(iterations, scales=1), most)
    assert chosen[0] == 1
    assert chosen[-1] == iterations
    assert min(iterations, most) - 1 <= len(chosen) <= most
    assert all(a < b for a, b in pairwise(chosen))


def test_the_film_of_a_sequence_is_its_paintings_each_as_long_as_its_content_was_shown() -> None:
    recipe = light(12, scales=2, frame_iterations=4).sequence(3)
    assert film_iterations(recipe) == (12, 16, 20)
    out = BytesIO()
    contents = [flat(level) for level in (0, 100, 200)]
    contents[0].save(out, "PNG", save_all=True, append_images=contents[1:], duration=[40, 500, 130])
    times = times_of(out.getvalue(), recipe.frame_ends)
    assert times == {12: 40, 16: 500, 20: 130}
    data = film([encoded(flat(level)) for level in (0, 100, 200)], times=list(times.values()))
    assert durations(data) == [40, 500, 130]


def test_a_film_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="At least one iteration"):
        film_iterations(light(10), 1)


def test_a_frame_is_scaled_down_but_never_up() -> None:
    with Image.open(BytesIO(frame(flat(10, (960, 640)), 480))) as image:
        assert image.format == "JPEG"
        assert image.size == (480, 320)
    with Image.open(BytesIO(frame(flat(10, (100, 50)).convert("RGBA"), 480))) as image:
        assert image.size == (100, 50)


def test_a_film_loops_shows_every_frame_and_holds_the_last() -> None:
    data = film([encoded(flat(level)) for level in range(0, 240, 8)])
    with Image.open(BytesIO(data)) as movie:
        assert movie.format == "WEBP"
        assert getattr(movie, "n_frames", 1) == 30
        assert movie.info["loop"] == 0
    times = durations(data)
    assert times[-1] == HOLD_MS
    assert max(times[:-1]) < HOLD_MS / 4


def test_frames_of_every_kind_and_size_become_the_size_of_the_last() -> None:
    frames = [encoded(flat(0, (24, 16))), encoded(flat(120), "JPEG"), frame(flat(240, (96, 64)), 480)]
    with Image.open(BytesIO(film(frames))) as movie:
        assert movie.size == (96, 64)
        first = ImageStat.Stat(movie.convert("RGB")).mean
        movie.seek(getattr(movie, "n_frames", 1) - 1)
        last = ImageStat.Stat(movie.convert("RGB")).mean
    assert first == pytest.approx([0, 255, 128], abs=6)
    assert last == pytest.approx([240, 15, 128], abs=6)


def test_what_changes_more_is_given_more_time_within_bounds() -> None:
    steps = [0, *([4] * 15), *([8] * 15), 100, 0]
    data = film([encoded(flat(round(level))) for level in np.cumsum(steps)])
    times = np.array(durations(data))
    assert len(times) == len(steps) - 1  # frames that are alike become one
    slow, fast, leap = times[:15], times[15:30], times[30]
    assert fast.mean() / slow.mean() == pytest.approx(2, rel=0.15)
    assert fast.max() < leap < 100 / 8 * fast.mean()
    assert times[:-1].sum() == pytest.approx(LENGTH_MS * len(steps) / (2 * FEWEST_STEPS), rel=0.05)


def test_few_frames_fade_into_each_other() -> None:
    data = film([encoded(flat(0)), encoded(flat(240))])
    with Image.open(BytesIO(data)) as movie:
        count = getattr(movie, "n_frames", 1)
        movie.seek(count // 2)
        middle = ImageStat.Stat(movie.convert("RGB")).mean[0]
    assert count > 2
    assert 60 < middle < 180


def test_one_frame_is_a_film() -> None:
    with Image.open(BytesIO(film([encoded(flat(99))]))) as movie:
        assert movie.size == (48, 32)


def test_noise_steps_down_in_quality_and_then_in_size() -> None:
    frames = [noise(seed, 96) for seed in range(24)]
    free = film(frames)
    lower = film(frames, limit=len(free) * 3 // 4)
    smaller = film(frames, limit=len(free) // 8)
    assert len(lower) < len(free) * 3 // 4
    assert len(smaller) < len(free) // 8
    sizes = []
    for data in (free, lower, smaller):
        with Image.open(BytesIO(data)) as movie:
            sizes.append(movie.width)
            assert getattr(movie, "n_frames", 1) == 24
    assert sizes[0] == sizes[1] == 96
    assert sizes[2] < 96


def test_a_limit_that_nothing_meets_and_a_film_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="fits into 10 bytes"):
        film([noise(0, 64)], limit=10)
    with pytest.raises(ValueError, match="at least one frame"):
        film([])


def inked(strip: Image.Image) -> set[int]:
    """The columns of the strip in which there is something of the curve."""
    levels = np.asarray(strip.convert("L").crop((0, 27, strip.width, strip.height - 20)))
    dark = ImageColor.getrgb(INK)[1] + 40
    return set(np.flatnonzero((levels < dark).any(axis=0)).tolist())


def test_under_the_picture_the_loss_draws_itself_and_what_is_drawn_stays() -> None:
    strip = LossStrip([1e6 / i for i in range(1, 301)], [1, 10, 100, 300])
    shown = [strip.under(flat(90, (320, 200)), place) for place in (0, 1, 1.5, 2, 3)]
    assert {picture.size for picture in shown} == {(320, 200 + strip_height(320))}
    for picture in shown:
        assert picture.crop((0, 0, 320, 200)).tobytes() == flat(90, (320, 200)).tobytes()
    strips = [picture.crop((0, 200, 320, picture.height)) for picture in shown]
    curves = [inked(one) for one in strips]
    reached = [max(curve, default=0) for curve in curves]
    assert all(before < after for before, after in pairwise(reached))
    assert all(len(before - after) <= 8 for before, after in pairwise(curves))  # but for the dot at its end
    assert len(curves[-1]) > 280
    assert reached[2] - reached[1] == pytest.approx(reached[3] - reached[2], abs=3)  # evenly along the axis
    words = [one.crop((0, 0, 320, 26)).tobytes() for one in strips]
    assert len(set(words)) == 5


def test_the_film_of_a_small_picture_has_room_for_the_words() -> None:
    strip = LossStrip([5.0, None, 3.0, 2.0], [1, 4])
    with Image.open(BytesIO(film([encoded(flat(60)), encoded(flat(90))], under=strip.under))) as movie:
        assert movie.size == (240, 32 + strip_height(240))
        first = movie.convert("RGB")
        assert ImageStat.Stat(first.crop((100, 4, 140, 28))).mean == pytest.approx([60, 195, 128], abs=6)
        assert ImageStat.Stat(first.crop((0, 4, 90, 28))).mean == pytest.approx(ImageColor.getrgb(PAPER), abs=6)


@pytest.mark.parametrize("totals", [[None] * 3, [float("inf"), 0.0, -1.0], [7.0] * 3, [3.0]])
def test_a_strip_of_odd_losses_is_drawn(totals: list[float | None]) -> None:
    strip = LossStrip(totals, [1, 3])
    assert len({strip.under(flat(90, (320, 200)), place).size for place in (0, 0.4, 1)}) == 1


@pytest.mark.parametrize(
    ("loss", "words"), [(0.012345, "0.0123"), (45.678, "45.7"), (1234567, "1,230,000"), (1.2345e9, "1.23e+09")]
)
def test_losses_have_three_digits(loss: float, words: str) -> None:
    assert loss_in_digits(loss) == words
