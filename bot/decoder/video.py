"""One video: bytes on standard input, an answer on standard output.

Arguments: the `Limits`, as JSON; how many frames a second are wanted; `mp4` or `webm`. The answer: one line of JSON,
then, if that line holds no "refusal", the frames as an animated RGB PNG, and after that as many bytes as it tells of
sound, in a file of the wanted kind.
"""

from __future__ import annotations

import io
import json
import math
import sys
import warnings
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import av
import av.subtitles.codeccontext
import av.subtitles.stream
import av.subtitles.subtitle  # these three av itself imports only when they are needed, which the sandbox forbids
from PIL import Image, PngImagePlugin  # noqa: F401  # the latter is wanted for writing

from bot.decoder.decode import animated, sentence_for
from bot.decoder.refusal import Refusal
from bot.decoder.sandbox import give_up_rights
from bot.decoder.scaled_size import allowed, check_shape

if TYPE_CHECKING:
    from bot.decoder.picture_limits import Limits

SOUND = {"mp4": (("aac", "mp3"), "aac"), "webm": (("opus", "vorbis"), "libopus")}
"""By kind of file: what goes into it as it is, and what all else is encoded as."""


def main() -> None:
    """Answer for the video on standard input; the process ends well whatever that is."""
    warnings.simplefilter("ignore")
    limits = cast("Limits", SimpleNamespace(**json.loads(sys.argv[1])))
    av.logging.set_level(av.logging.PANIC)
    Image.preinit()
    give_up_rights(limits, threads=True)
    data = sys.stdin.buffer.read()
    try:
        answer, *blobs = taken(data, limits, float(sys.argv[2]), sys.argv[3])
    except Refusal as refusal:
        answer, blobs = {"refusal": str(refusal), "why": "refused"}, []
    except Exception as error:  # a broken video can raise anything
        what = sentence_for(error, limits) if isinstance(error, MemoryError) else BROKEN
        answer, blobs = {"refusal": what, "why": f"{type(error).__name__}: {error}"[:300]}, []
    sys.stdout.buffer.write(b"".join([json.dumps(answer).encode(), b"\n", *blobs]))
    sys.stdout.buffer.flush()


BROKEN = "is no video that I can read, or is damaged: save it again as MP4."


def taken(data: bytes, limits: Limits, fps: float, kind: str) -> tuple[dict[str, Any], bytes, bytes]:
    """The answer, the animated PNG, and the sound. Raises `Refusal`, or whatever PyAV and Pillow raise."""
    container: Any
    with av.open(io.BytesIO(data)) as container:
        if not container.streams.video:
            raise Refusal("holds no moving pictures: give me a video, or a picture.")
        frames: list[Image.Image] = []
        starts: list[float] = []
        size: tuple[int, int] | None = None
        for start, frame in sampled(container, fps):
            if size is None:
                size = frame.size
                check_shape(size, limits)
                target = allowed(size, limits, expected(container, data, fps, limits.max_frames))
            if len(frames) == limits.max_frames:
                if limits.max_frames == 1:
                    break
                raise Refusal(
                    f"is longer than {limits.max_frames / fps:.3g} s, and a film may have {limits.max_frames} pictures "
                    f"at most, here {fps:g} a second: give a lower --fps, or a part of it."
                )
            frames.append(frame.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0))
            starts.append(start)
    if size is None:
        raise Refusal(BROKEN)
    moments = [round(1000 * (start - starts[0])) for start in starts]
    times = [
        after - before for before, after in zip(moments, [*moments[1:], moments[-1] + round(1000 / fps)], strict=True)
    ]
    png, kept = animated(frames, times)
    sound = sound_of(data, kind, starts[0]) if limits.max_frames > 1 else b""
    width, height = frames[0].size
    sizes = {"width": width, "height": height, "original_width": size[0], "original_height": size[1]}
    return sizes | {"frames": kept, "sound": len(sound)}, png, sound


def expected(container: Any, data: bytes, fps: float, most: int) -> int:
    """About how many frames there will be; `container` is the video of these bytes, opened."""
    if most == 1:
        return most
    seconds = float(container.duration / av.time_base) if container.duration else length_of(data)
    return max(1, min(most, math.ceil(seconds * fps)))


