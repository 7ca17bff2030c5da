"""What the decoder gives up before it sees a byte: memory, time, files, sockets and processes."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.decoder.picture_limits import Limits


def give_up_rights(limits: Limits, *, threads: bool) -> None:
    """Give up, for good, whatever a hijacked decoder could use; the open pipes stay, and `threads` where they must."""
    die_with_parent()
    for what, most, reserve in (
        (resource.RLIMIT_AS, limits.memory, 0),
        # The first limit ends the process by SIGXCPU, which tells the bot why; the second by SIGKILL.
        (resource.RLIMIT_CPU, limits.cpu_seconds, 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, 0, 0),
        # To Linux a thread is a process. Where it knows no difference, a decoder that needs one fails.
        *([] if threads and forbid_processes() else [(resource.RLIMIT_NPROC, 0, 0)]),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, ceiling = resource.getrlimit(what)
        hard = most + reserve if ceiling == resource.RLIM_INFINITY else min(most + reserve, ceiling)
        try:
            resource.setrlimit(what, (min(most, hard), hard))
        except (ValueError, OSError):
            if sys.platform == "linux" or what != resource.RLIMIT_AS:  # macOS bounds no address space
                raise


def die_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends, where it can."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


# (code, jump if so, jump if not, value), as the kernel has it in linux/filter.h and linux/seccomp.h.
Instruction = tuple[int, int, int, int]

LOAD, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
KILL, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
NUMBER_AT, MACHINE_AT, FIRST_ARGUMENT_AT = 0, 4, 16
CLONE_THREAD, FOREIGN_ABI = 0x10000, 0x40000000

SYSTEM_CALLS = {  # the machine's number; clone; clone3; fork, vfork, execve and execveat, as far as it has them
    "x86_64": (0xC000003E, 56, 435, (57, 58, 59, 322)),
    "aarch64": (0xC00000B7, 220, 435, (221, 281)),
}


def forbid_processes() -> bool:
    """Allow threads, but no further process and no other program; whether that can be done here."""
    if sys.platform != "linux" or os.uname().machine not in SYSTEM_CALLS:
        return False
    machine, clone, clone3, others = SYSTEM_CALLS[os.uname().machine]
    refuse, not_there = (ANSWER, 0, 0, ERRNO | errno.EPERM), (ANSWER, 0, 0, ERRNO | errno.ENOSYS)
    program: list[Instruction] = [
        (LOAD, 0, 0, MACHINE_AT), (EQUAL, 1, 0, machine), (ANSWER, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT), (AT_LEAST, 0, 1, FOREIGN_ABI), refuse,
        *(step for number in others for step in ((EQUAL, 0, 1, number), refuse)),
        (EQUAL, 0, 1, clone3), not_there,  # it hides its flags; the C library then takes the older one
        (EQUAL, 0, 3, clone), (LOAD, 0, 0, FIRST_ARGUMENT_AT), (ANY_BIT, 1, 0, CLONE_THREAD), refuse,
        (ANSWER, 0, 0, ALLOW),
    ]  # fmt: skip
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    no_new_privileges, set_seccomp, by_filter = 38, 22, 2
    prctl = ctypes.CDLL(None).prctl
    return not prctl(no_new_privileges, 1, 0, 0, 0) and not prctl(set_seccomp, by_filter, header)
