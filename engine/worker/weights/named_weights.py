"""The weights: the pretrained VGG19, a file of the user's, or what stands in for it, our own or random ones."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
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
from typing import BinaryIO, Literal, cast

import safetensors.torch

from engine.contract.settings import WEIGHTS_CACHED
from engine.painting.network.vgg import Convs, architecture
from engine.worker.weights.fetch import FetchError, Source, fetch, matches, torchvision_source
from engine.worker.weights.input_normalisation import IN_WORDS, Input
from engine.worker.weights.weights_file import (
    Loaded,
    WeightsError,
    WrongWeights,
    check,
    digest,
    load_file,
    named,
    unpickle,
    why,
)

# `auto` decides within 5 s; one of them is for all that is not the network.
_AUTO_PATIENCE = 4.0
_PASSING = (
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EMFILE, errno.ENFILE,
    errno.ENOMEM, errno.ENOLCK,
)  # fmt: skip
"""Errors of files and folders that may pass by themselves."""
STARTER = Path(__file__).with_name("starter.safetensors")
"""Our own weights (docs/starter.md), which every worker has."""


@dataclass(frozen=True)
class Weights:
    """The weights of one network. Two are equal when their identities are; the tensors are not compared."""

    name: str
    """What a recipe calls them: `imagenet`, `starter`, `random`, or `sha256:<16 hex digits>` of a file's tensors."""
    identity: str
    """The name, and for `imagenet` and `starter` the hash of the tensors too."""
    convs: Convs | None = field(compare=False, repr=False)
    """What there is of conv1_1 to conv5_4: weight (out, in, 3, 3) and bias (out,), float32, on the CPU; for
    torchvision's input. None for `random`: the painter draws those from a fixed seed."""
    stand_in: bool = False
    """Whether they stand in for the pretrained ones."""
    note: str = ""
    """One sentence for the audience: why a stand-in was used, or what a file's weights were taken for; or nothing."""
    input: Input = field(default="torchvision", compare=False)
    """What the file's own tensors expect; Caffe's were converted when they were read."""

    @property
    def network(self) -> str:
        """The architecture, as `Recipe.network` has it; `random` can have any layer of VGG19."""
        return "vgg19" if self.convs is None else architecture(self.convs)


def load_weights(
    choice: str, cache: Path, *, input_: Input | Literal["auto"] = "auto", source: Source | None = None,
    progress: bool = True,
) -> Weights:  # fmt: skip
    """The weights called `imagenet`, `starter`, `random`, `auto`, or those in the file at the path `choice`.

    `imagenet` comes from `cache`, else from torchvision's server, and then stays in `cache`; torchvision's
    file, put into `cache` by hand, serves as well. A damaged cache is fetched anew, and a download that broke off is
    gone on with. `auto` is `imagenet` where that can be had and `starter` where not; whether the server answers is
    decided within 5 s. `input_` is what a file's weights expect, where somebody knows it better than their numbers
    tell. `source` takes the place of torchvision's server; `progress` shows a bar on stderr if that is a terminal.

    Raises `WeightsError`, but never for `starter`, `random` and `auto`; `WrongWeights` where a file at `choice`, or the
    folder `cache`, will not do.
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
    loaded = load_asked(Path(choice), input_)
    name = f"sha256:{digest(loaded.convs)[:16]}"
    note = f"Painted with weights from a file, taken for a network with {IN_WORDS[loaded.input]}."
    return Weights(name, name, loaded.convs, note=note, input=loaded.input)


def load_asked(path: Path, input_: Input | Literal["auto"]) -> Loaded:
    """The file that somebody asked for. Raises `WrongWeights` where it will not do, else `WeightsError`."""
    try:
        return load_file(path, input_)
    except WeightsError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _PASSING:
            raise
        raise WrongWeights(error.reason, error.remedy) from error


def in_words(weights: Weights) -> str:
    """Which weights these are, for an operator: a file's input, and what to do where they are stand-ins."""
    words = f"{weights.identity} weights"
    if weights.stand_in:
        return f"{words}, a stand-in: `impasto weights fetch` gets the pretrained ones"
    return words if weights.name == "imagenet" else f"{words}, a file with {IN_WORDS[weights.input]}"


