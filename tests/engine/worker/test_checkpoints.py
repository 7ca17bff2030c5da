"""A checkpoint is the whole state, bit for bit, or it is refused."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator

import pytest
import torch
from safetensors.torch import load, save
from support.jobs import light, one_thread
from support.pictures import CONTENT, STYLE

from engine.painting.painter import Painter
from engine.painting.state import State
from engine.recipe.recipe import Recipe
from engine.worker.checkpoints import CheckpointError, Journal, pack, unpack

CPU = torch.device("cpu")
JOURNAL = Journal({1: "frame"}, {2: "snapshot"}, [{"from": 0, "to": 7, "seconds": 0.1, "worker": "w", "device": "cpu"}])
ADAM, LBFGS = light(20), light(20, optimiser="lbfgs", step=1.0, clamp=False)


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    with one_thread():
        yield


def painted(recipe: Recipe, iterations: int) -> tuple[Painter, State]:
    painter = Painter(recipe, CONTENT, [STYLE])
    state = painter.begin()
    for _ in painter.paint(state, iterations):
        pass
    return painter, state


@pytest.fixture(scope="module")
def blob() -> bytes:
    return pack(painted(ADAM, 7)[1].copy(), JOURNAL, "random")


@pytest.mark.parametrize("iterations", [0, 7, 10, 13])  # nothing yet, the first scale, its end, the second scale
@pytest.mark.parametrize("recipe", [ADAM, LBFGS], ids=["adam", "lbfgs"])
def test_what_comes_back_is_the_same_to_the_last_bit_and_goes_on_alike(recipe: Recipe, iterations: int) -> None:
    painter, state = painted(recipe, iterations)
    state.rollbacks.append((3, "the loss exploded"))
    state.step_factor, state.good_loss = 0.5, 1 / 3
    restored, journal = unpack(pack(state.copy(), JOURNAL, "random"), [recipe], "random", CPU)

    assert journal == JOURNAL
    assert restored.numbers() == state.numbers()
    assert restored.tensors().keys() == state.tensors().keys()
    for name, tensor in state.tensors().items():
        assert torch.equal(restored.tensors()[name].view(torch.int32), tensor.view(torch.int32)), name
    for _ in zip(painter.paint(state), Painter(recipe, CONTENT, [STYLE]).paint(restored), strict=True):
        pass
    assert torch.equal(restored.pixels, state.pixels)
    assert torch.equal(restored.losses, state.losses)


def test_a_copy_is_not_touched_by_the_painting_that_goes_on() -> None:
    painter, state = painted(ADAM, 7)
    copy = state.copy()
    before = {name: tensor.clone() for name, tensor in copy.tensors().items()}
    for _ in painter.paint(state, 9):
        pass
    assert all(torch.equal(tensor, before[name]) for name, tensor in copy.tensors().items())
    assert copy.iteration == 7


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.5, 0.999])
def test_a_truncated_checkpoint_is_refused(blob: bytes, share: float) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        unpack(blob[: int(len(blob) * share)], [ADAM], "random", CPU)


def test_a_damaged_checkpoint_is_refused_whichever_bit_it_was(blob: bytes) -> None:
    for place in range(0, len(blob), 7):
        damaged = bytearray(blob)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(CheckpointError, match="damaged"):
            unpack(bytes(damaged), [ADAM], "random", CPU)


HEADERS = ["[]", "{}", "5", '{"__metadata__": []}', '{"__metadata__": {"weights": "random"}}', "[" * 100_000, ""]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header[:40])
def test_a_file_that_is_no_checkpoint_is_refused(header: str) -> None:
    text = header.encode()
    body = struct.pack("<Q", len(text)) + text
    with pytest.raises(CheckpointError):
        unpack(hashlib.sha256(body).digest() + body, [ADAM], "random", CPU)


@pytest.mark.parametrize("part", ["numbers", "journal"])
@pytest.mark.parametrize("value", ["", "5", "[]", "{}", '{"frames": 5}', "[" * 100_000], ids=lambda value: value[:14])
def test_a_checkpoint_whose_notes_are_not_ours_is_refused(blob: bytes, part: str, value: str) -> None:
    """With a digest that fits: it was made so."""
    header = {"numbers": json.dumps(painted(ADAM, 0)[1].numbers()), "journal": "{}", "weights": "random", part: value}
    body = save(load(blob[32:]), metadata=header)
    with pytest.raises(CheckpointError, match="damaged"):
        unpack(hashlib.sha256(body).digest() + body, [ADAM], "random", CPU)


def test_a_checkpoint_of_other_weights_is_refused_by_name(blob: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"other weights .*random.*imagenet sha256:0123"):
        unpack(blob, [ADAM], "imagenet sha256:0123", CPU)
