"""VGG19's convolutions in a file: a whole torchvision state dict, its `features` alone, or tensors by our own names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Tensor

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


def load_convs(path: Path, convs: Sequence[Conv] = CONVS) -> tuple[Convs, dict[str, str]]:
    """These convolutions of a .pth or safetensors file, and the latter's metadata. Raises `WeightsError`."""
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
                found, metadata = unpickle(file, str(path)), {}
    except (OSError, ValueError) as error:
        raise WeightsError(f"the weights file {path} cannot be read ({why(error)})", _REMEDY) from error
    return check(found, str(path), convs), metadata


def _read_safetensors(path: Path) -> tuple[object, dict[str, str]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise _damaged(str(path)) from error


def unpickle(file: BinaryIO, where: str) -> object:
    """What a .pth file holds, if that is plain tensors. Raises `WeightsError`, which calls the file `where`."""
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # garbage makes the unpickler fail in any way there is
        raise _damaged(where) from error


def check(tensors: object, where: str, convs: Sequence[Conv] = CONVS) -> Convs:
    """These convolutions as float32 tensors that share memory with nothing. Raises `WeightsError`."""
    if not isinstance(tensors, Mapping):
        raise _damaged(where)
    names = _names(tensors, where, convs)
    return {
        conv.name: (
            _tensor(tensors, f"{names[conv]}.weight", (conv.outputs, conv.inputs, 3, 3), where),
            _tensor(tensors, f"{names[conv]}.bias", (conv.outputs,), where),
        )
        for conv in convs
    }


def _names(tensors: Mapping[Any, Any], where: str, convs: Sequence[Conv]) -> dict[Conv, str]:
    """What the file calls each convolution: like the whole model, its `features` alone, or us."""
    namings = [
        {conv: f"features.{conv.place}" for conv in convs},
        {conv: str(conv.place) for conv in convs},
        {conv: conv.name for conv in convs},
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


def named(pair: tuple[Tensor, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """(`weight`, its tensor) and (`bias`, its tensor)."""
    return zip(_KINDS, pair, strict=True)


def digest(convs: Convs) -> str:
    """SHA-256 (hex) over the float32 bytes of all weights and biases, in the order of the network."""
    sha = hashlib.sha256()
    for name in (conv.name for conv in CONVS if conv.name in convs):
        for tensor in convs[name]:
            sha.update(tensor.numpy().data)
    return sha.hexdigest()


def _damaged(where: str) -> WeightsError:
    return WeightsError(f"the file {where} holds no plain state dict", _REMEDY)


def why(error: Exception) -> str:
    """The system's reason, as part of a sentence."""
    return (getattr(error, "strerror", None) or str(error)).lower()
