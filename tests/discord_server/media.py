"""Uploaded files: what Discord says of them, and signed addresses that expire."""

from __future__ import annotations

import hashlib
import hmac
import io
import mimetypes
import re
import secrets
import unicodedata
import warnings
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from PIL import Image

from discord_server.clock import Clock
from discord_server.codes import AttachmentFlag
from discord_server.entities import Attachment

Json = dict[str, Any]

URL_LIFE_S = 24 * 3600
EPHEMERAL_LIFE_S = 15 * 60


@dataclass(frozen=True)
class Upload:
    """One file part of a request. `index` is n of `files[n]`."""

    index: int
    filename: str
    data: bytes
    spoiler: bool = False
    """Covered by the person who sends it."""


def image_size(data: bytes) -> tuple[int | None, int | None]:
    """Width and height in pixels; nothing for what is no picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                return image.size
    except Exception:
        return None, None


def cleaned(filename: str) -> str:
    """The name that Discord keeps: ASCII letters, digits, dots, dashes, underscores.

    A name of which nothing is left is made up.
    """
    stem, dot, ending = filename.rpartition(".") if "." in filename[1:] else (filename, "", "")
    made_up = hashlib.sha256(filename.encode()).hexdigest()[:16]
    return (_plain(stem) or made_up) + dot + _plain(ending)


def _plain(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]", "", re.sub(r"\s+", "_", ascii_text)).strip("._")


def title_of(filename: str) -> str | None:
    """What Discord keeps of a name that it had to change."""
    return None if cleaned(filename) == filename else filename.rpartition(".")[0] or filename


class Media:
    """All files, and the key that signs their addresses."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._key = clock, secrets.token_bytes(16)
        self._files: dict[int, Attachment] = {}
        self.base_url = ""

    def keep(self, upload: Upload, channel_id: int, ephemeral: bool = False) -> Attachment:
        """Stores an upload. An option's or a modal's is `ephemeral`."""
        guess, _ = mimetypes.guess_type(upload.filename)
        width, height = image_size(upload.data)
        attachment = Attachment(
            id=self._clock.snowflake(),
            channel_id=channel_id,
            filename=cleaned(upload.filename),
            data=upload.data,
            content_type=guess,
            title=title_of(upload.filename),
            flags=AttachmentFlag.IS_SPOILER if upload.spoiler else 0,
            width=width,
            height=height,
            expires_at=self._clock.now() + EPHEMERAL_LIFE_S if ephemeral else None,
        )
        self._files[attachment.id] = attachment
        return attachment

    def find(self, attachment_id: int) -> Attachment | None:
        return self._files.get(attachment_id)

    def url(self, attachment: Attachment) -> str:
        """Signed; works for a day, an ephemeral attachment's for 15 minutes after its upload."""
        folder = "attachments" if attachment.expires_at is None else "ephemeral-attachments"
        path = f"{folder}/{attachment.channel_id}/{attachment.id}/{quote(attachment.filename)}"
        issued = int(self._clock.now())
        expires = int(attachment.expires_at or issued + URL_LIFE_S)
        query = f"ex={expires:x}&is={issued:x}&hm={self._sign(attachment.id, expires, issued)}"
        return f"{self.base_url}/{path}?{query}"

    def fetch(self, attachment_id: int, ex: str, issued: str, hm: str) -> Attachment | None:
        """What a signed address leads to; nothing when it is expired or not ours."""
        try:
            expires, issued_at = int(ex, 16), int(issued, 16)
        except ValueError:
            return None
        if not hmac.compare_digest(hm, self._sign(attachment_id, expires, issued_at)):
            return None
        return self._files.get(attachment_id) if self._clock.now() < expires else None

    def _sign(self, attachment_id: int, expires: int, issued: int) -> str:
        text = f"{attachment_id}.{expires}.{issued}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def described(self, attachment: Attachment) -> Json:
        """As in a message's `attachments`."""
        url = self.url(attachment)
        described: Json = {
            "id": str(attachment.id),
            "filename": attachment.filename,
            "size": attachment.size,
            "url": url,
            "proxy_url": url,
        }
        optional = {
            "content_type": attachment.content_type,
            "title": attachment.title,
            "flags": attachment.flags or None,
        }
        described |= {key: value for key, value in optional.items() if value is not None}
        if attachment.width is not None:
            described |= {"width": attachment.width, "height": attachment.height}
        if attachment.description is not None:
            described["description"] = attachment.description
        if attachment.expires_at is not None:
            described["ephemeral"] = True
        return described

    def unfurled(self, attachment: Attachment) -> Json:
        """As in a media component's `media` or `file`."""
        url = self.url(attachment)
        return {
            "id": str(attachment.id),
            "url": url,
            "proxy_url": url,
            "width": attachment.width,
            "height": attachment.height,
            "content_type": attachment.content_type,
            "attachment_id": str(attachment.id),
            "loading_state": 2,
            "flags": 0,
        }
