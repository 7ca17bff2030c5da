"""What Impasto has written into a folder, so that it can tell its own files from everybody else's."""

from __future__ import annotations

import hashlib
from pathlib import Path

_LIST = ".impasto.sha256"


class WrittenFiles:
    """The list of them: a line for each, as sha256sum writes it. What was changed since is not in it."""

    def __init__(self, folder: Path) -> None:
        self._list = folder / _LIST

    def note(self, name: str, data: bytes) -> None:
        """Add a file that is about to be written. Raises `OSError`."""
        line = _line(name, data)
        if line not in self._lines():
            with self._list.open("a") as file:
                file.write(f"{line}\n")

    def includes(self, path: Path) -> bool:
        """Whether the file is as it was written. Raises `OSError` where it cannot be read."""
        return path.is_file() and not path.is_symlink() and _line(path.name, path.read_bytes()) in self._lines()

    def forget(self) -> None:
        """Begin a new list."""
        self._list.unlink(missing_ok=True)

    def _lines(self) -> set[str]:
        try:
            return set(self._list.read_text().splitlines())
        except (FileNotFoundError, UnicodeDecodeError):
            return set()


def _line(name: str, data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()}  {name}"
