"""What is installed is what was locked, and what is started by compose is closed to the network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import discord
import pytest
import yaml
from pydantic import SecretStr, ValidationError

from bot.interactions.permissions import _NEEDS
from bot.settings import BotSettings
from engine.contract.settings import parse_address

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
COMPOSE = (ROOT / "compose.yaml").read_text()
OPENED = (ROOT / "deploy" / "compose.override.yaml").read_text()


def service(name: str) -> str:
    """Its lines in the compose file."""
    found = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", COMPOSE, re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_locked_by_version_and_hash_and_comes_from_the_installers_own_index(lock: Path) -> None:
    text = re.sub(r"\s*\\\n\s*", " ", lock.read_text())
    packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(packages) > 20
    for line in packages:
        package, *hashes = line.split(" --")
        assert re.fullmatch(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ;]+( ; .+)?", package), line
        assert hashes, package
        assert all(re.fullmatch(r"hash=sha256:[0-9a-f]{64}", one) for one in hashes), package


def test_every_lock_is_there() -> None:
    assert [lock.name for lock in LOCKS] == ["dev.txt", "front.txt", "worker.txt"]


@pytest.mark.parametrize("path", ["deploy/bot.Containerfile", "deploy/worker.Containerfile"])
def test_whatever_installs_a_lock_asks_for_the_hashes(path: str) -> None:
    text = (ROOT / path).read_text().replace("\\\n", " ")
    installing = [
        line for line in text.splitlines() if "requirements/" in line and re.search(r"pip (install|sync)", line)
    ]
    assert installing
    assert all("--require-hashes" in line for line in installing)


def test_the_set_up_asks_for_the_hashes() -> None:
    installing = [line for line in (ROOT / "deploy" / "install.py").read_text().splitlines() if '"sync"' in line]
    assert installing
    assert all("--require-hashes" in line for line in installing)


def published(text: str) -> list[str]:
    """The ports, in whatever service, of a compose file or of a part of one."""
    return re.findall(r'"([^"]+)"', " ".join(re.findall(r"^\s*ports\s*:(.*)", text, re.MULTILINE)))


def test_compose_publishes_nothing_beyond_this_machine_and_redis_reaches_nobody_outside() -> None:
    for text in (COMPOSE, OPENED):
        assert not re.search(r"^\s*(expose|network_mode|privileged|cap_add|pid|ipc)\s*:", text, re.MULTILINE)
        assert not re.search(r"^\s*ports\s*:\s*$", text, re.MULTILINE), "one a line is not read here"
    # Of what `--profile monitoring` starts, the two that have a page; and of the bot, nothing unless it is asked for.
    watching = {"prometheus": ["127.0.0.1:9090:9090"], "alertmanager": [], "grafana": ["127.0.0.1:3000:3000"]}
    assert published(COMPOSE) == [port for ports in watching.values() for port in ports]
    assert published(OPENED) == ["127.0.0.1:8080:8080", "127.0.0.1:9464:9464"]
    for part, ports in watching.items():
        assert published(service(part)) == ports
        assert "    profiles: [monitoring]\n" in service(part)
        assert "inside" not in service(part)
    for name, value in (("AUTH_BASIC_ENABLED", "false"), ("SECURITY_DISABLE_INITIAL_ADMIN_CREATION", "true")):
        assert f'      GF_{name}: "{value}"' in service("grafana"), "admin:admin may change what it likes"
    assert "networks: [inside]\n" in service("redis")
    assert "  inside: {internal: true}\n" in COMPOSE


def test_compose_reads_the_settings_file_that_the_documents_tell_of() -> None:
    """It looks for `.env` beside its own file; `docker compose` and podman-compose find that file without `-f`."""
    example = (ROOT / ".env.example").read_text()
    read = {*re.findall(r"\$\{(\w+)", COMPOSE + OPENED), "COMPOSE_PROFILES"}
    assert {"REDIS_URL", "WORKER_MEMORY", "ALERT_WEBHOOK", "IMPASTO_PAGE_TOKEN"} < read
    assert read <= set(re.findall(r"^#(\w+)=", example, re.MULTILINE))
    assert "env_file: .env\n" in COMPOSE
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        assert not re.search(r"compose (-f|--file|--env-file)", document.read_text()), document


def test_an_update_starts_anew_what_reads_the_files_beside_compose() -> None:
    """`up` leaves a service alone of which a file alone has changed."""
    services = yaml.safe_load(COMPOSE)["services"].items()
    mounting = {name for name, one in services if any(volume.startswith("./") for volume in one.get("volumes", []))}
    operations = (ROOT / "docs" / "operations.md").read_text()
    (recreated,) = re.findall(r"--force-recreate ([\w -]+?) *(?:#|$)", operations, re.MULTILINE)
    assert set(recreated.split()) == mounting
    assert mounting, "it mounts none"


def test_compose_lets_nobody_take_all_of_the_memory_or_the_processor_before_the_bot() -> None:
    for part in (service("redis"), service("bot"), COMPOSE[COMPOSE.index("x-worker:") : COMPOSE.index("services:")]):
        assert re.search(r"^ +mem_limit: \S+", part, re.MULTILINE)
    shares = [int(number) for number in re.findall(r"cpu_shares: (\d+)", COMPOSE)]
    assert shares == [256, 2048, 2048, 512, 512, 512]  # workers, Redis, the bot, and what watches them
    assert "cpus: ${WORKER_CPUS:-0}" in COMPOSE


def test_compose_gives_nobody_more_than_they_need() -> None:
    for part in (service("redis"), COMPOSE[COMPOSE.index("x-app:") : COMPOSE.index("x-worker:")]):
        for fence in ("read_only: true", "cap_drop: [ALL]", 'security_opt: ["no-new-privileges:true"]'):
            assert fence in part
    assert 'DISCORD_TOKEN: ""' in COMPOSE[COMPOSE.index("x-worker:") : COMPOSE.index("services:")]


def test_what_compose_publishes_of_the_bot_is_where_it_listens() -> None:
    """At every address of the container, or nothing could be passed on to it; so the page has a token."""
    told = yaml.safe_load(OPENED)["services"]["bot"]
    address, token = (told["environment"][name] for name in ("IMPASTO_PAGE", "IMPASTO_PAGE_TOKEN"))
    assert token.startswith("${IMPASTO_PAGE_TOKEN:?"), "compose says it where there is none"
    with pytest.raises(ValidationError, match="impasto_page_token"):
        BotSettings(discord_token=SecretStr("x"), impasto_page=address, impasto_page_token=SecretStr(""))
    page = BotSettings(discord_token=SecretStr("x"), impasto_page=address, impasto_page_token=SecretStr("x" * 16))
    (monitoring,) = re.findall(r"IMPASTO_MONITORING: (\S+)", service("bot"))
    assert page.page_address is not None
    listening = [page.page_address, parse_address(monitoring)]
    assert listening == [("0.0.0.0", int(port.split(":")[2])) for port in published(OPENED)]  # noqa: S104


def test_the_invitation_asks_for_what_it_takes_and_no_more() -> None:
    (asked,) = re.findall(r"&permissions=(\d+)", (ROOT / "docs" / "deploy.md").read_text())
    needed = {name for names in _NEEDS.values() for name in names}
    assert discord.Permissions(int(asked)) == discord.Permissions(**dict.fromkeys(needed, True))


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ("", 2, "Nothing was audited, for the database of vulnerabilities could not be asked: no route to it"),
        ("[]", 2, "Nothing was audited"),
        ({"name": "a", "version": "1", "vulns": []}, 0, "No known vulnerability in 1 entries of the locks."),
        ({"name": "a", "skip_reason": "not found"}, 2, "a: not found\nNot looked up: 1 of 1 packages."),
        (
            {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]},
            1,
            "a 1: CVE-1, mended in 2\nKnown vulnerabilities: 1. Raise the versions, and run `make lock`.",
        ),
    ],
)
def test_an_audit_takes_nothing_for_sound_that_was_not_looked_up(
    answer: str | dict[str, Any], status: int, words: str, tmp_path: Path
) -> None:
    uv = tmp_path / "uv"
    said = answer if isinstance(answer, str) else json.dumps({"dependencies": [answer]})
    uv.write_text(f"#!/bin/sh\necho 'no route to it' >&2\ncat <<'END'\n{said}\nEND\n")
    uv.chmod(0o700)
    audit = [sys.executable, str(ROOT / "deploy" / "audit.py"), str(uv), "a.txt"]
    done = subprocess.run(audit, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout.startswith(words)
