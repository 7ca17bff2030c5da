"""A VGG's convolutions in a file: a whole torchvision state dict, its `features` alone, or tensors by our own names.

Any VGG without batch normalisation: VGG19, VGG16, cut short or slim, from torchvision or from Caffe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from engine.painting.network.vgg import Convs
from engine.recipe.vgg_layers import NAMES
from engine.worker.weights.input_normalisation import Input, for_torchvision, guess
from engine.worker.weights.tensor_names import BatchNorm, Gap, NotVGG, conv_keys

_KINDS = ("weight", "bias")
_REMEDY = "give the path of a VGG19 or VGG16 state dict, torchvision's or neural-style's (.pth or .safetensors)"


@dataclass(frozen=True)
class Loaded:
    """What a file of weights holds."""

    convs: Convs
    """From conv1_1 on, on the CPU, for torchvision's input, whatever the file's was."""
    input: Input
    """What the file's own tensors expect."""
    metadata: Mapping[str, str]
    """The metadata of a safetensors file; empty for a .pth file."""
    classifier: bool
    """Whether the network's classifier is there too; nothing uses it."""


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


class WrongWeights(WeightsError):
    """What the settings name cannot be used: only who wrote them can mend it, and to try again does not help."""


def load_file(path: Path, input_: Input | Literal["auto"] = "auto") -> Loaded:
    """The convolutions of a .pth or safetensors file, whichever layers it has.

    With `input_` `auto` the file's name and numbers tell what input they expect. Raises `WeightsError`.
    """
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
    convs = check(found, str(path))
    if input_ == "auto":
        input_ = guess(convs, path.name)
    if input_ == "caffe":
        convs = {**convs, "conv1_1": for_torchvision(*convs["conv1_1"])}
    assert isinstance(found, Mapping)  # noqa: S101 - `check` has seen to it
    classifier = any(str(key).startswith(("classifier.", "fc")) for key in found)
    return Loaded(convs, input_, metadata, classifier)


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


def check(tensors: object, where: str) -> Convs:
    """The convolutions among the tensors, which share memory with nothing. Raises `WeightsError`."""
    if not isinstance(tensors, Mapping):
        raise _damaged(where)
    try:
        keys = conv_keys([key for key in tensors if isinstance(key, str)])
    except BatchNorm:
        remedy = "give the path of one without, such as torchvision's vgg19"
        raise WeightsError(f"the network in {where} has batch normalisation", remedy) from None
    except (Gap, NotVGG) as problem:
        raise WeightsError(f"the weights in {where} {problem}", _REMEDY) from None
    convs: dict[str, tuple[Tensor, Tensor]] = {}
    inputs = 3
    for name, key in keys.items():
        weight = _tensor(tensors, f"{key}.weight", (None, inputs, 3, 3), where)
        convs[name] = weight, _tensor(tensors, f"{key}.bias", (len(weight),), where)
        inputs = len(weight)
    return convs


def _tensor(tensors: Mapping[Any, Any], key: str, shape: tuple[int | None, ...], where: str) -> Tensor:
    """The tensor as float32; a None in `shape` is any size but zero."""
    found = tensors[key]
    if not (isinstance(found, Tensor) and found.layout is torch.strided and found.device.type == "cpu"):
        raise WeightsError(f"the tensor {key} in {where} is not a plain tensor", _REMEDY)
    if not found.is_floating_point():
        raise WeightsError(f"the tensor {key} in {where} holds {found.dtype} and not floating point numbers", _REMEDY)
    own = tuple(found.shape)
    wanted = tuple(size or max(1, (*own, 1)[i]) for i, size in enumerate(shape))
    if own != wanted:
        raise WeightsError(f"the tensor {key} in {where} has shape {own} and not {wanted}", _REMEDY)
    # Always a copy: safetensors maps the file, and what is painted with must not change with it.
    values = found.detach().to(torch.float32, copy=True).contiguous()
    if not values.isfinite().all():
        raise WeightsError(f"the tensor {key} in {where} holds numbers that are not finite", _REMEDY)
    return values


def named(pair: tuple[Tensor, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """(`weight`, its tensor) and (`bias`, its tensor)."""
    return zip(_KINDS, pair, strict=True)


def digest(convs: Convs) -> str:
    """SHA-256 (hex) over the float32 bytes of all weights and biases, in the order of the network.

    Where the layers are not VGG19's from conv1_1 on without a gap, their names count too: the same tensors between
    other poolings are another network.
    """
    sha = hashlib.sha256()
    names = [name for name in NAMES if name in convs]
    if tuple(names) != NAMES[: len(names)]:
        sha.update(" ".join(names).encode())
    for name in names:
        for tensor in convs[name]:
            sha.update(tensor.numpy().data)
    return sha.hexdigest()


def _damaged(where: str) -> WeightsError:
    return WeightsError(f"the file {where} holds no plain state dict", _REMEDY)


def why(error: Exception) -> str:
    """The system's reason, as part of a sentence."""
    return (getattr(error, "strerror", None) or str(error)).lower()
