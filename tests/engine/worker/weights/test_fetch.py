"""Downloads that broke off, and what the next one makes of what is kept of them."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from torchvision_files import NAME, Original, Serve, assert_holds, refusal

from engine.contract.settings import WEIGHTS_CACHED
from engine.worker.weights.fetch import Source
from engine.worker.weights.named_weights import load_weights

PARTIAL = f"{NAME}.partial"


def test_a_download_that_broke_off_is_gone_on_with(serve: Serve, original: Original, tmp_path: Path) -> None:
    refusal("imagenet", tmp_path, Source(serve(original.path, "truncates").url, original.prefix))
    half = original.path.stat().st_size // 2
    assert [(file.name, file.stat().st_size) for file in tmp_path.iterdir()] == [(PARTIAL, half)]

    server = serve(original.path)
    weights = load_weights("imagenet", tmp_path, source=Source(server.url, original.prefix), progress=False)
    assert server.ranges == [f"bytes={half}-"]
    assert_holds(weights, original.tensors)
    assert [file.name for file in tmp_path.iterdir()] == [WEIGHTS_CACHED]


@pytest.mark.parametrize(
    ("kept", "how", "asked"),
    [
        ("a beginning", "without ranges", ["bytes=1000-"]),
        ("another's beginning", "right", ["bytes=1000-", None]),
        ("more than all", "right", ["bytes={more}-", None]),
        ("all", "right", []),
    ],
)
def test_whatever_is_kept_of_a_download_the_right_file_comes_of_it(  # noqa: PLR0917
    serve: Serve, original: Original, tmp_path: Path, kept: str, how: str, asked: list[str | None]
) -> None:
    whole = original.path.read_bytes()
    beginnings = {"a beginning": whole[:1000], "another's beginning": bytes(1000), "more than all": whole + b"more"}
    (tmp_path / PARTIAL).write_bytes(beginnings.get(kept, whole))
    server = serve(original.path, how)
    weights = load_weights("imagenet", tmp_path, source=Source(server.url, original.prefix), progress=False)
    assert_holds(weights, original.tensors)
    assert server.ranges == [text and text.format(more=len(whole) + 4) for text in asked]
    assert [file.name for file in tmp_path.iterdir()] == [WEIGHTS_CACHED]


def test_a_download_that_another_process_is_at_is_left_alone(serve: Serve, original: Original, tmp_path: Path) -> None:
    with (tmp_path / PARTIAL).open("wb") as theirs:
        theirs.write(b"theirs")
        theirs.flush()
        fcntl.flock(theirs, fcntl.LOCK_EX)
        server = serve(original.path)
        load_weights("imagenet", tmp_path, source=Source(server.url, original.prefix), progress=False)
    assert server.ranges == [None]
    assert (tmp_path / PARTIAL).read_bytes() == b"theirs"
