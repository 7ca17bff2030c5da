"""Intake: the child is slow, hangs, dies or lies, and the sender still gets one sentence."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import malformed
import pytest
from judging import refused
from malformed import encoded, scene
from PIL import Image

import bot
from bot.intake import Decoder, Decoders, Limits, decoders, take_in
from engine.process.memory_limits import MemoryLimit

ROOT = Path(bot.__file__).parents[1]


async def test_memory_is_rationed() -> None:
    data = malformed.png(11_000, 10_900, pixels=malformed.deflated_zeros(11_001 * 10_900))
    assert "memory" in await refused(data, limits=Limits(memory=128 * 2**20))


async def test_a_large_jpeg_is_never_decoded_whole() -> None:
    """It is read at an eighth, which is many times as fast."""
    data = encoded(Image.new("RGB", (8000, 8000)), "JPEG")
    taken = await take_in(data, limits=Limits(max_side=500, memory=128 * 2**20))
    assert (taken.width, taken.original_width) == (500, 8000)


@pytest.mark.parametrize(
    ("cores", "gigabytes", "limit", "count"),
    [(1, 64, 0, 2), (6, 64, 0, 6), (64, 256, 0, 8), (8, 12, 0, 4), (64, 256, 4, 2), (8, 12, 64, 4)],
)
def test_there_are_as_many_as_cores_and_memory_allow(
    cores: int, gigabytes: int, limit: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {"SC_PAGE_SIZE": 2**12, "SC_PHYS_PAGES": gigabytes * 2**18}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    monkeypatch.setattr(decoders, "memory_limits", lambda: [MemoryLimit(limit * 2**30, 0)] if limit else [])
    assert Decoders().count == count


async def test_an_endless_picture_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    bomb = malformed.scan_bomb(side=8000, scans=50_000)
    for limits in (Limits(seconds=0.5), Limits(cpu_seconds=1)):
        assert "takes too long" in await refused(bomb, limits=limits)
    assert [line.levelname for line in caplog.records if line.name.startswith("bot")] == ["WARNING"] * 2


Spawned = asyncio.Queue[asyncio.subprocess.Process]


@pytest.fixture
def meddle(monkeypatch: pytest.MonkeyPatch) -> Callable[[signal.Signals], Spawned]:
    """Have every child sent a signal as soon as it starts; the queue hands them out."""
    spawn: Callable[..., Awaitable[asyncio.subprocess.Process]] = asyncio.create_subprocess_exec

    def arrange(what: signal.Signals) -> Spawned:
        children: Spawned = asyncio.Queue()

        async def spawn_and_signal(*command: str, **options: object) -> asyncio.subprocess.Process:
            child = await spawn(*command, **options)
            child.send_signal(what)
            children.put_nowait(child)
            return child

        monkeypatch.setattr(asyncio, "create_subprocess_exec", spawn_and_signal)
        return children

    return arrange


async def test_a_child_that_hangs_is_killed(meddle: Callable[[signal.Signals], Spawned]) -> None:
    children = meddle(signal.SIGSTOP)
    assert "takes too long" in await refused(encoded(scene(), "PNG"), limits=Limits(seconds=0.2))
    assert children.get_nowait().returncode == -signal.SIGKILL


async def test_a_child_is_killed_when_nobody_waits(meddle: Callable[[signal.Signals], Spawned]) -> None:
    children = meddle(signal.SIGSTOP)
    # More than a pipe holds, so that the task is caught in the middle of the sending.
    task = asyncio.create_task(take_in(encoded(scene(), "BMP") + bytes(2**20)))
    child = await children.get()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGSEGV])
async def test_the_end_of_the_process_that_they_are_forked_from_is_one_sentence(
    what: signal.Signals, meddle: Callable[[signal.Signals], Spawned], caplog: pytest.LogCaptureFixture
) -> None:
    meddle(what)
    said = await refused(encoded(scene(), "BMP") + bytes(2**20), "a.bmp")
    assert said == "a.bmp cannot be opened safely: save it again as JPEG or PNG and send that."
    assert "the process of the decoders has ended" in caplog.text


@pytest.fixture
def decoder_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have these lines run in place of what a decoder does."""

    def replace(lines: str) -> None:
        text = (ROOT / "bot" / "decoder" / "preload.py").read_text()
        taken = "from bot.decoder.__main__ import main\n"
        assert taken in text
        preload = tmp_path / "preload.py"
        preload.write_text(text.replace(taken, f"def main():\n    {lines}\n"))
        monkeypatch.setattr(decoders, "COMMAND", (sys.executable, "-S"))
        monkeypatch.setattr(decoders, "_PRELOAD", str(preload))

    return replace


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_child_that_dies_is_one_sentence(
    what: signal.Signals, decoder_that: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    decoder_that(f"import os; os.kill(os.getpid(), {int(what)})")
    said = await refused(encoded(scene(), "BMP") + bytes(2**20), "a.bmp")
    assert said == "a.bmp cannot be opened safely: save it again as JPEG or PNG and send that."
    assert f"return code -{int(what)}" in caplog.text


@pytest.mark.parametrize(
    "spoken", ["", "\\n", "nonsense\\n", "[]\\n", '{"width": 1}\\n', '{"refusal": 5}\\n', "x" * 200]
)
async def test_a_child_that_lies_is_one_sentence(spoken: str, decoder_that: Callable[[str], None]) -> None:
    decoder_that(f"import sys; sys.stdin.buffer.read(); print('{spoken}', end='', flush=True)")
    assert "cannot be opened safely" in await refused(encoded(scene(), "PNG"))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("while True: print('x' * 65536)", "cannot be opened safely"),
        (
            "import os\n    while True:\n        try: os.write(1, bytes(65536))\n        except OSError: pass",
            "too long",
        ),
    ],
)
async def test_a_child_that_never_stops_talking_is_killed(
    lines: str, said: str, decoder_that: Callable[[str], None]
) -> None:
    decoder_that(lines)
    assert said in await refused(b"\0", limits=Limits(seconds=2 if said == "too long" else 60, max_side=64))


