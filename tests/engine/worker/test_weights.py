"""The weights: from files as torchvision makes them, from real local servers, through every accident."""

from __future__ import annotations

import hashlib
import os
import pickle
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
import safetensors
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor

from engine.painting.painter import Painter
from engine.painting.presets import preset
from engine.painting.recipe import RecipeError
from engine.worker.download import Source, torchvision_source
from engine.worker.weights import CACHE_NAME, STARTER, STARTER_CONVS, Weights, load_weights
from engine.worker.weights_file import CONVS, WeightsError

ROOT = Path(__file__).parents[3]
NAME = "vgg19-0123abcd.pth"
MEGABYTE = 1 << 20

StateDict = dict[str, Tensor]


# --- Files as torchvision makes them --------------------------------------------------------------


def state_dict(prefix: str = "features.") -> StateDict:
    """The right names and shapes, next to no bytes on disk: each tensor is one number seen many times."""
    tensors = {}
    for conv in CONVS:
        tensors[f"{prefix}{conv.place}.weight"] = torch.tensor(0.5).expand(conv.outputs, conv.inputs, 3, 3)
        tensors[f"{prefix}{conv.place}.bias"] = torch.tensor(0.25).expand(conv.outputs)
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
    assert list(weights.convs) == [conv.name for conv in CONVS]
    for conv in CONVS:
        weight, bias = weights.convs[conv.name]
        assert weight.dtype == bias.dtype == torch.float32
        assert weight.is_contiguous()
        assert torch.equal(weight, model[f"features.{conv.place}.weight"].float())
        assert torch.equal(bias, model[f"features.{conv.place}.bias"].float())


