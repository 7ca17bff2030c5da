"""`python tests/upgrades/make_state.py COMMIT NAME`: what an older commit leaves behind, as a fixture in `states/NAME`.

That commit's own bot and worker are run, against today's stand-in for Discord. They are stopped with one painting
under way, whose second snapshot has been told and not posted, and one that waits. `pixels.npz` has what that worker
makes of both when it goes on by itself. Needs the commit in this repository, and today's packages to run it with;
PYTHONPATH is the repository, `tests` and `tests/bot`.

The states: `0.1.0` is of 4385959 (the first release, recipes of version 1), `recipe-3` of 733ce48 (the oldest version
that is still painted), `recipe-4` of 1cbcdb2 (the last before 0.2.0).
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from discord_server.driver import Discord
from discord_server.message_text import buttons_of, files_of
from own_redis import OwnRedis
from PIL import Image
from redis import Redis
from scene import card_of, picture

ROOT = Path(__file__).parents[2]
SHORT = 3600_000
"""Milliseconds; what expires sooner is no part of the state, as heartbeats and leases are not."""
Json = dict[str, Any]
OPTIONS: dict[str, Json] = {
    "first": {"size": 64, "iterations": 90},
    "second": {"size": 64, "iterations": 24, "recipe": "classic"},
}


class OldProcess:
    """The bot or a worker of the older commit."""

    def __init__(self, command: list[str], checkout: Path, redis: str, folder: Path, **settings: str) -> None:
        ours = {"REDIS_URL": redis, "STORE_URL": (folder / "store").as_uri(), "IMPASTO_DATA": str(folder)}
        quick = {"IMPASTO_WEIGHTS": "random", "IMPASTO_SLICE_SECONDS": "0.3", "OMP_NUM_THREADS": "1"}
        environment = {**os.environ, "PYTHONPATH": str(checkout), **ours, **quick, **settings}
        self._process = subprocess.Popen(command, env=environment, cwd=checkout, stdout=subprocess.PIPE)

    def ready(self) -> OldProcess:
        """Waits for a worker's first line."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith(b"ready")
        return self

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def main(commit: str, name: str) -> None:
    target = ROOT / "tests" / "upgrades" / "states" / name
    with tempfile.TemporaryDirectory() as scratch, checked_out(commit, Path(scratch, "checkout")) as checkout:
        folder = Path(scratch, "data")
        (folder / "redis").mkdir(parents=True)
        redis = OwnRedis(folder / "redis")
        try:
            state = asyncio.run(leave(checkout, redis, folder))
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder / "store", target / "store")
            (target / "state.json").write_text(json.dumps(state, indent=1, ensure_ascii=False) + "\n")
            pixels = finish(checkout, redis, folder, [state["first"], state["second"]])
            np.savez_compressed(target / "pixels.npz", allow_pickle=False, **pixels)
        finally:
            redis.kill()


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


async def leave(checkout: Path, redis: OwnRedis, folder: Path) -> Json:
    """Runs bot and worker, stops both in the middle; what is in Redis and on Discord then."""
    async with Discord.start(20) as discord:
        left = await left_on_discord(discord, checkout, redis, folder)
    return {**left, "redis": dump(redis, folder)}


async def left_on_discord(discord: Discord, checkout: Path, redis: OwnRedis, folder: Path) -> Json:
    guild = await discord.guild("Studio")
    channel, ada = await guild.channel("paintings"), await guild.member("Ada")
    pictures = {"content": picture(folder / "harbour.png", 1), "style": picture(folder / "strokes.png", 2)}
    command = discord.bot_command("bot")
    bot = OldProcess(command, checkout, redis.url, folder, DISCORD_TOKEN=discord.token)
    worker = OldProcess(worker_command(), checkout, redis.url, folder).ready()
    try:
        await discord.until(lambda world: world.counts.get("identifies") and world.commands)
        first = await ada.slash(channel, "stylize", **pictures, **OPTIONS["first"])
        card = await discord.until(lambda world: card_of(world, channel, first.id))
        fault = await discord.fault(f"POST /channels/{card['id']}/messages", delay_s=600, skip=1)
        while not await fault.hits():  # noqa: ASYNC110 - the stand-in does not tell of it
            await asyncio.sleep(0.05)
        worker.end()
        second = await ada.slash(channel, "stylize", **pictures, **OPTIONS["second"])
        waiting = await discord.until(lambda world: card_of(world, channel, second.id))
        await discord.until(lambda world: world.channel(waiting))
        await second.shown()
    finally:
        bot.kill()
        worker.kill()
    posted = {one["id"]: list(files_of(one)) for one in discord.world.messages(card) if files_of(one)}
    return {
        "guild": guild.id, "channel": channel.id, "ada": ada.id, "bot": discord.bot_id,
        "first": first.id, "second": second.id, "cards": [shown(card), shown(waiting)],
        "posted": posted,
    }  # fmt: skip


def worker_command() -> list[str]:
    run = "import sys; from bot.terminal.main import run; sys.argv = ['impasto', 'worker', '--device', 'cpu']; run()"
    return [sys.executable, "-c", run]


def shown(card: Json) -> Json:
    """What is needed to post it anew."""
    return {"id": card["id"], "files": list(files_of(card)), "buttons": [one["custom_id"] for one in buttons_of(card)]}


def dump(redis: OwnRedis, folder: Path) -> list[list[str]]:
    """The commands that make this Redis' data; how long a key lives on is written as seconds from now."""
    with Redis.from_url(redis.url, decode_responses=True) as client:
        client.bgrewriteaof()
        while client.info("persistence")["aof_rewrite_in_progress"]:
            pass
        left = {key: int(client.pttl(key)) for key in client.scan_iter()}
    (base,) = (folder / "redis" / "appendonlydir").glob("*.base.aof")
    commands = []
    for command in parse(base.read_bytes()):
        if command[0] == "SELECT" or 0 <= left.get(command[1], -1) < SHORT:
            continue
        expiry = ["EXPIRE", command[1], str(left.get(command[1], 0) // 1000)]
        commands.append(expiry if command[0] == "PEXPIREAT" else command)
    return commands


def parse(aof: bytes) -> list[list[str]]:
    """The commands of an append-only file without a preamble."""
    file, commands = io.BytesIO(aof), []
    while line := file.readline():
        assert line.startswith(b"*"), line
        command = []
        for _ in range(int(line[1:])):
            length = int(file.readline()[1:])
            command.append(file.read(length).decode())
            file.readline()
        commands.append(command)
    return commands


def finish(checkout: Path, redis: OwnRedis, folder: Path, jobs: list[str]) -> dict[str, np.ndarray[Any, Any]]:
    """What the older worker paints when it goes on."""
    worker = OldProcess(worker_command(), checkout, redis.url, folder).ready()
    with Redis.from_url(redis.url, decode_responses=True) as client:
        while client.smembers("impasto:open"):
            pass
        states = [client.hget(f"impasto:job:{job}", "state") for job in jobs]
    worker.end()
    assert states == ["done", "done"], states
    finals = {job: next((folder / "store" / "jobs" / job).glob("final*.png")) for job in jobs}
    return {job: np.asarray(Image.open(path).convert("RGB")) for job, path in finals.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("name")
    asked = parser.parse_args()
    main(asked.commit, asked.name)
