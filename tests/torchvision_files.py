"""Files of weights as torchvision makes them, servers that give them well or badly, and fixtures of both."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from engine.recipe.vgg_layers import NAMES
from engine.worker.weights.fetch import Source
from engine.worker.weights.named_weights import Weights, load_weights
from engine.worker.weights.weights_file import WeightsError

NAME = "vgg19-0123abcd.pth"
MEGABYTE = 1 << 20

_PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
VGG19 = dict(zip(_PLACES, [64] * 2 + [128] * 2 + [256] * 4 + [512] * 8, strict=True))
"""Place in torchvision's `features` -> filters of each convolution."""

StateDict = dict[str, Tensor]


def state_dict(prefix: str = "features.") -> StateDict:
    """The right names and shapes, next to no bytes on disk: each tensor is one number seen many times."""
    tensors = {}
    inputs = 3
    for place, outputs in VGG19.items():
        tensors[f"{prefix}{place}.weight"] = torch.tensor(0.5).expand(outputs, inputs, 3, 3)
        tensors[f"{prefix}{place}.bias"] = torch.tensor(0.25).expand(outputs)
        inputs = outputs
    return tensors


def ours(*counts: int, widths: Sequence[int] = (4, 6, 8, 10, 12)) -> StateDict:
    """So many layers in each block, of so many filters, by our own names; activations keep their size."""
    tensors, inputs = {}, 3
    for block, (count, width) in enumerate(zip(counts, widths, strict=False), 1):
        for number in range(1, count + 1):
            tensors[f"conv{block}_{number}.weight"] = torch.randn(width, inputs, 3, 3) * (2 / (9 * inputs)) ** 0.5
            tensors[f"conv{block}_{number}.bias"] = torch.randn(width) / 10
            inputs = width
    return tensors


def saved(tensors: object, path: Path) -> Path:
    torch.save(tensors, path)
    return path


class Original(NamedTuple):
    """A whole VGG19 in torchvision's file."""

    path: Path
    tensors: StateDict
    prefix: str


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """Of full size, but for the classifier, six sevenths of the real file, which nothing reads."""
    generator = torch.Generator().manual_seed(7)
    tensors = {key: torch.rand(t.shape, generator=generator) - 0.5 for key, t in state_dict().items()}
    for index in (0, 3, 6):
        tensors |= {f"classifier.{index}.weight": torch.rand(8, 8), f"classifier.{index}.bias": torch.rand(8)}
    path = saved(tensors, tmp_path_factory.mktemp("original") / NAME)
    return Original(path, tensors, sha256_prefix(path))


def sha256_prefix(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


@pytest.fixture(scope="session")
def kept(original: Original, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that holds the weights."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / NAME).symlink_to(original.path)
    load_weights("imagenet", folder, source=Source(f"{nowhere()}/{NAME}", original.prefix))
    (folder / NAME).unlink()
    return folder


def assert_holds(weights: Weights, model: StateDict) -> None:
    assert weights.convs is not None
    assert tuple(weights.convs) == NAMES
    for name, place in zip(NAMES, VGG19, strict=True):
        weight, bias = weights.convs[name]
        assert weight.dtype == bias.dtype == torch.float32
        assert weight.is_contiguous()
        assert torch.equal(weight, model[f"features.{place}.weight"].float())
        assert torch.equal(bias, model[f"features.{place}.bias"].float())


class Server(ThreadingHTTPServer):
    """Serves one file, well or badly, and counts who asks."""

    daemon_threads = True

    def __init__(self, file: Path, how: str, code: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.file, self.how, self.code = file, how, code
        self.requests = 0
        self.ranges: list[str | None] = []
        """What each request asked for."""
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/models/{NAME}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that hang up are what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        if self.server.how == "silent":
            self.server.closing.wait()
            return
        size, start = self.server.file.stat().st_size, 0
        if asked and self.server.how not in ("without length", "without ranges"):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start and start >= size:
            self.send_error(416)
            return
        self.send_response(206 if start else self.server.code)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if self.server.how != "without length":
            self.send_header("Content-Length", str(size - start))
        self.end_headers()
        with self.server.file.open("rb") as file:
            file.seek(start)
            if self.server.how in ("right", "without length", "without ranges"):
                shutil.copyfileobj(file, self.wfile)
                return
            self.wfile.write(file.read((size - start) // 2))
        if self.server.how == "stalls":
            self.server.closing.wait()
        if self.server.how == "resets":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests' output is not a server's log."""


Serve = Callable[..., Server]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts servers that stop with the test: `serve(file, how="right", code=200)`."""
    monkeypatch.setenv("no_proxy", "*")
    servers: list[tuple[Server, threading.Thread]] = []

    def start(file: Path, how: str = "right", code: int = 200) -> Server:
        server = Server(file, how, code)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def nowhere() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def refusal(choice: str, cache: Path, source: Source | None = None) -> str:
    """The sentence with which weights are refused; one sentence, and a remedy in it."""
    with pytest.raises(WeightsError) as caught:
        load_weights(choice, cache, source=source, progress=False)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert sentence[0].isupper()
    assert ": " in sentence
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), WeightsError)
    return sentence


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to open everything; files in tmp_path are out of reach."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)