def _starter(note: str) -> Weights:
    convs, sha256 = _shipped()
    return Weights("starter", f"starter sha256:{sha256[:16]}", convs, stand_in=True, note=note)


@cache
def _shipped() -> tuple[Convs, str]:
    convs = load_file(STARTER, "torchvision").convs
    return convs, digest(convs)


def _imagenet(cache: Path, source: Source | None, *, progress: bool, patience: float = math.inf) -> Weights:
    weights = cached(cache)
    if weights is None:
        source = source or torchvision_source()
        source = dataclasses.replace(source, patience=min(source.patience, patience))
        weights = _fetched(cache, source, progress=progress)
    return weights


def _pretrained(convs: Convs, sha256: str) -> Weights:
    return Weights("imagenet", f"imagenet sha256:{sha256[:16]}", convs)


def cached(cache: Path) -> Weights | None:
    """The pretrained weights in the cache folder; None where it holds none, or none that can be trusted."""
    try:
        loaded = load_file(cache / WEIGHTS_CACHED, "torchvision")
    except WeightsError:
        return None
    sha256 = digest(loaded.convs)
    return _pretrained(loaded.convs, sha256) if loaded.metadata.get("sha256") == sha256 else None


def partial_download(cache: Path, source: Source | None = None) -> Path:
    """Where a download that broke off is kept, if there is one."""
    return cache / f"{(source or torchvision_source()).filename}.partial"


def _fetched(cache: Path, source: Source, *, progress: bool) -> Weights:
    """The convolutions from torchvision's file, which are in the cache from now on."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _original(cache, source, progress=progress) as file:
            convs = check(unpickle(file, source.filename), source.filename)
        sha256 = digest(convs)
        _keep(convs, sha256, cache / WEIGHTS_CACHED)
    except FetchError as error:
        remedy = f"try again with `impasto weights fetch`, or put {source.filename} (from {source.url}) into {cache}"
        raise WeightsError(str(error), remedy) from error
    except OSError as error:
        remedy = "make room there, or set IMPASTO_CACHE to a folder that can be written in"
        kind = WeightsError if error.errno in _PASSING else WrongWeights
        raise kind(f"the cache folder {cache} cannot be used ({why(error)})", remedy) from error
    return _pretrained(convs, sha256)


@contextmanager
def _original(cache: Path, source: Source, *, progress: bool) -> Iterator[BinaryIO]:
    """Torchvision's file, its hash verified: the one put into the cache by hand, else downloaded."""
    if (cache / source.filename).is_file():
        with placed_by_hand(cache, source) as file:
            yield file
        return
    with _begun(partial_download(cache, source)) as file:
        fetch(source, file, progress=progress)
        file.seek(0)
        yield file


@contextmanager
def placed_by_hand(cache: Path, source: Source) -> Iterator[BinaryIO]:
    """Torchvision's file, put into the cache by hand. Raises `FetchError` where it is another, and `OSError`."""
    placed = cache / source.filename
    with placed.open("rb") as file:
        if not matches(source, hashlib.file_digest(file, "sha256").hexdigest()):
            raise FetchError(f"the file {placed} is not the pretrained VGG19 (its sha256 is another)")
        file.seek(0)
        yield file


@contextmanager
def _begun(path: Path) -> Iterator[BinaryIO]:
    """The file of a download that broke off, or a new one; it stays only where that breaks off again.

    Where another process is at it, or locks cannot be had: a nameless one, which no other process can meet.
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with tempfile.TemporaryFile(dir=path.parent) as own:
                yield cast(BinaryIO, own)
            return
        keep = False
        try:
            yield file
        except (FetchError, KeyboardInterrupt):
            keep = os.fstat(file.fileno()).st_size > 0
            raise
        finally:
            if not keep:
                path.unlink(missing_ok=True)


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
