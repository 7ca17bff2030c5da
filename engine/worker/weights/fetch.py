"""Fetching the one file that Impasto needs from outside, torchvision's pretrained VGG19, at one go or several."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import queue
import re
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

_CHUNK = 1 << 20


class FetchError(Exception):
    """A download that cannot succeed; the text is a clause without capital or full stop."""


@dataclass(frozen=True)
class Source:
    """Where a file is, and how its bytes are known to be the right ones."""

    url: str
    sha256_prefix: str
    """The first hex digits of the file's SHA-256, lower case."""
    patience: float = 30.0
    """Seconds until the server must have begun its answer, looking up its name included."""
    stall: float = 30.0
    """Seconds that a transfer under way may stand still."""

    @property
    def filename(self) -> str:
        """The last part of the address, such as `vgg19-0123abcd.pth`."""
        return urlsplit(self.url).path.rpartition("/")[2]


def torchvision_source() -> Source:
    """The pretrained VGG19 as the installed torchvision names it; the hash is a part of the file's name."""
    url = _url_without_import() or _url()
    return Source(url, PurePosixPath(url).stem.rpartition("-")[2])


def _url_without_import() -> str | None:
    """The address as torchvision's source states it: importing it takes longer than `auto` may hesitate."""
    spec = importlib.util.find_spec("torchvision")
    modules = [Path(folder, "models", "vgg.py") for folder in (spec and spec.submodule_search_locations) or ()]
    text = "".join(module.read_text(encoding="utf-8") for module in modules if module.is_file())
    found = re.search(r"https://[^\s\"]+/vgg19-[0-9a-f]{8,}\.pth", text)
    return found[0] if found else None


def _url() -> str:
    from torchvision.models import VGG19_Weights  # noqa: PLC0415  it takes seconds, and is seldom needed

    url: str = VGG19_Weights.IMAGENET1K_V1.url
    return url


def fetch(source: Source, into: BinaryIO, *, progress: bool = True) -> None:
    """Completes the source's file in `into`, which may hold the beginning of it from a download that broke off.

    Size and hash are checked at the end: unless this returns, what `into` holds must not be used. A beginning that
    turns out to be of another file is thrown away, and all is fetched.
    Raises `FetchError` for the network's faults, `OSError` where `into` cannot be written.
    """
    begun = into.seek(0, os.SEEK_END)
    if matches(source, _complete(source, into, progress=progress)):
        return
    into.truncate(0)
    if begun and matches(source, _complete(source, into, progress=progress)):
        return
    into.truncate(0)
    raise FetchError("what was downloaded is not the pretrained VGG19 (its sha256 is another)")


def _complete(source: Source, into: BinaryIO, *, progress: bool) -> str:
    """Fetches what is missing; the SHA-256 (hex) of the whole."""
    into.seek(0)
    begun = hashlib.file_digest(into, "sha256")  # type: ignore[arg-type]  # typeshed wants a reader it does not name
    if (have := into.tell()) and matches(source, begun.hexdigest()):
        return str(begun.hexdigest())
    with _open(source, have) as response, _bar(show=progress) as bar:
        digest = begun
        if not _goes_on(response, have):  # a server that knows no ranges sends all of it
            into.truncate(0)
            have, digest = into.seek(0), hashlib.sha256()
        total = None if response.length is None else have + response.length
        task = bar.add_task("pretrained VGG19", total=total, completed=have)
        for chunk in _chunks(response):
            into.write(chunk)
            into.flush()
            digest.update(chunk)
            bar.advance(task, len(chunk))
    return str(digest.hexdigest())


def _goes_on(response: HTTPResponse, have: int) -> bool:
    return response.status == HTTPStatus.PARTIAL_CONTENT and f"bytes {have}-" in response.headers.get(
        "Content-Range", ""
    )


def matches(source: Source, sha256: str) -> bool:
    """Whether a file with this SHA-256 (hex) is the source's."""
    return sha256.startswith(source.sha256_prefix)


def _open(source: Source, have: int) -> HTTPResponse:
    """The server's answer, within the source's patience whatever hangs; for what comes after the first `have` bytes.

    In a thread of its own, because no time-out reaches a name lookup; a daemon, so that one which hangs for
    ever does not keep the program from ending.
    """
    answers: queue.SimpleQueue[HTTPResponse | Exception] = queue.SimpleQueue()

    def ask() -> None:
        headers = {"User-Agent": "impasto"} | ({"Range": f"bytes={have}-"} if have else {})
        request = urllib.request.Request(source.url, headers=headers)  # noqa: S310  torchvision's
        try:
            answers.put(urllib.request.urlopen(request, timeout=source.stall))  # noqa: S310
        except Exception as error:  # it is raised again below, where someone listens
            answers.put(error)

    threading.Thread(target=ask, name="weights-download", daemon=True).start()
    try:
        answer = answers.get(timeout=source.patience)
    except queue.Empty:
        raise FetchError("the pretrained VGG19 could not be reached") from None
    if isinstance(answer, HTTPError):
        answer.close()
        if have and answer.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # it is no beginning of that file
            return _open(source, 0)
        raise FetchError(f"the server of the pretrained VGG19 answered {answer.code} {answer.reason}")
    if isinstance(answer, Exception):
        raise FetchError("the pretrained VGG19 could not be reached") from answer
    return answer


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    """The body. A generator, so that the network's `OSError`s are told from those of the disk."""
    try:
        while chunk := response.read(_CHUNK):
            yield chunk
    except TimeoutError as error:
        raise FetchError("the download of the pretrained VGG19 came to a standstill") from error
    except (OSError, HTTPException) as error:
        raise FetchError("the download of the pretrained VGG19 broke off") from error
    # http.client takes an early end for the end; only what it still expects gives it away.
    if response.length:
        raise FetchError("the download of the pretrained VGG19 broke off")


def _bar(*, show: bool) -> Progress:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not (show and console.is_terminal))
