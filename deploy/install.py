"""Fill .venv with what requirements/dev.txt locks: what it takes is said first, how far it is meanwhile.

What has come is kept by uv, so that a try that broke off is gone on with, here and by running the same command again.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

VENV = Path(".venv")
UV = VENV / "bin/uv"
LOG = VENV / "setup.log"
TRIES = 5
"""Of a download that breaks off; uv itself tries several times before it gives up."""
SIZES = {"darwin": (0.4e9, 1.1e9), "linux": (2.8e9, 4.8e9), "gpu": (3.4e9, 6.2e9)}
"""At most so many bytes come and lie on the disk, most of them torch and its CUDA; for the lock of November 2026.

On x86-64 measured (2.5 and 4.4 GB without a GPU, 3.1 and 5.8 with one), for arm64 and macOS reckoned.
"""
AGAIN = "run the same command again"
NETWORK = "Failed to (fetch|download)|error sending request|dns error|NewConnectionError|[Tt]imed out|No matching dist"
"""What uv and pip say."""
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class SetUpError(Exception):
    """What is missing, in one sentence."""


def main(uv_version: str) -> None:
    LOG.write_bytes(b"")
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise SetUpError("A Mac with Intel's processor can't run Impasto: PyTorch is no longer made for it.")
    if not UV.exists():
        say("Installing uv, which installs the rest …")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"uv=={uv_version}"]
        check(failure_of(pip))
    kind = "darwin" if sys.platform == "darwin" else "gpu" if has_gpu() else "linux"
    lock = VENV / "requirements.txt"
    lock.write_text(without(Path("deploy/gpu-only.txt").read_text().split() if kind == "linux" else []))
    sync(lock, *SIZES[kind])
    check(failure_of([str(UV), "pip", "install", "--no-deps", "--no-build-isolation", "--editable", "."]))
    (VENV / "ready").touch()


def has_gpu() -> bool:
    """Whether there is a driver of NVIDIA's, also under WSL."""
    return any(Path(path).exists() for path in ("/proc/driver/nvidia", "/dev/dxg")) or bool(shutil.which("nvidia-smi"))


def without(names: list[str]) -> str:
    """The lock without these packages: each begins a line, and its hashes follow indented."""
    packages = re.split(r"^(?=\S)", Path("requirements/dev.txt").read_text(), flags=re.MULTILINE)
    return "".join(package for package in packages if package.split("==")[0] not in names)


def sync(lock: Path, download: float, disk: float) -> None:
    """Install the lock. Raises `SetUpError`."""
    command = [str(UV), "pip", "sync", "--require-hashes", "--compile-bytecode", str(lock)]
    if "Would download" in answer([*command, "--dry-run"]):
        check_room(disk)
        say(
            f"Installing what is needed: up to {download / 1e9:.1f} GB to download, {disk / 1e9:.1f} GB on the disk; "
            f"with 100 Mbit/s that takes {download * 8 / 100e6 / 60:.0f} minutes."
        )
    else:
        say("Installing what is needed …")
    for number in range(TRIES):
        if number:
            say("The connection broke; going on …")
        progress = Progress(download, disk)
        failure = failure_of(command, progress)
        if failure is None or not progress.begun or not is_broken_connection(failure):
            break
    check(failure)


def check_room(disk: float) -> None:
    """Refuse to fill the disk; what an earlier try has left in uv's cache is there already. Raises `SetUpError`."""
    cache = Path(answer([str(UV), "cache", "dir"]).strip())
    cache.mkdir(parents=True, exist_ok=True)
    for folder in (cache, VENV):
        if shutil.disk_usage(folder).free < disk:
            there = sum(path.lstat().st_size for path in cache.rglob("*"))
            if shutil.disk_usage(folder).free < disk - there:
                raise no_room(folder, disk - there)


def no_room(folder: Path, needed: float) -> SetUpError:
    return SetUpError(
        f"There is too little room: {needed / 1e9:.1f} GB are needed and "
        f"{shutil.disk_usage(folder).free / 1e9:.1f} GB are free where {folder.absolute()} is; make room and {AGAIN}."
    )


