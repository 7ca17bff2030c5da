"""`impasto up` and `impasto doctor`, as an operator sees them, in front of the stand-in for Discord."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord_server.driver import Discord
from discord_server.message_text import text_of
from impasto_command import left_over
from operator_command import impasto, told
from scene import SMALL, card_of, picture


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=20, inside=True) as server:
        yield server


def without_torch(folder: Path) -> dict[str, str]:
    """The environment of a Python that finds no torch, as in the bot's image."""
    (folder / "sitecustomize.py").write_text(
        "import importlib.machinery as m\nfind = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = lambda name, *rest: None if name == 'torch' else find(name, *rest)\n"
    )
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


async def test_up_is_all_that_a_small_server_needs(discord: Discord, tmp_path: Path) -> None:
    guild = await discord.guild("Studio")
    channel, ada = await guild.channel("paintings"), await guild.member("Ada")
    async with impasto(discord, tmp_path, "up") as process:
        await discord.until(lambda world: world.commands and world.counts["sessions"])
        content, style = picture(tmp_path / "harbour.png", 1), picture(tmp_path / "strokes.png", 2)
        asked = await ada.slash(channel, "stylize", content=content, style=style, **SMALL)
        card = await discord.until(lambda world: card_of(world, channel, asked.id))
        await discord.until(lambda world: "**Done**" in text_of(world.message(card)))
        status, _, err = await told(discord, tmp_path, "up")
        assert (status, err.count("\n")) == (1, 1)
        assert "Impasto runs already" in err
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert process.returncode == 0
    assert left_over(tmp_path) == []


@pytest.mark.long
async def test_up_says_in_one_line_why_its_worker_cannot_start(discord: Discord, tmp_path: Path) -> None:
    status, _, err = await told(discord, tmp_path, "up", IMPASTO_WEIGHTS="/nowhere/weights.pth")
    assert status == os.EX_CONFIG
    assert "/nowhere/weights.pth" in err
    assert "Traceback" not in err
    assert left_over(tmp_path) == []


async def test_the_doctor_tells_each_thing_in_a_line(discord: Discord, tmp_path: Path) -> None:
    status, out, err = await told(discord, tmp_path, "doctor")
    lines = {line.split()[1]: line for line in out.splitlines()}
    checked = ["settings", "token", "intents", "commands", "Redis", "store", "workers", "weights", "GPU", "disk"]
    assert list(lines) == checked
    assert (status, err) == (0, "")
    assert [name for name, line in lines.items() if not line.startswith("ok ")] == []
    assert "not told them yet" in lines["commands"]
    assert "guilds" in lines["intents"]


async def test_the_doctor_tells_a_valkey_by_its_own_version(
    discord: Discord, tmp_path: Path, empty_redis_url: str
) -> None:
    _, out, _ = await told(discord, tmp_path, "doctor", REDIS_URL=empty_redis_url)
    assert re.search(r"^ok +Redis +Valkey \d+\.\d+\.\d+, append-only file on$", out, re.MULTILINE)


@pytest.mark.long
async def test_the_doctor_finds_what_is_wrong(discord: Discord, tmp_path: Path) -> None:
    ill = {"DISCORD_TOKEN": "not.the.token", "REDIS_URL": "redis://127.0.0.1:1", "IMPASTO_WEIGHTS": "/nowhere.pth"}
    (tmp_path / "file").write_text("in the way")
    status, out, _ = await told(discord, tmp_path, "doctor", STORE_URL=f"file://{tmp_path}/file/store", **ill)
    bad = {line.split()[1] for line in out.splitlines() if line.startswith("BAD")}
    assert (status, bad) == (os.EX_CONFIG, {"token", "commands", "Redis", "store", "workers", "weights"})
    assert "not.the.token" not in out


async def test_the_doctor_needs_no_token_and_no_torch(discord: Discord, tmp_path: Path) -> None:
    """A worker's machine has no token, and the bot's image no torch."""
    status, out, err = await told(discord, tmp_path, "doctor", DISCORD_TOKEN="", **without_torch(tmp_path))
    lines = {line.split()[1]: line for line in out.splitlines()}
    assert (status, err) == (0, "")
    assert [name for name, line in lines.items() if not line.startswith("ok ")] == ["token", "commands", "GPU"]
    for name, why in (
        ("token", "DISCORD_TOKEN is not set here: only the bot needs it"),
        ("commands", "DISCORD_TOKEN is not set here: only the bot needs it"),
        ("GPU", "not to be seen from here, where no worker can run: run `impasto doctor` beside the workers"),
    ):
        assert lines[name] == f"--   {name:9} {why}"


@pytest.mark.parametrize(
    "words", [["up"], ["worker"], ["weights", "fetch"], ["paint", "a.png", "a.png", "-o", "out"],
              ["paint", "a.png", "a.png", "--dry-run"]]
)  # fmt: skip
async def test_what_needs_torch_says_so_in_a_sentence(discord: Discord, tmp_path: Path, words: list[str]) -> None:
    picture(tmp_path / "a.png", 1)
    status, _, err = await told(discord, tmp_path, *words, **without_torch(tmp_path))
    assert (status, "Traceback" in err) == (1, False)
    assert err.splitlines()[-1] == (
        "PyTorch is not installed here: do this where a worker is, as in a worker's container."
    )


@pytest.mark.parametrize("word", ["bot", "up"])
async def test_without_a_token_nothing_starts(discord: Discord, tmp_path: Path, word: str) -> None:
    status, out, err = await told(discord, tmp_path, word, DISCORD_TOKEN="")
    assert (status, out) == (os.EX_CONFIG, "")
    assert err == "The setting DISCORD_TOKEN is missing: put it into .env, as .env.example shows.\n"


async def test_a_malformed_setting_stops_the_start_in_one_line(discord: Discord, tmp_path: Path) -> None:
    status, _, err = await told(discord, tmp_path, "bot", IMPASTO_USER_JOBS="many")
    assert status == os.EX_CONFIG
    assert err.startswith("The setting IMPASTO_USER_JOBS is not usable: ")
    assert err.count("\n") == 1


async def test_the_bot_needs_a_redis(discord: Discord, tmp_path: Path) -> None:
    status, _, err = await told(discord, tmp_path, "bot")
    assert (status, err.count("\n")) == (os.EX_CONFIG, 1)
    assert "impasto up" in err


async def test_a_token_that_discord_refuses_ends_the_bot_in_one_line(discord: Discord, tmp_path: Path) -> None:
    refused = {"DISCORD_TOKEN": "not.the.token", "REDIS_URL": "redis://127.0.0.1:1"}
    status, _, err = await told(discord, tmp_path, "bot", **refused)
    assert status == os.EX_CONFIG
    assert err.splitlines()[-1].startswith("Discord does not accept DISCORD_TOKEN")
    assert "Traceback" not in err
