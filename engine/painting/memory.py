"""Freed memory is kept for the next iteration: returning it to the system costs a page fault per 4 KiB, each time."""

from __future__ import annotations

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # of glibc's malloc.h


def keep_memory() -> None:
    """For the whole process, before its threads start; nothing where the C library is not glibc."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        for option, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)):
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