# --- Servers --------------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Serves one file, well or badly, and counts who asks."""

    daemon_threads = True

    def __init__(self, file: Path, how: str, code: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.file, self.how, self.code = file, how, code
        self.requests = 0
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
        if self.server.how == "silent":
            self.server.closing.wait()
            return
        size = self.server.file.stat().st_size
        self.send_response(self.server.code)
        if self.server.how != "without length":
            self.send_header("Content-Length", str(size))
        self.end_headers()
        with self.server.file.open("rb") as file:
            if self.server.how in ("right", "without length"):
                shutil.copyfileobj(file, self.wfile)
                return
            self.wfile.write(file.read(size // 2))
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


# --- The network ----------------------------------------------------------------------------------


def test_convs_are_those_of_torchvision() -> None:
    assert [conv.place for conv in CONVS] == [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    assert [conv.name for conv in CONVS][::5] == ["conv1_1", "conv3_2", "conv4_3", "conv5_4"]
    assert sum(9 * conv.inputs * conv.outputs + conv.outputs for conv in CONVS) == 20_024_384


def test_source_is_that_of_torchvision() -> None:
    from torchvision.models import VGG19_Weights

    source = torchvision_source()
    assert source.url == VGG19_Weights.IMAGENET1K_V1.url
    assert source.filename == f"vgg19-{source.sha256_prefix}.pth"
    assert len(source.sha256_prefix) == 8


def test_random_as_asked(tmp_path: Path) -> None:
    weights = load_weights("random", tmp_path / "cache")
    assert weights == Weights(
        "random", "random", None, stand_in=True, note="Painted with random stand-in weights, as asked."
    )
    assert not (tmp_path / "cache").exists()


def test_the_starter_weights_come_with_the_program(tmp_path: Path) -> None:
    weights = load_weights("starter", tmp_path / "cache")
    assert (weights.name, weights.stand_in) == ("starter", True)
    assert weights.note == "Painted with our small starter network, as asked."
    assert weights.identity.startswith("starter sha256:")
    assert weights.convs is not None
    assert {name: weight.shape for name, (weight, _) in weights.convs.items()} == {
        conv.name: (conv.outputs, conv.inputs, 3, 3) for conv in STARTER_CONVS
    }
    assert {t.dtype for pair in weights.convs.values() for t in pair} == {torch.float32}
    assert STARTER.stat().st_size < 30 * MEGABYTE
    assert not (tmp_path / "cache").exists()


def test_layers_below_the_starter_network_are_refused_with_a_sentence(tmp_path: Path) -> None:
    picture = Image.new("RGB", (32, 32))
    recipe = preset("fine", weights="starter", size=32, content_layers=("relu4_2",))
    with pytest.raises(RecipeError, match=r"^The weights starter end with conv3_1: choose layers .* up to there\.$"):
        Painter(recipe, picture, [picture], convs=load_weights("starter", tmp_path).convs)


# --- The pretrained weights -----------------------------------------------------------------------


def test_download_then_cache(serve: Serve, original: Original, tmp_path: Path) -> None:
    server = serve(original.path)
    cache = tmp_path / "deep" / "cache"
    source = Source(server.url, original.prefix)

    fetched = load_weights("imagenet", cache, source=source)
    assert_holds(fetched, original.tensors)
    assert fetched.name == "imagenet"
    assert fetched.identity.startswith("imagenet sha256:")
    assert (fetched.stand_in, fetched.note) == (False, "")
    assert [file.name for file in cache.iterdir()] == [CACHE_NAME]
    assert server.requests == 1

    for choice in ("imagenet", "auto"):
        again = load_weights(choice, cache, source=source)
        assert_holds(again, original.tensors)
        assert again == fetched
    assert server.requests == 1


@pytest.mark.parametrize(("terminal", "progress"), [(True, True), (True, False), (False, True)])
def test_progress_is_for_terminals(
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    terminal: bool,
    progress: bool,
) -> None:
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.setenv(variable, "1" if terminal else "0")
    if not terminal:
        monkeypatch.delenv("FORCE_COLOR")
    file = tmp_path / "served"
    file.write_bytes(bytes(MEGABYTE))
    load_weights("auto", tmp_path / "cache", source=Source(serve(file).url, "0123abcd"), progress=progress)
    output = capfd.readouterr()
    assert ("pretrained VGG19" in output.err) == (terminal and progress)
    assert output.out == ""


def test_cache_may_be_read_by_others(kept: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    assert (kept / CACHE_NAME).stat().st_mode & 0o777 == 0o666 & ~umask


def test_old_format_without_length(serve: Serve, original: Original, tmp_path: Path) -> None:
    # Torchvision's file is older than torch's zip format.
    file = tmp_path / "old.pth"
    torch.save(original.tensors, file, _use_new_zipfile_serialization=False)
    server = serve(file, "without length")
    source = Source(server.url, sha256_prefix(file))
    assert_holds(load_weights("imagenet", tmp_path / "cache", source=source, progress=False), original.tensors)


def test_file_put_into_cache_by_hand(original: Original, tmp_path: Path) -> None:
    placed = tmp_path / NAME
    placed.symlink_to(original.path)
    weights = load_weights("imagenet", tmp_path, source=Source(f"{nowhere()}/{NAME}", original.prefix))
    assert_holds(weights, original.tensors)
    assert placed.exists()


def test_wrong_file_put_into_cache_by_hand(original: Original, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"another")
    source = Source(f"{nowhere()}/{NAME}", original.prefix)
    assert f"{tmp_path / NAME} is not the pretrained VGG19" in refusal("imagenet", tmp_path, source)


@pytest.mark.parametrize("damage", ["flipped", "cut", "unsigned"])
def test_damaged_cache_is_fetched_anew(serve: Serve, kept: Path, tmp_path: Path, damage: str) -> None:
    content = bytearray((kept / CACHE_NAME).read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    if damage == "cut":
        del content[-1000:]
    if damage == "unsigned":
        content = bytearray(safetensors.torch.save({key: t.contiguous() for key, t in state_dict().items()}))
    cache = tmp_path / CACHE_NAME
    cache.write_bytes(content)

    file = saved(state_dict(), tmp_path / "served.pth")
    server = serve(file)
    source = Source(server.url, sha256_prefix(file))
    assert_holds(load_weights("imagenet", tmp_path, source=source, progress=False), state_dict())
    assert_holds(load_weights("imagenet", tmp_path, source=source, progress=False), state_dict())
    assert server.requests == 1


def test_damaged_cache_without_network(tmp_path: Path) -> None:
    (tmp_path / CACHE_NAME).write_bytes(b"neither here nor there")
    source = Source(f"{nowhere()}/{NAME}", "0123abcd")
    assert "could not be reached" in refusal("imagenet", tmp_path, source)
    assert load_weights("auto", tmp_path, source=source).stand_in


# --- Accidents of the network ---------------------------------------------------------------------

ACCIDENTS = {
    "404": "answered 404",
    "500": "answered 500",
    "silent": "could not be reached",
    "stalls": "came to a standstill",
    "truncates": "broke off",
    "resets": "broke off",
    "another": "is not the pretrained VGG19",
    "nobody": "could not be reached",
}


@pytest.fixture(params=ACCIDENTS)
def accident(request: pytest.FixtureRequest, serve: Serve, tmp_path: Path) -> tuple[Source, str]:
    """A source from which the weights cannot be had, and what is said of it."""
    kind: str = request.param
    file = tmp_path / "served"
    file.write_bytes(bytes(3 * MEGABYTE))
    if kind == "nobody":
        url = f"{nowhere()}/{NAME}"
    elif kind.isdigit():
        url = serve(file, code=int(kind)).url
    else:
        url = serve(file, "right" if kind == "another" else kind).url
    short = 0.2 if kind in ("silent", "stalls") else 30.0
    patience = short if kind == "silent" else 30.0
    return Source(url, "0123abcd", patience=patience, stall=short), ACCIDENTS[kind]


def test_accident_is_told(accident: tuple[Source, str], tmp_path: Path) -> None:
    source, told = accident
    sentence = refusal("imagenet", tmp_path / "cache", source)
    assert told in sentence
    assert f"put {NAME} (from {source.url}) into {tmp_path / 'cache'}" in sentence
    assert list((tmp_path / "cache").iterdir()) == []


def test_auto_falls_back(accident: tuple[Source, str], tmp_path: Path) -> None:
    source, told = accident
    weights = load_weights("auto", tmp_path / "cache", source=source, progress=False)
    assert (weights.identity, weights.stand_in) == (load_weights("starter", tmp_path / "cache").identity, True)
    assert weights.note.startswith("Painted with our small starter network: ")
    assert told in weights.note
    assert list((tmp_path / "cache").iterdir()) == []


def test_auto_prefers_the_pretrained(serve: Serve, original: Original, tmp_path: Path) -> None:
    weights = load_weights("auto", tmp_path, source=Source(serve(original.path).url, original.prefix), progress=False)
    assert_holds(weights, original.tensors)
    assert not weights.stand_in


@pytest.mark.parametrize("address", ["http://192.0.2.1", "http://impasto.invalid"])
def test_unroutable(serve: Serve, tmp_path: Path, address: str) -> None:
    weights = load_weights("auto", tmp_path, source=Source(f"{address}/{NAME}", "0123abcd", patience=0.2))
    assert weights.note == ("Painted with our small starter network: the pretrained VGG19 could not be reached.")


def test_name_lookup_that_hangs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked, over = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> None:
        asked.set()
        over.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    source = Source(f"http://impasto.example/{NAME}", "0123abcd", patience=0.2)
    try:
        assert load_weights("auto", tmp_path, source=source).stand_in
        assert asked.is_set()
        assert not over.is_set()
    finally:
        over.set()


# --- Accidents of the disk ------------------------------------------------------------------------


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Writing more than `size` bytes to any file fails, as on a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


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


def test_disk_fills_during_download(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "served"
    file.write_bytes(bytes(3 * MEGABYTE))
    server = serve(file)
    with files_of_at_most(MEGABYTE):
        assert "cannot be used" in refusal("imagenet", tmp_path / "cache", Source(server.url, "0123abcd"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_disk_fills_during_caching(original: Original, tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to(original.path)
    source = Source(f"{nowhere()}/{NAME}", original.prefix)
    with files_of_at_most(MEGABYTE):
        assert "cannot be used" in refusal("imagenet", tmp_path, source)
    assert [file.name for file in tmp_path.iterdir()] == [NAME]
    assert_holds(load_weights("imagenet", tmp_path, source=source), original.tensors)


def test_cache_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    source = Source(f"{nowhere()}/{NAME}", "0123abcd")
    sentence = refusal("imagenet", tmp_path / "file" / "cache", source)
    assert f"cache folder {tmp_path / 'file' / 'cache'} cannot be used (not a directory)" in sentence
    assert "cannot be used" in load_weights("auto", tmp_path / "file", source=source).note


def test_cache_folder_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with as_nobody():
        sentence = refusal("imagenet", tmp_path, Source(f"{nowhere()}/{NAME}", "0123abcd"))
    assert "cannot be used (permission denied)" in sentence


# --- Two at once, and a death ---------------------------------------------------------------------


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that may load weights."""
    code = f"import sys\nfrom pathlib import Path\nfrom engine.worker.weights import *\n{code}"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


RACE = """
cache, url, prefix = sys.argv[1:]
fetched = load_weights("imagenet", Path(cache), source=Source(url, prefix), progress=False)
assert load_weights("auto", Path(cache)) == fetched
assert "torchvision" not in sys.modules
print(fetched.identity)
"""

DEATH = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
cache, url, prefix = sys.argv[1:]
load_weights("imagenet", Path(cache), source=Source(url, prefix), progress=False)
"""


def test_two_at_once_and_a_death(serve: Serve, original: Original, kept: Path, tmp_path: Path) -> None:
    server = serve(original.path)
    shared, dying = tmp_path / "shared", tmp_path / "dying"
    dying.mkdir()
    (dying / NAME).symlink_to(original.path)
    racers = [child(RACE, shared, server.url, original.prefix) for _ in range(2)]
    dead = child(DEATH, dying, server.url, original.prefix)

    identity = load_weights("imagenet", kept).identity
    assert [(racer.communicate()[0].strip(), racer.returncode) for racer in racers] == [(identity, 0)] * 2
    assert [file.name for file in shared.iterdir()] == [CACHE_NAME]

    # The kernel killed it in the middle of writing the cache.
    dead.communicate()
    assert dead.returncode == -signal.SIGXFSZ
    assert not (dying / CACHE_NAME).exists()
    assert_holds(load_weights("imagenet", dying, source=Source(server.url, original.prefix)), original.tensors)


# --- Files of the user's --------------------------------------------------------------------------


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
    of_safetensors = load_weights(str(kept / CACHE_NAME), tmp_path)
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


def without(*keys: str) -> StateDict:
    return {key: t for key, t in state_dict().items() if key not in keys}


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        (without("features.5.bias"), "lack features.5.bias:"),
        ({"fc.weight": torch.zeros(2)}, "features.0.bias, features.2.weight and 29 more"),
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
        ({}, "lack features.0.weight"),
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
    for whole in (original.path, kept / CACHE_NAME):
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