def length_of(data: bytes) -> float:
    """Seconds of a video that does not tell them, as browsers record it: by its moments, without what is shown then."""
    container: Any
    with av.open(io.BytesIO(data)) as container:
        packets = container.demux(container.streams.video[0])
        moments = [float(packet.pts * packet.time_base) for packet in packets if packet.pts is not None]
    return max(moments) - min(moments)


def sampled(container: Any, fps: float) -> Iterator[tuple[float, Image.Image]]:
    """Upright frames with square pixels, at most `fps` a second, each with the file's moment it is shown at, in s."""
    stream = container.streams.video[0]
    first, wanted, near = None, 0.0, 0.5 / float(stream.average_rate or 100)
    for frame in container.decode(stream):
        moment = float(frame.time or 0.0)
        first = moment if first is None else first
        if (now := moment - first) < wanted - near:
            continue
        wanted = max(wanted + 1 / fps, now)
        picture = frame.to_image()
        ratio = float(stream.sample_aspect_ratio or 1)
        if ratio not in (0.0, 1.0):
            picture = picture.resize((max(1, round(picture.width * ratio)), picture.height))
        if frame.rotation:
            picture = picture.rotate(frame.rotation, expand=True)
        yield moment, picture


def sound_of(data: bytes, kind: str, first: float) -> bytes:
    """The first sound in a file of this kind, as it was where that can hold it; empty where there is none.

    It begins with the `first` picture, whose moment in seconds that is: there are files whose pictures begin late, or
    whose moments don't count from 0.
    """
    container: Any
    with av.open(io.BytesIO(data)) as container:
        if not container.streams.audio:
            return b""
        stream, out, heard = container.streams.audio[0], io.BytesIO(), False
        as_it_is, codec = SOUND[kind]
        with av.open(out, "w", format=kind) as written:
            if stream.codec_context.name in as_it_is:
                copy = written.add_stream_from_template(stream)
                for packet in moved((one for one in container.demux(stream) if one.dts is not None), first):
                    packet.stream, heard = copy, True
                    written.mux(packet)
            else:
                encoder: Any = written.add_stream(codec, rate=stream.codec_context.sample_rate)
                for frame in moved(container.decode(stream), first):
                    heard = True
                    written.mux(encoder.encode(frame))
                written.mux(encoder.encode(None))
        return out.getvalue() if heard else b""


def moved(pieces: Iterable[Any], first: float) -> Iterator[Any]:
    """Packets or frames of a sound, so much earlier, in seconds, without those that come before 0 by it.

    What was there before 0 already, for a decoder to begin with, may be as early again.
    """
    earliest: int | None = None
    for piece in pieces:
        if piece.pts is not None:
            earliest = min(0, piece.pts) if earliest is None else earliest
            shift = round(first / piece.time_base)
            piece.pts -= shift
            if piece.dts is not None and isinstance(piece, av.Packet):
                piece.dts -= shift
            if piece.pts < earliest and isinstance(piece, av.Packet):
                continue
            if piece.pts < earliest and (piece := later_part(piece, earliest)) is None:
                continue
        yield piece


def later_part(frame: Any, moment: int) -> Any:
    """What there is of a sound's frame from this moment on, in units of its time base; None where it has ended."""
    samples = round((moment - frame.pts) * frame.time_base * frame.sample_rate)
    if samples >= frame.samples:
        return None
    wide = frame.format.bytes * (1 if frame.format.is_planar else frame.layout.nb_channels)
    part = av.AudioFrame(frame.format.name, frame.layout.name, frame.samples - samples)
    for whole, later in zip(frame.planes, part.planes, strict=True):  # no arrays: NumPy cannot be read in the sandbox
        later.update(bytes(whole)[samples * wide : frame.samples * wide].ljust(later.buffer_size, b"\0"))
    part.sample_rate, part.time_base, part.pts = frame.sample_rate, frame.time_base, moment
    return part


if __name__ == "__main__":
    main()
