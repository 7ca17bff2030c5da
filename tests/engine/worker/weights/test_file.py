"""Files of the user's: as torchvision makes them, wrong, damaged and malicious."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch
from torchvision_files import MEGABYTE, Original, StateDict, as_nobody, assert_holds, ours, refusal, saved, state_dict

from engine.contract.settings import WEIGHTS_CACHED
from engine.worker.weights.named_weights import load_weights


def test_file_as_torchvision_has_it(original: Original, tmp_path: Path) -> None:
    weights = load_weights(str(original.path), tmp_path / "cache")
    assert_holds(weights, original.tensors)
    assert weights.name == weights.identity
    assert weights.name.startswith("sha256:")
    assert len(weights.name) == len("sha256:") + 16
    assert not weights.stand_in
    assert not (tmp_path / "cache").exists()


def test_identity_is_that_of_the_tensors(original: Original, kept: Path, tmp_path: Path) -> None:
    of_pth = load_weights(str(original.path), tmp_path)
    of_safetensors = load_weights(str(kept / WEIGHTS_CACHED), tmp_path)
    pretrained = load_weights("imagenet", kept)
    assert of_pth == of_safetensors
    assert pretrained.identity == f"imagenet {of_pth.identity}"
    tensors = state_dict()
    one = load_weights(str(saved(tensors, tmp_path / "one.pth")), tmp_path)
    tensors["features.34.bias"] = torch.tensor(0.125).expand(512)
    assert one != load_weights(str(saved(tensors, tmp_path / "other.pth")), tmp_path)


@pytest.mark.parametrize("prefix", ["features.", ""])
def test_features_alone(tmp_path: Path, prefix: str) -> None:
    path = saved(state_dict(prefix), tmp_path / "features.pth")
    assert_holds(load_weights(str(path), tmp_path), state_dict())


def test_safetensors_with_torchvision_names(original: Original, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    safetensors.torch.save_file(original.tensors, path)
    weights = load_weights(str(path), tmp_path)
    # What is painted with must outlive the file.
    path.write_bytes(b"")
    assert_holds(weights, original.tensors)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_cast(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {key: t[:1].to(dtype).expand(t.shape) for key, t in state_dict().items()}
    assert_holds(load_weights(str(saved(tensors, tmp_path / "half.pth")), tmp_path), tensors)


def test_gradients_are_left_behind(tmp_path: Path) -> None:
    tensors = {key: torch.nn.Parameter(t) for key, t in state_dict().items()}
    weights = load_weights(str(saved(tensors, tmp_path / "parameters.pth")), tmp_path)
    assert weights.convs is not None
    assert not any(t.requires_grad for pair in weights.convs.values() for t in pair)


@pytest.mark.parametrize("counts", [(1,), (2, 1), (1, 1, 1, 1, 1), (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)])
def test_any_vgg_of_any_widths(tmp_path: Path, counts: tuple[int, ...]) -> None:
    tensors = ours(*counts)
    path = tmp_path / "slim.safetensors"
    safetensors.torch.save_file(tensors, path)
    convs = load_weights(str(path), tmp_path).convs
    assert convs is not None
    assert [f"{name}.{kind}" for name in convs for kind in ("weight", "bias")] == list(tensors)
    assert all(torch.equal(pair[0], tensors[f"{name}.weight"]) for name, pair in convs.items())


@pytest.mark.parametrize(
    ("counts", "places"),
    [
        ((1, 1, 2, 2, 2), (0, 3, 6, 8, 11, 13, 16, 18)),  # VGG11
        ((2, 2, 3, 3, 3), (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)),  # VGG16
        ((2, 2, 4, 4, 4), (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)),
    ],
)
def test_torchvisions_places_tell_the_layers(tmp_path: Path, counts: tuple[int, ...], places: tuple[int, ...]) -> None:
    mine = ours(*counts)
    names = list(dict.fromkeys(key.partition(".")[0] for key in mine))
    theirs = {
        f"features.{p}.{k}": mine[f"{n}.{k}"] for n, p in zip(names, places, strict=True) for k in ("weight", "bias")
    }
    loaded = load_weights(str(saved(theirs, tmp_path / "vgg.pth")), tmp_path)
    assert list(loaded.convs or ()) == names
    assert loaded == load_weights(str(saved(mine, tmp_path / "ours.pth")), tmp_path)


def test_the_same_tensors_between_other_poolings_are_other_weights(tmp_path: Path) -> None:
    tensors = ours(1, 2, widths=(4, 4))
    moved = {key.replace("conv2_2", "conv3_1"): t for key, t in tensors.items()}
    one, other = (load_weights(str(saved(t, tmp_path / "vgg.pth")), tmp_path) for t in (tensors, moved))
    assert one != other


def without(*keys: str) -> StateDict:
    return {key: t for key, t in state_dict().items() if key not in keys}


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        (without("features.5.bias"), "lack features.5.bias:"),
        (without("features.0.bias", "features.5.weight", "features.7.bias", "features.10.bias"), "and 1 more"),
        ({"fc.weight": torch.zeros(2)}, "hold no convolutions by torchvision's names or ours"),
        (
            state_dict() | {"features.7.weight": torch.zeros(128, 64, 3, 3)},
            "(128, 64, 3, 3) and not (128, 128",
        ),
        (state_dict() | {"features.7.bias": torch.full((128,), torch.nan)}, "features.7.bias"),
        (state_dict() | {"features.7.bias": torch.full((128,), 1e300, dtype=torch.float64)}, "not finite"),
        (state_dict() | {"features.0.bias": torch.zeros(64, dtype=torch.int64)}, "torch.int64"),
        (state_dict() | {"features.0.bias": torch.zeros(64, dtype=torch.complex64)}, "torch.complex64"),
        (state_dict() | {"features.0.bias": torch.zeros(64, device="meta")}, "not a plain tensor"),
        (state_dict() | {"features.0.bias": "a word"}, "not a plain tensor"),
        ([torch.zeros(3)], "no plain state dict"),
        (without("features.0.weight", "features.0.bias"), "lack features.0.weight"),
        (without("features.7.weight", "features.7.bias"), "lack a layer between features.5 and features.10"),
        (state_dict() | {"features.1.running_mean": torch.zeros(64)}, "has batch normalisation: give the path of one"),
        (ours(1, 1, 2) | {"conv3_5.weight": torch.zeros(1)}, "lack conv3_3.weight or conv4_1.weight, before conv"),
        (ours(1, 2, 5), "have a layer conv3_5 (conv3_5), which no VGG down to VGG19 has"),
        (ours(1, 2) | {"conv1_1.weight": torch.zeros(0, 3, 3, 3)}, "has shape (0, 3, 3, 3) and not (1, 3, 3, 3)"),
        (ours(1, 2) | {"conv1_1.weight": torch.zeros(4, 1, 3, 3)}, "has shape (4, 1, 3, 3) and not (4, 3, 3, 3)"),
        ({}, "hold no convolutions"),
    ],
)
def test_wrong_tensors(tmp_path: Path, tensors: object, told: str) -> None:
    path = saved(tensors, tmp_path / "wrong.pth")
    sentence = refusal(str(path), tmp_path)
    assert told in sentence
    assert str(path) in sentence


def test_wrong_tensors_in_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "wrong.safetensors"
    safetensors.torch.save_file({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, path)
    assert "lack conv1_1.bias" in refusal(str(path), tmp_path)


class Malice:
    """A pickle that creates a file when it is loaded carelessly."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("form", ["bare", "zip", "old"])
