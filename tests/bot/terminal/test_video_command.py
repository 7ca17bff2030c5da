"""`impasto paint` with a video as content: a film of its frames, as MP4 or WebM, with the video's sound."""

from __future__ import annotations

import io
import json
import math
import subprocess
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest
from impasto_command import LIGHT, make_room, run, shared
from PIL import Image
from support.workers import WorkerPool

from bot.intake import VIDEO, BadPicture, VideoKind, take_in_video
from bot.terminal.painted_video import painted_video, video_file
from engine.recipe.presets import preset

FEW = ["--iterations", "6", "--set", "frame_iterations=2"]
PAINT = [part if part != "content.png" else "clip.mp4" for part in LIGHT]
SECONDS, RATE = 1, 25
from_image: Any = av.VideoFrame.from_image


def frame_at(number: int) -> Image.Image:
    picture = Image.radial_gradient("L").resize((64, 48)).convert("RGB")
    picture.paste((230, 40, 20), (number, 4, number + 12, 30))
    return picture


def clip(  # noqa: PLR0917
    path: Path, video: str = "libx264", sound: str = "aac", seconds: int = SECONDS,
    shown_from: float = 0, heard_from: float = 0, quiet: float = 0,
) -> Path:  # fmt: skip
    """A patch that moves over the content, once a second from left to right, and a tone, if there is to be one.

    By the file's clock pictures and sound begin at these seconds; for so many of the pictures' the sound is quiet.
    """
    file: Any
    with av.open(path, "w") as file:
        stream: Any = file.add_stream(video, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 4_000_000
        heard: Any = file.add_stream(sound, rate=48000) if sound else None
        for number in range(seconds * RATE):
            picture = from_image(frame_at(number % RATE))
            picture.pts, picture.time_base = number + round(RATE * shown_from), Fraction(1, RATE)
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
        loud = round(48000 * (shown_from + quiet)) if quiet else 0
        end = round(48000 * (shown_from + seconds))
        for start in range(round(48000 * heard_from), end if sound else 0, 960):
            tone: Any = av.AudioFrame(format="s16", layout="mono", samples=960)
            wave = (int(9000 * math.sin(place / 20)) if place >= loud else 0 for place in range(start, start + 960))
            tone.planes[0].update(array("h", wave).tobytes())
            tone.sample_rate, tone.pts, tone.time_base = 48000, start, Fraction(1, 48000)
            file.mux(heard.encode(tone))
        if heard is not None:
            file.mux(heard.encode(None))
    return path


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = make_room(tmp_path_factory.mktemp("video"))
    clip(room / "clip.mp4")
    return room


@pytest.fixture(scope="module")
def painted(room: Path, busy_pool: WorkerPool) -> subprocess.CompletedProcess[str]:
    return run(room, *PAINT, *FEW, "--fps", "5", "-o", "out", **shared(busy_pool))


def read(path: Path) -> tuple[list[float], list[Image.Image], bytes]:
    """Moments and frames, in seconds, and the sound's packets."""
    file: Any
    with av.open(path) as file:
        frames = [(float(frame.time or 0), frame.to_image()) for frame in file.decode(file.streams.video[0])]
    with av.open(path) as file:
        sound = b"".join(bytes(packet) for packet in file.demux(file.streams.audio[0])) if file.streams.audio else b""
    return [moment for moment, _ in frames], [picture for _, picture in frames], sound


def test_the_film_is_a_video_of_the_paintings_with_the_sound_as_it_was(
    room: Path, painted: subprocess.CompletedProcess[str]
) -> None:
    assert painted.returncode == 0, painted.stderr
    assert "With its sound: out/film.mp4" in painted.stdout
    moments, frames, sound = read(room / "out" / "film.mp4")
    assert np.allclose(moments[:5], [0, 0.2, 0.4, 0.6, 0.8], atol=0.011)
    assert sound == read(room / "clip.mp4")[2] != b""
    record = json.loads((room / "out" / "run.json").read_text())
    assert record["recipe"]["frames"] == 5
    for snapshot, frame in zip(record["snapshots"], frames, strict=False):
        with Image.open(room / "out" / snapshot["file"]) as painting:
            expected = np.asarray(painting.convert("RGB").crop((0, 0, *frame.size)), float)
        assert abs(expected.mean() - np.asarray(frame, float).mean()) < 6
    assert not (room / "out" / ".impasto").exists()
    film: Any
    with av.open(room / "out" / "film.mp4") as film:
        assert abs((film.duration or 0) / av.time_base - SECONDS) < 0.1


def test_the_film_of_a_webm_is_one(room: Path, busy_pool: WorkerPool) -> None:
    clip(room / "clip.webm", "libvpx-vp9", "libopus")
    of_webm = [part if part != "clip.mp4" else "clip.webm" for part in PAINT]
    painted = run(room, *of_webm, *FEW, "--fps", "5", "-o", "web", **shared(busy_pool))
    assert painted.returncode == 0, painted.stderr
    assert "With its sound: web/film.webm" in painted.stdout
    moments, frames, sound = read(room / "web" / "film.webm")
    assert np.allclose(moments[:5], [0, 0.2, 0.4, 0.6, 0.8], atol=0.011)
    assert sound == read(room / "clip.webm")[2] != b""
    with Image.open(room / "web" / "final.png") as last:
        expected = np.asarray(last.convert("RGB").crop((0, 0, *frames[-1].size)), float)
    assert np.abs(expected - np.asarray(frames[-1], float)).mean() < 12
    assert not (room / "web" / "film.mp4").exists()


def test_painted_again_as_a_picture_no_video_is_left_over(
    room: Path, painted: subprocess.CompletedProcess[str], busy_pool: WorkerPool
) -> None:
    again = run(room, *PAINT, *FEW, "--still", "-o", "out", **shared(busy_pool))
    assert again.returncode == 0, painted.stderr + again.stderr
    assert not (room / "out" / "film.mp4").exists()
    assert json.loads((room / "out" / "run.json").read_text())["recipe"]["frames"] == 1


def test_a_video_of_ones_own_is_not_written_over(room: Path) -> None:
    (room / "mine").mkdir()
    (room / "mine" / "film.mp4").write_text("mine")
    refused = run(room, *PAINT, *FEW, "-o", "mine")
    assert "film.mp4 would be written over, and Impasto did not make it" in refused.stderr
    assert (room / "mine" / "film.mp4").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "video", "sound", "kind"),
    [
        ("a.webm", "libvpx-vp9", "libopus", "mp4"), ("a.webm", "libvpx-vp9", "libopus", "webm"),
        ("b.mkv", "mpeg4", "pcm_s16le", "mp4"), ("b.mkv", "mpeg4", "pcm_s16le", "webm"),
        ("c.mov", "libx264", "", "mp4"),
    ],
)  # fmt: skip
async def test_what_videos_are_taken(tmp_path: Path, name: str, video: str, sound: str, kind: VideoKind) -> None:
    data = clip(tmp_path / name, video, sound).read_bytes()
    taken = await take_in_video(data, name, 10, VIDEO, kind)
    assert (taken.width, taken.height, taken.frames) == (64, 48, 10)
    with Image.open(io.BytesIO(taken.png)) as film:
        for number in range(10):
            film.seek(number)
            shown = np.asarray(film.convert("RGB"), float)
            unlike = [np.abs(shown - np.asarray(frame_at(place), float)).mean() for place in range(RATE)]
            assert min(unlike) < 6
            assert abs(int(np.argmin(unlike)) - number * RATE / 10) < 2  # colours are coarser
    if not sound:
        assert taken.sound == b""
        return
    heard: Any
    with av.open(io.BytesIO(taken.sound)) as heard:
        (stream,) = heard.streams
        assert stream.codec_context.name == {"mp4": "aac", "webm": "opus"}[kind]
        assert kind in heard.format.name
        assert abs((heard.duration or 0) / av.time_base - SECONDS) < 0.1