async def test_each_picture_is_opened_by_a_process_of_its_own(decoder_that: Callable[[str], None]) -> None:
    decoder_that("import os, sys; print(os.getpid(), os.getppid(), sys.argv[1:], flush=True)")
    async with Decoder() as decoder:
        said = [(await decoder.decode(["a", "b"], b"", 200, 20))[1].split(b" ", 2) for _ in range(3)]
    assert len({pid for pid, _, _ in said}) == 3
    assert len({parent for _, parent, _ in said}) == 1
    assert {arguments for *_, arguments in said} == {b"['a', 'b']\n"}


async def test_after_one_that_hung_the_next_picture_is_taken(decoder_that: Callable[[str], None]) -> None:
    decoder_that("import signal, sys; print(1, flush=True); sys.argv[1] == 'hang' and signal.pause()")
    async with Decoder() as decoder:
        with pytest.raises(TimeoutError):
            await decoder.decode(["hang"], b"", 9, 2)
        assert await decoder.decode(["go"], b"", 9, 20) == (0, b"1\n")


async def test_one_that_was_ended_while_it_waited_is_started_anew(
    meddle: Callable[[signal.Signals], Spawned],
) -> None:
    children = meddle(signal.SIGCONT)
    async with Decoder() as decoder:
        await take_in(encoded(scene(), "PNG"), decoder=decoder)
        first = await children.get()
        first.kill()
        await first.wait()
        await take_in(encoded(scene(), "PNG"), decoder=decoder)
        assert (await children.get()).returncode is None


async def test_nothing_of_them_is_left_when_they_are_ended(meddle: Callable[[signal.Signals], Spawned]) -> None:
    children = meddle(signal.SIGCONT)
    async with Decoders(2) as pool:
        async with pool.take() as one, pool.take() as other:
            assert one is not other
            await asyncio.gather(*(take_in(encoded(scene(), "PNG"), decoder=decoder) for decoder in (one, other)))
        async with pool.take() as again:
            await take_in(encoded(scene(), "PNG"), decoder=again)
    assert [children.get_nowait().returncode for _ in range(2)] == [-signal.SIGKILL] * 2
    assert children.empty()


@pytest.mark.parametrize("threads", [False, True])
async def test_a_child_finds_every_door_closed(*, threads: bool) -> None:
    """The decoder's own precautions, tried from inside a process that has taken them."""
    attempt = """
import json, os, socket, sys
from types import SimpleNamespace
from bot.decoder import sandbox
limits = json.loads(sys.argv[1])
sandbox.give_up_rights(SimpleNamespace(**limits), threads=limits["threads"])
for name, attempt in {
    "file": lambda: open("/etc/passwd"),
    "socket": socket.socket,
    "memory": lambda: bytearray(2**31),
}.items():
    try:
        attempt()
    except (OSError, MemoryError):
        print(name, "closed")
"""
    limits = json.dumps({"memory": 2**30, "cpu_seconds": 9, "threads": threads})
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", attempt, limits), env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    )
    said, _ = await child.communicate()
    assert said.decode().splitlines() == ["file closed", "socket closed", "memory closed"]


_HIJACKED = """
import os, sys
from bot.decoder import decode, formats, sandbox
from types import SimpleNamespace
formats.prepare(limits := SimpleNamespace(**{limits!r}), heif=True)
if os.getuid() == 0:  # whom the system does not count the processes of
    os.setgid(65534), os.setuid(65534)
sandbox.give_up_rights(limits, threads=True)
answer, png = decode.answer_for(sys.stdin.buffer.read(), limits)
print(answer)
for way in (os.fork, lambda: os.execv("/bin/true", ["true"]), lambda: os.posix_spawn("/bin/true", ["true"], {{}})):
    try:
        way()
    except OSError as error:
        print(error.strerror)
"""


def test_a_library_that_needs_threads_gets_those_alone() -> None:
    script = _HIJACKED.format(limits=dataclasses.asdict(Limits()))
    data = encoded(scene().resize((300, 200)), "HEIF", tile_size=64)
    child = subprocess.run([sys.executable, "-c", script], cwd=ROOT, input=data, capture_output=True, check=False)
    size = {"width": 300, "height": 200, "original_width": 300, "original_height": 200}
    refused = ["Operation not permitted"] * 3 if sys.platform == "linux" else ["Resource temporarily unavailable"] * 3
    assert child.stdout.decode().splitlines() == [str(size), *refused], child.stderr.decode()
