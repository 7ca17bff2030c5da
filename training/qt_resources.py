"""`python -m training.qt_resources`: pictures in Qt resource files (.rcc), where GCompris has its photographs."""

from __future__ import annotations

import argparse
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

_COMPRESSED, _FOLDER = 1, 2  # flags of a node
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def files_in(resource: bytes) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file in a resource file of version 1 to 3, as Qt's `rcc --binary` writes them.

    Numbers are big-endian. The header tells where three tables begin: nodes (of 14 bytes, from version 2 on of 22),
    data (each with its length before it) and names (length, hash, UTF-16). A folder's node has the number and the first
    index of its children, a file's the place of its data.
    """
    magic, version, nodes, data, names = struct.unpack(">4s4i", resource[:20])
    if magic != b"qres" or version > 3:
        raise ValueError("not a Qt resource file of version 1 to 3")
    stride = 14 if version == 1 else 22

    def name_at(offset: int) -> str:
        (length,) = struct.unpack_from(">H", resource, names + offset)
        return resource[names + offset + 6 : names + offset + 6 + 2 * length].decode("utf-16-be")

    def below(index: int, path: str) -> Iterator[tuple[str, bytes]]:
        name, flags, count, first = struct.unpack_from(">IHII", resource, nodes + index * stride)
        path = f"{path}/{name_at(name)}" if index else path
        if flags & _FOLDER:
            for child in range(first, first + count):
                yield from below(child, path)
        else:
            (length,) = struct.unpack_from(">I", resource, data + first)
            content = resource[data + first + 4 : data + first + 4 + length]
            yield path, zlib.decompress(content[4:]) if flags & _COMPRESSED else content

    return below(0, "")


def main() -> None:
    """Each picture that is large enough, under its own name without folders."""
    parser = argparse.ArgumentParser(prog="training.qt_resources", description="Unpack the pictures of .rcc files.")
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--smallest", type=int, default=240, help="px of the shorter side at least (240)")
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for file in given.files:
        for path, content in files_in(file.read_bytes()):
            if path.lower().endswith(_SUFFIXES):
                with Image.open(io.BytesIO(content)) as picture:
                    large = min(picture.size) >= given.smallest
                if large:
                    (given.out / Path(path).name).write_bytes(content)


if __name__ == "__main__":
    main()
