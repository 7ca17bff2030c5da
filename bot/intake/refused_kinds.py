"""What a file is, told by its first bytes and never by its name: above all, what is often sent by mistake."""

from __future__ import annotations

from bot.decoder.refusal import ACCEPTED

PICTURE_TYPES = frozenset(
    f"image/{kind}"
    for kind in ("png", "apng", "jpeg", "jpg", "webp", "gif", "bmp", "x-ms-bmp", "tiff", "avif", "heic", "heif")
)
"""Media types of what is read."""

_SAVE_IT = "save it as JPEG or PNG and send it again."
_NOT_ONE = f"send a picture instead ({ACCEPTED})."
_STILL = f"send one still picture from it ({ACCEPTED})."

_BEGINNINGS = (
    (b"%PDF", f"is a PDF document: {_SAVE_IT}"),
    (b"8BPS", f"is a Photoshop document: {_SAVE_IT}"),
    (b"\xff\x0a", f"is a JPEG XL picture: {_SAVE_IT}"),
    (b"\0\0\0\x0cJXL ", f"is a JPEG XL picture: {_SAVE_IT}"),
    (b"\0\0\0\x0cjP  ", f"is a JPEG 2000 picture: {_SAVE_IT}"),
    (b"\0\0\x01\0", f"is an icon: {_SAVE_IT}"),
    (b"PK\x03\x04", f"is a ZIP archive or an office document: {_NOT_ONE}"),
    (b"\x1f\x8b", f"is a compressed archive: {_NOT_ONE}"),
    (b"\x1a\x45\xdf\xa3", f"is a video: {_STILL}"),
    (b"FLV\x01", f"is a video: {_STILL}"),
    (b"OggS", f"is a sound or a video: {_NOT_ONE}"),
    (b"ID3", f"is a sound: {_NOT_ONE}"),
)

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def why_refused(data: bytes) -> str | None:
    """What `data` is, if it is a known kind of file that is not read here.

    The answer is a sentence without its subject ("is a PDF document: …."); None leaves the
    question to the decoder.
    """
    for beginning, saying in _BEGINNINGS:
        if data.startswith(beginning):
            return saying
    if data[4:8] == b"ftyp":
        return _iso_media(data)
    if data[:4] == b"RIFF" and data[8:12] in (b"AVI ", b"WAVE"):
        return f"is a sound or a video: {_NOT_ONE}"
    return _markup_or_text(data[:1024])


def may_be_heif(data: bytes) -> bool:
    """Whether it is a picture that a telephone saves as HEIC; it takes a library of its own to read."""
    brands = _brands(data)
    return bool(brands & _HEIF_BRANDS) and not brands & _AVIF_BRANDS


def _brands(data: bytes) -> set[bytes]:
    """AVIF, HEIC, camera raw and MP4 share one container; the brands in its first box tell them apart."""
    if data[4:8] != b"ftyp":
        return set()
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    return {box[at : at + 4] for at in range(0, len(box), 4)}


def _iso_media(data: bytes) -> str | None:
    brands = _brands(data)
    if brands & (_AVIF_BRANDS | _HEIF_BRANDS):
        return None
    if b"crx " in brands:
        return f"is a camera's raw picture: {_SAVE_IT}"
    return f"is a video: {_STILL}"


def _markup_or_text(head: bytes) -> str | None:
    # The cut may fall inside a character, so its last three bytes are not held against it.
    text = head.decode("utf-8-sig", "replace")
    start = text.lstrip().lower()
    if start.startswith(("<svg", "<?xml", "<!--", "<!doctype svg")) and "<svg" in start:
        return f"is an SVG drawing: {_SAVE_IT}"
    if start.startswith("<"):
        return f"is a web page or other markup: {_NOT_ONE}"
    if all(letter.isprintable() or letter.isspace() for letter in text) and "\ufffd" not in text[:-3]:
        return f"is plain text: {_NOT_ONE}"
    return None