def loud_from(film: bytes) -> float:
    """The second at which there is something to be heard."""
    file: Any
    with av.open(io.BytesIO(film)) as file:
        for frame in file.decode(file.streams.audio[0]):
            wave = np.abs(frame.to_ndarray().astype(float) / (1 if "flt" in frame.format.name else 2**15))
            if len(heard := np.flatnonzero(wave.max(axis=0) > 0.1)):
                return float(frame.time + int(heard[0]) / frame.sample_rate)
    return math.nan


@pytest.mark.parametrize(
    ("name", "video", "sound", "shown_from", "heard_from"),
    [
        ("begins-later.mp4", "libx264", "aac", 0.4, 0), ("begins-later.webm", "libvpx-vp9", "libopus", 0.4, 0),
        ("begins-at-two.mkv", "mpeg4", "pcm_s16le", 2, 2), ("begins-at-half.mpg", "mpeg1video", "mp2", 0, 0),
        ("sound-later.mp4", "libx264", "aac", 0, 0.3),
    ],
)  # fmt: skip
async def test_the_sound_keeps_step_with_the_pictures_whenever_these_begin(  # noqa: PLR0917
    name: str, video: str, sound: str, shown_from: float, heard_from: float, tmp_path: Path
) -> None:
    data = clip(tmp_path / name, video, sound, 1, shown_from, heard_from, quiet=0.5).read_bytes()
    for kind in get_args(VideoKind):
        taken = await take_in_video(data, name, 5, VIDEO, kind)
        film = video_file([Image.new("RGB", (64, 48))] * 5, [200] * 5, kind, taken.sound)
        assert abs(loud_from(film) - 0.5) < 0.03