def test_code_in_a_pickle_does_not_run(tmp_path: Path, form: str) -> None:
    path, mark = tmp_path / "malice.pth", tmp_path / "mark"
    malice = state_dict() | {"malice": Malice(mark)}
    if form == "bare":
        path.write_bytes(pickle.dumps(malice["malice"], protocol=2))
    else:
        torch.save(malice, path, _use_new_zipfile_serialization=form == "zip")
    assert "no plain state dict" in refusal(str(path), tmp_path)
    assert not mark.exists()
    if form == "bare":
        pickle.loads(path.read_bytes())
        assert mark.exists(), "the pickle is a dud, and proves nothing"


@pytest.mark.parametrize(
    "content",
    [
        b"garbage",
        b"PK\x03\x04 no zip",
        b"\x80\x02 no pickle",
        bytes(100),
        b"\xff" * 8 + b"{",
        b"\x02" + bytes(7) + b"{}",
    ],
)
def test_garbage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.pth"
    path.write_bytes(content)
    refusal(str(path), tmp_path)


def test_half_a_file(original: Original, kept: Path, tmp_path: Path) -> None:
    for whole in (original.path, kept / WEIGHTS_CACHED):
        path = tmp_path / whole.name
        path.write_bytes(whole.read_bytes()[:MEGABYTE])
        assert "no plain state dict" in refusal(str(path), tmp_path)


def test_no_such_file(tmp_path: Path) -> None:
    assert "cannot be read (no such file" in refusal(str(tmp_path / "missing.pth"), tmp_path)
    assert "cannot be read" in refusal("nul\0byte", tmp_path)
    assert "is not a file" in refusal(str(tmp_path), tmp_path)
    assert "is not a file" in refusal("", tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is not a file" in refusal(str(tmp_path / "pipe"), tmp_path)
    (tmp_path / "empty.pth").touch()
    assert "is empty" in refusal(str(tmp_path / "empty.pth"), tmp_path)


def test_unreadable_file(tmp_path: Path) -> None:
    path = saved(state_dict(), tmp_path / "secret.pth")
    path.chmod(0)
    with as_nobody():
        assert "cannot be read (permission denied)" in refusal(str(path), tmp_path)