class Progress:
    """Of what uv tells: one line that is renewed on a terminal, elsewhere a line for each package that has come."""

    def __init__(self, download: float, disk: float) -> None:
        self._download, self._disk = download, disk
        self._began = time.monotonic()
        self._installing = False
        self._coming: dict[str, float] = {}
        self._came: dict[str, float] = {}

    @property
    def begun(self) -> bool:
        """Whether any file was found and began to come."""
        return bool(self._coming or self._came)

    def hear(self, said: str) -> None:
        """All that uv has said so far."""
        sizes = re.findall(r"^Downloading (\S+) \(([\d.]+)(\w+)\)$", said, re.MULTILINE)
        came = re.findall(r"^ Downloaded (\S+)$", said, re.MULTILINE)
        self._coming = {name: float(size) * UNITS.get(unit, 1) for name, size, unit in sizes}
        for name in came:
            size = self._coming.pop(name, 0)
            if name not in self._came and not sys.stderr.isatty():
                say(f"  {name} ({size / 1e6:.0f} MB)")
            self._came.setdefault(name, size)
        if not self._installing and "\nPrepared" in said:
            self._installing = True
            say("Installing …")

    def show(self, written: float) -> None:
        """`written` are the bytes that uv has unpacked so far, as far as the system tells."""
        if not self._coming or not sys.stderr.isatty():
            return
        whole = sum(self._came.values())
        done = min(max(whole, written * self._download / self._disk), whole + sum(self._coming.values()))
        seconds = (time.monotonic() - self._began) * (self._download / max(done, 1) - 1)
        left = f", about {max(1, round(seconds / 60))} min to go" if done > 20e6 else ""
        name = max(self._coming, key=lambda name: self._coming[name])
        line = f"  {done / 1e9:.2f} of at most {self._download / 1e9:.1f} GB{left}: {name} …"
        sys.stderr.write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()


def environment() -> dict[str, str]:
    """For uv; few downloads at once, so that a broken connection spoils little."""
    return {"UV_CONCURRENT_DOWNLOADS": "4", "UV_HTTP_RETRIES": "5", **os.environ, "VIRTUAL_ENV": str(VENV.absolute())}


def answer(command: list[str]) -> str:
    """All that it says; without a network, soon."""
    environ = environment() | {"UV_HTTP_RETRIES": "0"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ, check=False
    )
    return done.stdout


def failure_of(command: list[str], progress: Progress | None = None) -> str | None:
    """Run it, and what it says goes to the log: that again when it fails."""
    before = LOG.stat().st_size
    with LOG.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment())
    with LOG.open() as log:
        log.seek(before)
        said = ""
        status = None
        while status is None:
            with suppress(subprocess.TimeoutExpired):
                status = process.wait(0.2)  # the pause between two looks, cut short when it ends
            said += log.read()
            if progress:
                progress.hear(said)
                progress.show(written_by(process.pid))
    return said if status else None


def written_by(pid: int) -> float:
    """Bytes that the process has written to files; 0 where the system does not tell."""
    try:
        return float(re.findall(r"wchar: (\d+)", Path(f"/proc/{pid}/io").read_text())[0])
    except (OSError, IndexError):
        return 0.0


def check(failure: str | None) -> None:
    """Raises `SetUpError` with a sentence for what a command said when it failed."""
    if failure is None:
        return
    if "No space left" in failure:
        raise SetUpError(f"There is no room left where {VENV.absolute()} is, or uv's cache: make some and {AGAIN}.")
    if is_broken_connection(failure):
        raise SetUpError(
            f"The network is missing, or breaks off again and again: connect and {AGAIN}; what has come is kept "
            f"({LOG} has the details)."
        )
    raise SetUpError(f"The environment could not be made: {LOG} says why.")


def is_broken_connection(failure: str) -> bool:
    """Uv says the same first of a full disk and of a wrong hash."""
    return bool(re.search(NETWORK, failure)) and not re.search("No space left|[Hh]ash mismatch", failure)


def say(text: str) -> None:
    end = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{end}{text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SetUpError as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        say(f"Stopped: to go on, {AGAIN}; what has come is kept.")
        sys.exit(130)