async def test_a_sound_is_cut_where_the_first_picture_begins_and_not_at_its_next_frame(tmp_path: Path) -> None:
    data = clip(tmp_path / "a.mkv", "mpeg4", "flac", 1, 0.03).read_bytes()  # whose frames take a tenth of a second
    for kind in get_args(VideoKind):
        taken = await take_in_video(data, "a.mkv", 5, VIDEO, kind)
        assert loud_from(video_file([Image.new("RGB", (64, 48))] * 5, [200] * 5, kind, taken.sound)) < 0.03


async def test_of_a_sound_that_ends_before_the_first_picture_nothing_is_left(tmp_path: Path) -> None:
    data = clip(tmp_path / "a.mkv", "mpeg4", "aac", 1, 5).read_bytes()
    early: Any
    with av.open(io.BytesIO(data)) as early, av.open(tmp_path / "cut.mkv", "w") as cut:
        own = {stream: cut.add_stream_from_template(stream) for stream in early.streams}
        for packet in early.demux():
            if packet.dts is not None and (packet.stream.type == "video" or packet.pts * packet.time_base < 1):
                packet.stream = own[packet.stream]
                cut.mux(packet)
    taken = await take_in_video((tmp_path / "cut.mkv").read_bytes(), "cut.mkv", 5, VIDEO)
    assert (taken.frames, taken.sound) == (5, b"")


async def test_the_pictures_of_a_video_that_does_not_tell_its_length_are_as_large(tmp_path: Path) -> None:
    """As browsers record it."""
    file: Any
    with av.open(tmp_path / "live.webm", "w", options={"live": "1"}) as file:
        stream: Any = file.add_stream("libvpx-vp9", rate=5)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(5):
            picture = from_image(frame_at(number * 5).resize((1280, 720)))
            picture.pts, picture.time_base = number, Fraction(1, 5)
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    with av.open(tmp_path / "live.webm") as file:
        assert file.duration is None
    taken = await take_in_video((tmp_path / "live.webm").read_bytes(), "live.webm", 5, VIDEO)
    assert (taken.width, taken.height, taken.frames) == (1280, 720, 5)


async def test_what_videos_are_not_taken(tmp_path: Path) -> None:
    long = clip(tmp_path / "long.mp4", sound="", seconds=9).read_bytes()
    for data, fps, said in (
        (
            long,
            25,
            "long.mp4 is longer than 8 s, and a film may have 200 pictures at most, here 25 a second: give a lower",
        ),
        (long[: len(long) // 2], 5, "long.mp4 is no video that I can read, or is damaged: save it again as MP4."),
        (b"", 5, "long.mp4 is no video that I can read, or is damaged: save it again as MP4."),
    ):
        with pytest.raises(BadPicture) as refused:
            await take_in_video(data, "long.mp4", fps, VIDEO)
        assert str(refused.value).startswith(said)


def test_where_a_film_leaves_equal_frames_out_those_before_are_shown_for_longer(tmp_path: Path) -> None:
    recipe = preset("fine", weights="random", size=64, iterations=12, frames=3, frame_iterations=2, snapshots=())
    shown = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    shown[0].save(tmp_path / "film.webp", save_all=True, append_images=shown[1:], duration=[400, 200])
    (tmp_path / "film.mp4").write_bytes(painted_video(tmp_path, recipe, "mp4", b""))
    moments, frames, _ = read(tmp_path / "film.mp4")
    assert moments == [0, 0.4, 0.599]  # the last one is shown twice
    assert [frame.getpixel((9, 9))[0] > 200 for frame in frames] == [True, False, False]  # type: ignore[index]


def test_for_their_times_no_frames_of_the_content_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = preset("fine", weights="random", size=64, iterations=12, frames=3, frame_iterations=2, snapshots=())
    contents = [Image.new("RGB", (64, 48), (number, 0, 0)) for number in range(3)]
    contents[0].save(tmp_path / "content.png", save_all=True, append_images=contents[1:], duration=[400, 200, 100])
    for end, colour in zip(recipe.frame_ends, ("red", "blue", "green"), strict=True):
        Image.new("RGB", (64, 48), colour).save(tmp_path / f"{end:05d}.png")
    convert, converted = Image.Image.convert, []

    def counted(self: Image.Image, *how: Any, **more: Any) -> Image.Image:
        converted.append(Path(getattr(self, "filename", "")).name)
        return convert(self, *how, **more)

    monkeypatch.setattr(Image.Image, "convert", counted)
    (tmp_path / "film.mp4").write_bytes(painted_video(tmp_path, recipe, "mp4", b""))
    assert [name for name in converted if name] == [f"{end:05d}.png" for end in recipe.frame_ends]
    moments, frames, _ = read(tmp_path / "film.mp4")
    assert moments == [0, 0.4, 0.6, 0.699]
    assert [frame.getpixel((9, 9))[0] > 200 for frame in frames] == [True, False, False, False]  # type: ignore[index]
