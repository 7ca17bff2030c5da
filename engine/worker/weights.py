"""The network's weights: the pretrained VGG19, a file of the user's, or random ones that stand in for it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from engine.worker.download import DownloadError, Source, fetch, matches, torchvision_source

CACHE_NAME = "vgg19-imagenet.safetensors"
# `auto` decides within 5 s; one of them is for all that is not the network.
_AUTO_PATIENCE = 4.0

_KINDS = ("weight", "bias")
_REMEDY = "give the path of a VGG19 state dict as torchvision makes it (.pth or .safetensors)"

Convs = dict[str, tuple[Tensor, Tensor]]


class Conv(NamedTuple):
    """One 3x3 convolution of VGG19: our name, its place in torchvision's `features`, its channels."""

    name: str
    place: int
    inputs: int
    outputs: int


def _vgg19() -> Iterator[Conv]:
    place, inputs = 0, 3
    for block, (outputs, count) in enumerate(((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)), start=1):
        for number in range(1, count + 1):
            yield Conv(f"conv{block}_{number}", place, inputs, outputs)
            place, inputs = place + 2, outputs  # past its ReLU
        place += 1  # past the pooling


CONVS = tuple(_vgg19())
"""The 16 convolutions, conv1_1 to conv5_4, in the order of the network."""


class WeightsError(Exception):
    """Weights that cannot be had; `str` is one sentence: what is wrong, and what to do.

    `reason` is what is wrong alone, a clause without capital or full stop.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.reason[0].upper()}{self.reason[1:]}: {self.remedy}."


@dataclass(frozen=True)
class Weights:
    """The weights of one network. Two are equal when their identities are; the tensors are not compared."""

    name: str
    """What a recipe calls them: `imagenet`, `random`, or `sha256:<16 hex digits>` of a file's tensors."""
    identity: str
    """The name, and for `imagenet` the hash of its tensors too."""
    convs: Convs | None = field(compare=False, repr=False)
    """conv1_1 to conv5_4: weight (out, in, 3, 3) and bias (out,), float32, on the CPU. None for `random`: the
    paint floor draws those from the recipe's seed."""
    stand_in: bool = False
    """Whether they are random and stand in for trained ones."""
    note: str = ""
    """One sentence on why a stand-in was used; empty for trained weights."""


def load_weights(choice: str, cache: Path, *, source: Source | None = None, progress: bool = True) -> Weights:
    """The weights called `imagenet`, `random`, `auto`, or those in the file at the path `choice`.

    `imagenet` comes from `cache`, else from torchvision's server, and then stays in `cache`; torchvision's
    file, put into `cache` by hand, serves as well. A damaged cache is fetched anew. `auto` is `imagenet`
    where that can be had and `random` where not; whether the server answers is decided within 5 s.
    `source` takes the place of torchvision's server; `progress` shows a bar on stderr if that is a terminal.

    Raises `WeightsError`, but never for `random` and `auto`.
    """
    if choice == "random":
        return _random("Painted with random stand-in weights, as asked.")
    if choice == "imagenet":
        return _imagenet(cache, source, progress=progress)
    if choice == "auto":
        try:
            return _imagenet(cache, source, progress=progress, patience=_AUTO_PATIENCE)
        except WeightsError as error:
            return _random(f"Painted with random stand-in weights: {error.reason}.")
    convs = _load_file(Path(choice))[0]
    name = f"sha256:{_digest(convs)[:16]}"
    return Weights(name, name, convs)


def _random(note: str) -> Weights:
    return Weights("random", "random", None, stand_in=True, note=note)


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
        convs, metadata = _load_file(path)
    except WeightsError:
        return None
    sha256 = _digest(convs)
    return _pretrained(convs, sha256) if metadata.get("sha256") == sha256 else None


