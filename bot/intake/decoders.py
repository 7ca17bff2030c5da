"""Decoders: processes that wait, warm, for the next picture, and of which one is taken for each."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import struct
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.metadata import distribution
from pathlib import Path
from types import TracebackType

from bot.child_signals import send
from bot.decoder.picture_limits import USUAL
from engine.process.memory_limits import memory_limits

_PROJECT = str(Path(__file__).parents[2])
_LIBRARIES = sorted({str(distribution(name).locate_file("")) for name in ("pillow", "pillow-heif")})
# No site, no user packages, nothing from the folder it runs in: the path below is all it has.
COMMAND = (sys.executable, "-S", "-s", "-P", "-m")
_PRELOAD = "bot.decoder.preload"
_NICENESS = 10
_FEWEST, _MOST = 2, 8
_STATUS = struct.Struct("=i")
_PICTURES = 100
"""Pictures that one process forks decoders for: all forked from it have their memory laid out alike."""


def environment(libraries: Sequence[str]) -> dict[str, str]:
    """All that a decoder's process gets of it: where these libraries are."""
    # One arena, because each further one reserves 64 MiB of the address space that is rationed.
    return {"PYTHONPATH": os.pathsep.join([*libraries, _PROJECT]), "MALLOC_ARENA_MAX": "1"}


class DecoderLost(Exception):
    """The process that decoders are forked from has ended."""


class Decoder:
    """A process that decoders are forked from, started when first needed; `async with` ends it and all it decodes."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._left = _PICTURES

    async def __aenter__(self) -> Decoder:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    async def decode(self, arguments: Sequence[str], data: bytes, most: int, seconds: float) -> tuple[int, bytes]:
        """Return code and answer, at most `most` bytes of it, of a fresh decoder that is given `data`.

        Raises `TimeoutError` after so many seconds, and `DecoderLost`; then, or when cancelled, all is ended.
        """
        try:
            async with asyncio.timeout(seconds):
                if self._process is None or self._process.returncode is not None or not self._left:
                    await self._start()  # also where it has ended while nothing was asked of it
                self._left -= 1
                return await self._ask(arguments, data, most)
        except BaseException:
            await self.end()
            raise

    async def _start(self) -> None:
        await self.end()
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            self._control, self._left = ours, _PICTURES
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND, _PRELOAD, stdin=theirs.fileno(), stdout=DEVNULL, stderr=DEVNULL,
                cwd="/", env=environment(_LIBRARIES),
                start_new_session=True,  # Ctrl-C in a terminal is for the bot; and so its decoders end with it
            )  # fmt: skip
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICENESS)  # the bot answers first

    async def _ask(self, arguments: Sequence[str], data: bytes, most: int) -> tuple[int, bytes]:
        assert self._control is not None  # noqa: S101 - it was started
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            try:
                socket.send_fds(self._control, [json.dumps(arguments).encode()], [theirs.fileno()])
            except OSError as error:
                writer.close()
                raise DecoderLost from error
        try:
            _, answer = await asyncio.gather(_write(writer, data), _read(reader, most))
        finally:
            writer.close()
        try:
            status = await asyncio.get_running_loop().sock_recv(self._control, _STATUS.size)
        except ConnectionError:
            status = b""
        if not status:
            raise DecoderLost
        (code,) = _STATUS.unpack(status)
        return code, answer

    async def end(self) -> None:
        """End the process, and what was forked from it. Harmless where there is none."""
        process, control = self._process, self._control
        self._process = self._control = None
        if control is not None:
            control.close()
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            send(process, signal.SIGKILL)
            await process.wait()


class Decoders:
    """The decoders that the machine has cores and memory for, each for one picture at a time. `async with` ends all."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or _fitting()
        self._free = asyncio.Semaphore(self.count)
        self._all = [Decoder() for _ in range(self.count)]
        self._idle = list(self._all)

    async def __aenter__(self) -> Decoders:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for decoder in self._all:
            await decoder.end()

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Decoder]:
        """A decoder that nobody else has meanwhile; who came first is served first."""
        async with self._free:
            decoder = self._idle.pop()  # the last one used, so that on quiet days one alone is started
            try:
                yield decoder
            finally:
                self._idle.append(decoder)


def _fitting() -> int:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    memory = min([machine, *(limit.most for limit in memory_limits())])
    return max(_FEWEST, min(cores, _MOST, memory // (2 * USUAL.memory)))


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    # A child that died before it read everything is told by its return code.
    with suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
        writer.write_eof()


async def _read(reader: asyncio.StreamReader, most: int) -> bytes:
    """All of it, or its first `most` bytes; nothing of a child that died before it read everything."""
    try:
        return await reader.readexactly(most)
    except asyncio.IncompleteReadError as ended:
        return ended.partial
    except ConnectionError:
        return b""
