"""The set-up: one sentence for whatever is missing, and a connection that breaks costs nothing that had come."""

from __future__ import annotations

import hashlib
import http.server
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import threading
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "deploy" / "make-environment.sh"
OLD = "#!/bin/sh\ncase $2 in *%d.%d*) echo 3.15;; *) exit 1;; esac\n"
NO_VENV = "#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; esac\n"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`deploy/install.py`, in a folder with a space in its name that has an empty .venv with this one's uv."""
    folder = tmp_path / "a folder"
    venv.create(folder / ".venv", with_pip=False)
    uv = Path(sys.executable).parent / "uv"
    (folder / ".venv" / "bin" / "uv").symlink_to(uv)
    (folder / ".venv" / "setup.log").touch()
    monkeypatch.chdir(folder)
    for name, value in {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0", "UV_NO_CONFIG": "1"}.items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("install", ROOT / "deploy" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(name: str, size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{name}.bin", os.urandom(size))
        archive.writestr(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        archive.writestr(f"{name}-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}-1.dist-info/RECORD", "")
    return buffer.getvalue()


class Registry:
    """A package registry that breaks off each of its first downloads of a large file in the middle."""

    def __init__(self, breaks: int) -> None:
        self.wheels = {name: wheel(name, size) for name, size in {"small": 2_000_000, "large": 6_000_000}.items()}
        registry, left = self, iter(range(breaks))

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.strip("/").split("/")[-1].removesuffix("-1-py3-none-any.whl")
                body = registry.wheels[name]
                if not self.path.endswith(".whl"):
                    body = f'<a href="/{name}-1-py3-none-any.whl">{name}-1-py3-none-any.whl</a>'.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                broken = self.path.startswith("/large-") and next(left, None) is not None
                self.wfile.write(body[: len(body) // 2] if broken else body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever).start()

    def lock(self) -> str:
        hashes = {name: hashlib.sha256(body).hexdigest() for name, body in self.wheels.items()}
        return "".join(f"{name}==1 --hash=sha256:{value}\n" for name, value in hashes.items())


@pytest.fixture
def registry(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    made = Registry(request.param)
    monkeypatch.setenv("UV_DEFAULT_INDEX", made.url)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("registry", [3], indirect=True)
def test_a_connection_that_breaks_is_tried_again_and_what_has_come_is_told(
    install: ModuleType, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = Path("lock.txt")
    lock.write_text(registry.lock())
    install.sync(lock, 10e6, 10e6)
    said = capsys.readouterr().err
    assert "0.0 GB to download" in said
    assert "The connection broke; going on" in said
    assert "  small (2 MB)\n" in said
    assert {path.name for path in Path(".venv").rglob("*.bin")} == {"small.bin", "large.bin"}


@pytest.mark.parametrize("registry", [1000], indirect=True)
def test_a_connection_that_breaks_for_ever_is_a_sentence(install: ModuleType, registry: Registry) -> None:
    lock = Path("lock.txt")
    lock.write_text(registry.lock())
    with pytest.raises(install.SetUpError, match="connect and run the same command again"):
        install.sync(lock, 10e6, 10e6)


def test_no_network_is_a_sentence(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9")
    lock = Path("lock.txt")
    lock.write_text(f"anything==1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(install.SetUpError, match="The network is missing"):
        install.sync(lock, 10e6, 10e6)


@pytest.mark.parametrize("registry", [0], indirect=True)
def test_what_was_not_locked_is_refused_at_once(
    install: ModuleType, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = Path("lock.txt")
    lock.write_text(f"large==1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(install.SetUpError, match=r"setup\.log says why"):
        install.sync(lock, 10e6, 10e6)
    assert "going on" not in capsys.readouterr().err


def test_too_little_room_is_a_sentence_before_anything_is_fetched(install: ModuleType) -> None:
    free = shutil.disk_usage(".").free
    with pytest.raises(install.SetUpError, match=r"There is too little room: .* GB are needed"):
        install.check_room(free + 10e9)
    install.check_room(free / 2)


def test_what_only_a_gpu_needs_is_locked_under_these_names_and_left_out_as_a_whole(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    names = (ROOT / "deploy" / "gpu-only.txt").read_text().split()
    whole, rest = install.without([]), install.without(names)
    assert whole == (ROOT / "requirements" / "dev.txt").read_text()
    assert all(f"\n{name}==" in whole and f"\n{name}==" not in rest for name in names)
    assert whole.count("\n\n") == rest.count("\n\n")
    assert [line for line in rest.splitlines() if line[:1].isalpha()] == [
        line for line in whole.splitlines() if line[:1].isalpha() and line.split("==")[0] not in names
    ]


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        (None, "Python is missing: install it"),
        (OLD, "This machine's Python is 3.15, and Impasto runs on 3.11 to 3.14: install one of these beside it"),
        (NO_VENV, "Python's venv module is missing: install it"),
    ],
    ids=["none", "too new", "without venv"],
)
def test_without_a_usable_python_one_sentence_says_what_to_do(
    tmp_path: Path, python: str | None, sentence: str
) -> None:
    if python:
        (tmp_path / "python3").write_text(python)
        (tmp_path / "python3").chmod(0o755)
    shell = shutil.which("sh")
    assert shell
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [shell, str(SCRIPT), "0"], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


TOOLS = """#!/bin/sh
case "$*" in
*"$BROKEN"*) echo "$BROKEN says what"; exit 1 ;;
*pytest*) echo tested ;;
esac
"""


@pytest.mark.parametrize(
    ("broken", "tested", "end"),
    [
        (None, True, []),
        ("pytest", False, []),
        ("ruff check", False, ["ruff check says what"]),
        ("ruff format", False, ["ruff format says what"]),
        ("mypy", True, ["Not right when linted:", "ruff: ok", "format: ok", "mypy says what", "mypy: failed"]),
    ],
)
def test_what_the_lint_finds_is_said_before_the_tests_or_at_their_end(
    tmp_path: Path, broken: str | None, tested: bool, end: list[str]
) -> None:
    """Ruff's before, since it takes a moment; mypy's at the end."""
    (tmp_path / "tests").mkdir()
    for script in ("run.sh", "lint.sh"):
        shutil.copy(ROOT / "tests" / script, tmp_path / "tests")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(TOOLS)
    python.chmod(0o755)
    environment = {**os.environ, "BROKEN": broken or "nothing", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        ["sh", "tests/run.sh"], cwd=tmp_path, env=environment, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said = [line for line in done.stdout.splitlines() if line]
    assert done.returncode == (broken is not None)
    assert ("tested" in said) == tested
    assert said[len(said) - len(end) :] == end
    assert {path.name for path in tmp_path.iterdir()} == {"tests", ".venv"}
