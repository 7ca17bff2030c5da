"""Freed memory is kept for the next iteration: returning it to the system costs a page fault per 4 KiB, each time.

But what is kept is in pieces, a third more than what is used. So where memory is short, and pictures are painted in
strips, what is large is returned.
"""

from __future__ import annotations

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -3, -4, -8  # of glibc's malloc.h
_LARGE = 2**24  # bytes
_MANY = 2**16

_asked = False


def keep_memory() -> None:
    """Keep freed memory in the whole process, from before its threads start; does nothing without glibc."""
    global _asked  # noqa: PLW0603 - malloc's own settings are the process's too
    _asked = True
    _set((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1))


def arrange_memory(*, short: bool) -> None:
    """Whether what is large is returned from now on; for processes that were told to keep it."""
    if not _asked:
        return
    _set((_MMAP_THRESHOLD, _LARGE), (_MMAP_MAX, _MANY if short else 0))
    if short:
        with contextlib.suppress(OSError, AttributeError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)


def _set(*options: tuple[int, int]) -> None:
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        for option, value in options:
            library.mallopt(option, value)


class _Mallinfo2(ctypes.Structure):
    """glibc's `struct mallinfo2`; `fordblks` is what is free within the heap."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
    ))  # fmt: skip


def kept_memory() -> int:
    """Bytes that are kept so, free for this process alone; 0 where the C library cannot say."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ask = ctypes.CDLL(None).mallinfo2
        ask.restype = _Mallinfo2
        return int(ask().fordblks)
    return 0