def _fetched(cache: Path, source: Source, *, progress: bool) -> Weights:
    """The convolutions from torchvision's file, which are in the cache from now on."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _original(cache, source, progress=progress) as file:
            convs = _check(_unpickle(file, source.filename), source.filename)
        sha256 = _digest(convs)
        _keep(convs, sha256, cache / CACHE_NAME)
    except DownloadError as error:
        remedy = f"try again, or put {source.filename} (from {source.url}) into {cache}"
        raise WeightsError(str(error), remedy) from error
    except OSError as error:
        remedy = "make room there, or choose a cache folder that can be written"
        raise WeightsError(f"the cache folder {cache} cannot be used ({_why(error)})", remedy) from error
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
    tensors = {f"{name}.{kind}": t for name, pair in convs.items() for kind, t in _named(pair)}
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


def _load_file(path: Path) -> tuple[Convs, dict[str, str]]:
    """The convolutions in a .pth or safetensors file, and the latter's metadata. Raises `WeightsError`."""
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise WeightsError(f"the path {path} is not a file", _REMEDY)
        with path.open("rb") as file:
            head = file.read(9)
            if not head:
                raise WeightsError(f"the weights file {path} is empty", _REMEDY)
            file.seek(0)
            # A safetensors file opens with eight bytes of length and then JSON.
            if head[8:] == b"{":
                found, metadata = _read_safetensors(path)
            else:
                found, metadata = _unpickle(file, str(path)), {}
    except (OSError, ValueError) as error:
        raise WeightsError(f"the weights file {path} cannot be read ({_why(error)})", _REMEDY) from error
    return _check(found, str(path)), metadata


def _read_safetensors(path: Path) -> tuple[object, dict[str, str]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise _damaged(str(path)) from error


def _unpickle(file: BinaryIO, where: str) -> object:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # garbage makes the unpickler fail in any way there is
        raise _damaged(where) from error


def _check(tensors: object, where: str) -> Convs:
    """The 16 convolutions as float32 tensors that share memory with nothing. Raises `WeightsError`."""
    if not isinstance(tensors, Mapping):
        raise _damaged(where)
    names = _names(tensors, where)
    return {
        conv.name: (
            _tensor(tensors, f"{names[conv]}.weight", (conv.outputs, conv.inputs, 3, 3), where),
            _tensor(tensors, f"{names[conv]}.bias", (conv.outputs,), where),
        )
        for conv in CONVS
    }


def _names(tensors: Mapping[Any, Any], where: str) -> dict[Conv, str]:
    """What the file calls each convolution: like the whole model, its `features` alone, or us."""
    namings = [
        {conv: f"features.{conv.place}" for conv in CONVS},
        {conv: str(conv.place) for conv in CONVS},
        {conv: conv.name for conv in CONVS},
    ]
    lacks = [[f"{n}.{kind}" for n in names.values() for kind in _KINDS if f"{n}.{kind}" not in tensors]
             for names in namings]  # fmt: skip
    best = min(range(len(namings)), key=lambda i: len(lacks[i]))
    if missing := lacks[best]:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise WeightsError(f"the weights in {where} lack {', '.join(missing[:3])}{more}", _REMEDY)
    return namings[best]


def _tensor(tensors: Mapping[Any, Any], key: str, shape: tuple[int, ...], where: str) -> Tensor:
    found = tensors[key]
    if not (isinstance(found, Tensor) and found.layout is torch.strided and found.device.type == "cpu"):
        raise WeightsError(f"the tensor {key} in {where} is not a plain tensor", _REMEDY)
    if not found.is_floating_point():
        raise WeightsError(f"the tensor {key} in {where} holds {found.dtype} and not floating point numbers", _REMEDY)
    if found.shape != shape:
        raise WeightsError(f"the tensor {key} in {where} has shape {tuple(found.shape)} and not {shape}", _REMEDY)
    # Always a copy: safetensors maps the file, and what is painted with must not change with it.
    values = found.detach().to(torch.float32, copy=True).contiguous()
    if not values.isfinite().all():
        raise WeightsError(f"the tensor {key} in {where} holds numbers that are not finite", _REMEDY)
    return values


def _named(pair: tuple[Tensor, Tensor]) -> Iterator[tuple[str, Tensor]]:
    return zip(_KINDS, pair, strict=True)


def _digest(convs: Convs) -> str:
    """SHA-256 (hex) over the float32 bytes of all weights and biases, in the order of the network."""
    sha = hashlib.sha256()
    for conv in CONVS:
        for tensor in convs[conv.name]:
            sha.update(tensor.numpy().data)
    return sha.hexdigest()


def _damaged(where: str) -> WeightsError:
    return WeightsError(f"the file {where} holds no plain state dict", _REMEDY)


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
