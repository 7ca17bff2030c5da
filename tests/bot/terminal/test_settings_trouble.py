"""What an operator sees whose settings are misspelt, or name a folder or a store that does not do."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from discord_server.driver import Discord
from impasto_command import PAINT, Here, left_over, make_room, run
from operator_command import impasto, told
from redis import Redis
from support.workers import WorkerPool
from tcp_redis import tcp_redis

from bot.terminal.local_stack import DIFFERENT_STORES
from engine.contract.store import Store
from engine.contract.store_users import ANOTHER_REDIS, sign
from engine.process import local_redis

WORKER = ("worker", "--weights", "random", "--device", "cpu")
DEPLOY = Path(__file__).parents[3] / "docs" / "deploy.md"


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=20, inside=True) as server:
        yield server


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("words", [("doctor",), ("bot",), ("up",), WORKER, PAINT], ids=lambda w: w[0])
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"IMPASTO_USERS_JOBS": "1"}, "There is no setting IMPASTO_USERS_JOBS: is IMPASTO_USER_JOBS meant?\n"),
        ({"STORE_URL": "/var/lib/x"}, "The setting STORE_URL is not usable: give a folder as file:///var/lib/impasto"),
    ],
    ids=["misspelt", "store"],
)
def test_a_wrong_setting_is_a_sentence_from_everybody(
    words: tuple[str, ...], wrong: dict[str, str], sentence: str, here: Here, tmp_path: Path
) -> None:
    settings = {"REDIS_URL": "redis://127.0.0.1:1", "DISCORD_TOKEN": "x" * 30, **wrong}
    # A worker takes the place of the command's process.
    reply = run(tmp_path, *words, **settings) if words == WORKER else here.run(*words, **settings)
    assert (reply.returncode, reply.stdout, reply.stderr.count("\n")) == (os.EX_CONFIG, "", 1)
    assert reply.stderr.startswith(sentence)


@pytest.mark.parametrize("words", [("bot",), ("up",), WORKER, ("gc",)], ids=lambda w: w[0])
async def test_a_name_that_nobody_reads_is_told_before_what_is_missing(
    words: tuple[str, ...], discord: Discord, tmp_path: Path
) -> None:
    wrong = {"IMPASTO_REDIS_URL": "redis://127.0.0.1:1", "IMPASTO_USER_JOBS": "3"}
    token = {"DISCORD_BOT_TOKEN": discord.token, "DISCORD_TOKEN": "", **wrong}
    _, _, err = await told(discord, tmp_path, *words, **token, REDIS_URL="")
    assert "There is no setting IMPASTO_REDIS_URL: is REDIS_URL meant?" in err
    needs_it = words in {("bot",), ("up",)}
    assert ("There is no setting DISCORD_BOT_TOKEN: is DISCORD_TOKEN meant?" in err) == needs_it
    assert "IMPASTO_USER_JOBS" not in err


async def test_the_doctor_tells_a_name_that_nobody_reads(discord: Discord, tmp_path: Path) -> None:
    status, out, _ = await told(discord, tmp_path, "doctor", IMPASTO_REDIS_URL="redis://127.0.0.1:1")
    assert status == os.EX_CONFIG
    assert "BAD  settings  There is no setting IMPASTO_REDIS_URL: is REDIS_URL meant?\n" in out


@pytest.mark.long
async def test_a_data_folder_that_is_none_is_a_sentence(discord: Discord, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    status, out, err = await told(discord, tmp_path, "doctor")
    lines = {line.split()[1]: line for line in out.splitlines()}
    assert (status, err) == (os.EX_CONFIG, "")
    assert [name for name, line in lines.items() if line.startswith("BAD")] == ["store", "disk"]
    assert f"The data folder {tmp_path}/data cannot be used (File exists): set IMPASTO_DATA to one" in lines["disk"]
    status, out, err = await told(discord, tmp_path, "up")
    assert (status, out, err.count("\n")) == (os.EX_CONFIG, "", 1)
    assert err.startswith(f"The data folder {tmp_path}/data cannot be used (File exists): set IMPASTO_DATA to one")
    for words in (("bot",), WORKER):  # before they wait for Redis
        status, out, err = await told(discord, tmp_path, *words, REDIS_URL="redis://127.0.0.1:1")
        assert (status, out) == (os.EX_CONFIG, "")
        assert err.splitlines()[-1].startswith(f"The store's folder {tmp_path}/data/store cannot be used (")
    assert left_over(tmp_path) == []


async def test_a_redis_that_throws_out_what_was_accepted_is_bad(discord: Discord, tmp_path: Path) -> None:
    with tcp_redis(tmp_path) as server:
        with Redis.from_url(f"redis://{server.place}") as redis:
            redis.config_set("maxmemory-policy", "allkeys-lru")
        status, out, _ = await told(discord, tmp_path, "doctor", REDIS_URL=f"redis://{server.place}")
    assert status == 1
    assert "BAD  Redis     It throws out what was accepted when its memory is full (allkeys-lru): set" in out


@contextmanager
def redis_with_a_file(folder: Path) -> Iterator[str]:
    """As a distribution sets it up, with snapshots alone, until its settings are changed in there; its URL."""
    file, unix, log = folder / "redis.conf", folder / "redis.sock", folder / "redis.log"
    if not file.exists():
        file.write_text(f"port 0\nunixsocket {unix}\ndir {folder}\nappendonly no\nsave 3600 1\n")
    with log.open("ab") as out:
        process = subprocess.Popen([local_redis.servers()[0], str(file)], stdout=out, stderr=out)
    try:
        assert local_redis.await_ready(process, unix), log.read_text()
        yield f"unix://{unix}"
    finally:
        process.terminate()
        process.wait()


async def test_a_redis_that_is_told_to_keep_its_file_as_is_said_still_has_what_it_had(
    discord: Discord, tmp_path: Path
) -> None:
    (folder := tmp_path / "redis").mkdir()
    with redis_with_a_file(folder) as url, Redis.from_url(url) as redis:
        redis.set("accepted", "this")
    with redis_with_a_file(folder) as url, Redis.from_url(url) as redis:
        status, out, _ = await told(discord, tmp_path, "doctor", REDIS_URL=url)
        (bad,) = re.findall(r"BAD  Redis     (.*)", out)
        assert status == 1
        assert bad.startswith("It forgets what was accepted when it is restarted: give it `redis-cli config set ")
        documented = re.findall(r"^ {4}redis-cli (config .+?)(?: +#.*)?$", DEPLOY.read_text(), re.MULTILINE)
        said = re.findall(r"`redis-cli ([^`]+)`", bad)
        assert [command for command in documented if command in said] == said
        for command in documented:
            assert redis.execute_command(*command.split())
        while redis.info("persistence")["aof_rewrite_in_progress"]:
            pass  # it does not end while it writes its first file
    with redis_with_a_file(folder) as url, Redis.from_url(url) as redis:
        assert redis.get("accepted") == b"this"
        assert redis.info("persistence")["aof_enabled"]
        assert redis.info("memory")["maxmemory_policy"] == "noeviction"


@pytest.mark.long
async def test_a_worker_with_another_store_is_told_by_everybody_before_a_picture_is_lost(
    discord: Discord, tmp_path: Path, pool: WorkerPool
) -> None:
    room, worker = make_room(tmp_path), pool.start_worker().ready()
    elsewhere = {"REDIS_URL": pool.url}  # and the store in the data folder, which is not the pool's
    status, out, _ = await told(discord, room, "doctor", **elsewhere)
    (bad,) = [line for line in out.splitlines() if line.startswith("BAD")]
    assert (status, DIFFERENT_STORES in bad) == (1, True)
    status, out, err = await told(discord, room, *PAINT, "-o", "out", **elsewhere)
    assert (status, out, err) == (os.EX_CONFIG, "", f"{DIFFERENT_STORES}\n")
    async with impasto(discord, room, "bot", **elsewhere) as process:
        assert process.stderr is not None
        while (entry := json.loads(await process.stderr.readline()))["level"] != "error":
            pass
        assert entry["event"] == f"{worker.said.split()[1]}: {DIFFERENT_STORES}"
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    _, out, _ = await told(discord, room, "doctor", REDIS_URL=pool.url, STORE_URL=pool.store_url)
    assert "BAD" not in out


@pytest.mark.long
async def test_a_store_that_another_redis_uses_is_bad(discord: Discord, tmp_path: Path, redis: ArqRedis) -> None:
    with tcp_redis(tmp_path) as server:
        here = {"REDIS_URL": f"redis://{server.place}", "STORE_URL": (tmp_path / "store").as_uri()}
        _, out, _ = await told(discord, tmp_path, "doctor", **here)
        assert "BAD  workers   None is there" in out
        await sign(redis, Store(here["STORE_URL"]))
        status, out, _ = await told(discord, tmp_path, "doctor", **here)
    assert (status, f"BAD  workers   {ANOTHER_REDIS}\n" in out) == (1, True)
