"""The weights by name: the pretrained ones from real local servers, through every accident, and the stand-ins."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch
from PIL import Image
from torchvision_files import (
    MEGABYTE,
    NAME,
    Original,
    Serve,
    as_nobody,
    assert_holds,
    nowhere,
    refusal,
    saved,
    sha256_prefix,
    state_dict,
)

from engine.contract.drawn_texts import WEIGHTS_NOTES
from engine.contract.settings import WEIGHTS_CACHED
from engine.painting.painter import Painter
from engine.recipe.presets import preset
from engine.recipe.recipe import RecipeError
from engine.worker.weights.fetch import Source, torchvision_source
from engine.worker.weights.named_weights import STARTER, Weights, load_weights

ROOT = Path(__file__).parents[4]


# --- By name --------------------------------------------------------------------------------------


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
    assert {weights.note, load_weights("random", tmp_path).note} < set(WEIGHTS_NOTES)  # in plots, translated
    assert weights.identity.startswith("starter sha256:")
    assert weights.convs is not None
    assert weights.network == preset("fine", weights="starter").network
    assert STARTER.stat().st_size < 8_000_000
    assert {t.dtype for pair in weights.convs.values() for t in pair} == {torch.float32}
    assert not (tmp_path / "cache").exists()


def test_layers_below_the_starter_network_are_refused_with_a_sentence(tmp_path: Path) -> None:
    picture = Image.new("RGB", (32, 32))
    recipe = preset("fine", weights="starter", size=32, network="vgg19", content_layers=("relu5_2",))
    with pytest.raises(RecipeError, match=r"^The weights starter have no layer relu5_2; they have conv1_1, .*5_1\.$"):
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
    assert [file.name for file in cache.iterdir()] == [WEIGHTS_CACHED]
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
    assert (kept / WEIGHTS_CACHED).stat().st_mode & 0o777 == 0o666 & ~umask


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
    content = bytearray((kept / WEIGHTS_CACHED).read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    if damage == "cut":
        del content[-1000:]
    if damage == "unsigned":
        content = bytearray(safetensors.torch.save({key: t.contiguous() for key, t in state_dict().items()}))
    cache = tmp_path / WEIGHTS_CACHED
    cache.write_bytes(content)

    file = saved(state_dict(), tmp_path / "served.pth")
    server = serve(file)
    source = Source(server.url, sha256_prefix(file))
    assert_holds(load_weights("imagenet", tmp_path, source=source, progress=False), state_dict())
    assert_holds(load_weights("imagenet", tmp_path, source=source, progress=False), state_dict())
    assert server.requests == 1


def test_damaged_cache_without_network(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS_CACHED).write_bytes(b"neither here nor there")
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
    short = {"silent": 0.2, "stalls": 2.0}.get(kind, 30.0)
    patience = short if kind == "silent" else 30.0
    return Source(url, "0123abcd", patience=patience, stall=short), ACCIDENTS[kind]


def test_accident_is_told(accident: tuple[Source, str], tmp_path: Path) -> None:
    source, told = accident
    sentence = refusal("imagenet", tmp_path / "cache", source)
    assert told in sentence
    assert f"put {NAME} (from {source.url}) into {tmp_path / 'cache'}" in sentence
    assert_only_a_beginning_is_left(tmp_path / "cache", told)


def test_auto_falls_back(accident: tuple[Source, str], tmp_path: Path) -> None:
    source, told = accident
    weights = load_weights("auto", tmp_path / "cache", source=source, progress=False)
    assert (weights.identity, weights.stand_in) == (load_weights("starter", tmp_path / "cache").identity, True)
    assert weights.note.startswith("Painted with our small starter network: ")
    assert told in weights.note
    assert_only_a_beginning_is_left(tmp_path / "cache", told)


def assert_only_a_beginning_is_left(cache: Path, told: str) -> None:
    """And that only where the download was under way."""
    left = {file.name: file.stat().st_size for file in cache.iterdir()}
    assert set(left) <= ({f"{NAME}.partial"} if told in (ACCIDENTS["stalls"], ACCIDENTS["truncates"]) else set())
    assert 0 not in left.values()


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
    assert "set IMPASTO_CACHE to a folder that can be written in" in sentence
    assert "cannot be used" in load_weights("auto", tmp_path / "file", source=source).note


def test_cache_folder_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with as_nobody():
        sentence = refusal("imagenet", tmp_path, Source(f"{nowhere()}/{NAME}", "0123abcd"))
    assert "cannot be used (permission denied)" in sentence


# --- Two at once, and a death ---------------------------------------------------------------------


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that may load weights."""
    code = f"import sys\nfrom pathlib import Path\nfrom engine.worker.weights.named_weights import *\n{code}"
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


@pytest.mark.long
def test_two_at_once_and_a_death(serve: Serve, original: Original, kept: Path, tmp_path: Path) -> None:
    server = serve(original.path)
    shared, dying = tmp_path / "shared", tmp_path / "dying"
    dying.mkdir()
    (dying / NAME).symlink_to(original.path)
    racers = [child(RACE, shared, server.url, original.prefix) for _ in range(2)]
    dead = child(DEATH, dying, server.url, original.prefix)

    identity = load_weights("imagenet", kept).identity
    assert [(racer.communicate()[0].strip(), racer.returncode) for racer in racers] == [(identity, 0)] * 2
    assert [file.name for file in shared.iterdir()] == [WEIGHTS_CACHED]

    # The kernel killed it in the middle of writing the cache.
    dead.communicate()
    assert dead.returncode == -signal.SIGXFSZ
    assert not (dying / WEIGHTS_CACHED).exists()
    assert_holds(load_weights("imagenet", dying, source=Source(server.url, original.prefix)), original.tensors)
