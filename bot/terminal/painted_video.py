"""Films as MP4 or WebM: a painting's short one; a video's painted frames, each as long as there, with its sound."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image, ImageSequence

from bot.intake import VideoKind
from engine.recipe.recipe import Recipe

# Not to be told from the paintings by eye.
_CODECS: dict[VideoKind, tuple[str, dict[str, str]]] = {
    "mp4": ("libx264", {"crf": "18"}),
    "webm": ("libvpx-vp9", {"crf": "22", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}),
}
_MILLISECOND = Fraction(1, 1000)


def painted_video(folder: Path, recipe: Recipe, kind: VideoKind, sound: bytes) -> bytes:
    """The film of the painting in `folder`, as a file of this kind; `sound` is one too, or empty.

    Of a painting that leaves some of the frames out, as those begun until 0.2.0 may, it is made of film.webp's.
    """
    files = [folder / f"{end:05d}.png" for end in recipe.frame_ends]
    whole = all(file.exists() for file in files)
    # What has a frame's time: a film in WebP leaves out frames that equal those before, and shows these for longer.
    with Image.open(folder / ("content.png" if whole else "film.webp")) as timed:
        frames, times = [], []
        for frame in ImageSequence.Iterator(timed):
            frames += [] if whole else [frame.convert("RGB")]  # before the time: of a WebP it is known once it is read
            times.append(round(frame.info["duration"]))
    return video_file([_opened(file) for file in files] if whole else frames, times, kind, sound)


def has_encoder() -> bool:
    """Whether PyAV is there: who makes no videos need not have it."""
    return importlib.util.find_spec("av") is not None


def video_file(frames: Sequence[Image.Image], times: Sequence[int], kind: VideoKind, sound: bytes = b"") -> bytes:
    """The frames, each for its time in ms, as a file of this kind; `sound` is one too, or empty."""
    import av  # noqa: PLC0415 - see `has_encoder`

    frame_of: Any = av.VideoFrame.from_image
    width, height = (side - side % 2 for side in frames[0].size)  # what 4:2:0 can hold
    out = io.BytesIO()
    written: Any
    with av.open(out, "w", format=kind) as written:
        codec, options = _CODECS[kind]
        video = written.add_stream(codec, rate=Fraction(1000), options=options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.time_base = video.codec_context.time_base = _MILLISECOND
        heard: Any = av.open(io.BytesIO(sound)) if sound else None
        copy = written.add_stream_from_template(heard.streams.audio[0]) if heard else None
        moment = 0
        # The last one is shown twice, or players would end with its first moment.
        for picture, time in zip([*frames, frames[-1]], [*times, 0], strict=True):
            frame = frame_of(picture.crop((0, 0, width, height)))
            frame.pts, frame.time_base = moment - (time == 0), _MILLISECOND
            written.mux(video.encode(frame))
            moment += time
        written.mux(video.encode(None))
        if heard is not None and copy is not None:
            with heard:
                for packet in heard.demux(heard.streams.audio[0]):
                    if packet.dts is not None:
                        packet.stream = copy
                        written.mux(packet)
    return out.getvalue()


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as file:
        return file.convert("RGB")
