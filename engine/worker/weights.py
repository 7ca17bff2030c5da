"""The weights: the pretrained VGG19, a file of the user's, or what stands in for it, our own or random ones."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

import safetensors.torch

from engine.worker.download import DownloadError, Source, fetch, matches, torchvision_source
from engine.worker.weights_file import CONVS, Convs, WeightsError, check, digest, load_convs, named, unpickle, why

CACHE_NAME = "vgg19-imagenet.safetensors"
# `auto` decides within 5 s; one of them is for all that is not the network.
_AUTO_PATIENCE = 4.0
STARTER = Path(__file__).with_name("starter.safetensors")
"""Our own weights (docs/starter.md), which every worker has."""
STARTER_CONVS = CONVS[:9]
"""What they hold: conv1_1 to conv4_1."""


@dataclass(frozen=True)
class Weights:
    """The weights of one network. Two are equal when their identities are; the tensors are not compared."""

    name: str
    """What a recipe calls them: `imagenet`, `starter`, `random`, or `sha256:<16 hex digits>` of a file's tensors."""
    identity: str
    """The name, and for `imagenet` and `starter` the hash of the tensors too."""
    convs: Convs | None = field(compare=False, repr=False)
    """conv1_1 to conv5_4, of `starter` to conv4_1: weight (out, in, 3, 3) and bias (out,), float32, on the CPU. None
    for `random`: the paint floor draws those from a fixed seed."""
    stand_in: bool = False
    """Whether they stand in for the pretrained ones."""
    note: str = ""
    """One sentence on why a stand-in was used; empty for others."""


def load_weights(choice: str, cache: Path, *, source: Source | None = None, progress: bool = True) -> Weights:
    """The weights called `imagenet`, `starter`, `random`, `auto`, or those in the file at the path `choice`.

    `imagenet` comes from `cache`, else from torchvision's server, and then stays in `cache`; torchvision's
    file, put into `cache` by hand, serves as well. A damaged cache is fetched anew. `auto` is `imagenet`
    where that can be had and `starter` where not; whether the server answers is decided within 5 s.
    `source` takes the place of torchvision's server; `progress` shows a bar on stderr if that is a terminal.

    Raises `WeightsError`, but never for `starter`, `random` and `auto`.
    """
    if choice == "random":
        note = "Painted with random stand-in weights, as asked."
        return Weights("random", "random", None, stand_in=True, note=note)
    if choice == "starter":
        return _starter("Painted with our small starter network, as asked.")
    if choice == "imagenet":
        return _imagenet(cache, source, progress=progress)
    if choice == "auto":
        try:
            return _imagenet(cache, source, progress=progress, patience=_AUTO_PATIENCE)
        except WeightsError as error:
            return _starter(f"Painted with our small starter network: {error.reason}.")
    convs = load_convs(Path(choice))[0]
    name = f"sha256:{digest(convs)[:16]}"
    return Weights(name, name, convs)


def _starter(note: str) -> Weights:
    convs, sha256 = _shipped()
    return Weights("starter", f"starter sha256:{sha256[:16]}", convs, stand_in=True, note=note)


@cache
def _shipped() -> tuple[Convs, str]:
    convs = load_convs(STARTER, STARTER_CONVS)[0]
    return convs, digest(convs)


def _imagenet(cache: Path, source: Source | None, *, progress: bool, patience: float = math.inf) -> Weights:
    weights = _cached(cache / CACHE_NAME)
    if weights is None:
        source = source or torchvision_source()
        source = dataclasses.replace(source, patience=min(source.patience, patience))
        weights = _fetched(cache, source, progress=progress)
    return weights


def _pretrained(convs: Convs, sha256: str) -> Weights:
    return Weights("imagenet", f"imagenet sha256:{sha256[:16]}", convs)


def _cached(path: Path) -> Weights | None:
    """What the cache holds; None where it holds nothing, or nothing that can be trusted."""
    try:
        convs, metadata = load_convs(path)
    except WeightsError:
        return None
    sha256 = digest(convs)
    return _pretrained(convs, sha256) if metadata.get("sha256") == sha256 else None


def _fetched(cache: Path, source: Source, *, progress: bool) -> Weights:
    """The convolutions from torchvision's file, which are in the cache from now on."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _original(cache, source, progress=progress) as file:
            convs = check(unpickle(file, source.filename), source.filename)
        sha256 = digest(convs)
        _keep(convs, sha256, cache / CACHE_NAME)
    except DownloadError as error:
        remedy = f"try again, or put {source.filename} (from {source.url}) into {cache}"
        raise WeightsError(str(error), remedy) from error
    except OSError as error:
        remedy = "make room there, or choose a cache folder that can be written"
        raise WeightsError(f"the cache folder {cache} cannot be used ({why(error)})", remedy) from error
    return _pretrained(convs, sha256)


@contextmanager
def _original(cache: Path, source: Source, *, progress: bool) -> Iterator[BinaryIO]:
    """Torchvision's file, its hash verified: the one put into the cache by hand, else downloaded."""
    placed = cache / source.filename
    if placed.is_file():
        with placed.open("rb") as file:
            if not matches(source, hashlib.file_digest(file, "sha256").hexdigest()):
                raise DownloadError(f"the file {placed} is not the pretrained VGG19 (its sha256 is another)")
            file.seek(0)
            yield file
        return
    # Nameless: half a gigabyte that not even a kill leaves behind, and that no other process can meet.
    with tempfile.TemporaryFile(dir=cache) as file:
        fetch(source, cast(BinaryIO, file), progress=progress)
        file.seek(0)
        yield cast(BinaryIO, file)


def _keep(convs: Convs, sha256: str, path: Path) -> None:
    """Writes the cache so that it is there whole or not at all, whatever else writes or dies meanwhile."""
    tensors = {f"{name}.{kind}": t for name, pair in convs.items() for kind, t in named(pair)}
    content = safetensors.torch.save(tensors, metadata={"sha256": sha256})
    # Opened by hand, since tempfile's 0600 would keep other users of a shared cache out.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
