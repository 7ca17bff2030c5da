"""The compose file as the programs read it that start it, with the settings in the `.env` beside it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROGRAMS = (("docker", "compose"), ("docker-compose",), ("podman-compose",))
SETTINGS = {
    "COMPOSE_PROFILES": "cpu",
    "DISCORD_TOKEN": "abc",
    "WORKER_MEMORY": "5g",
    "REDIS_URL": "redis://elsewhere/0",
}

TOKEN = "IMPASTO_PAGE_TOKEN"

Json = dict[str, Any]


class Refused(Exception):
    """What the program said."""


def here(program: tuple[str, ...]) -> bool:
    """Whether it is, and is no docker without its compose, nor too old: docker-compose 1, podman-compose 1.0."""
    if shutil.which(program[0]) is None:
        return False
    said = subprocess.run([*program, "version"], capture_output=True, text=True, check=False)
    return said.returncode == 0 and not re.search(
        r"docker-compose version 1\.|podman-composer? version:? +1\.0\.", said.stdout
    )


@pytest.fixture(params=PROGRAMS, ids="-".join)
def program(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if not here(request.param):
        pytest.skip(f"{' '.join(request.param)} is not here, or too old")
    return tuple(request.param)


def services(program: tuple[str, ...], room: Path, **more: str) -> Json:
    """By their names, as the program would start them."""
    shutil.copy(ROOT / "compose.yaml", room)
    settings = {**SETTINGS, **more}
    (room / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    ours = {name: value for name, value in os.environ.items() if name not in {*settings, TOKEN}}
    done = subprocess.run([*program, "config"], cwd=room, env=ours, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr)
    told: Json = yaml.safe_load(done.stdout)["services"]
    return told


def published(service: Json) -> set[str]:
    """In the short form, whichever the program tells it in."""
    return {
        port if isinstance(port, str) else f"{port.get('host_ip', '')}:{port['published']}:{port['target']}"
        for port in service.get("ports", [])
    }


def test_what_env_says_reaches_the_services_that_it_is_for(program: tuple[str, ...], tmp_path: Path) -> None:
    told = services(program, tmp_path)
    bot, worker = told["bot"], told["worker-cpu"]
    assert bot["environment"]["REDIS_URL"] == worker["environment"]["REDIS_URL"] == SETTINGS["REDIS_URL"]
    assert worker["environment"]["DISCORD_TOKEN"] == ""
    assert str(worker["mem_limit"]) in ("5g", str(5 << 30))
    assert {"bot", "redis", "worker-cpu"} <= set(told)
    assert not any(published(one) for one in told.values())


def test_page_and_health_are_published_to_this_machine_when_they_are_asked_for(
    program: tuple[str, ...], tmp_path: Path
) -> None:
    shutil.copy(ROOT / "deploy" / "compose.override.yaml", tmp_path)
    with pytest.raises(Refused, match=TOKEN):
        services(program, tmp_path)
    told = services(program, tmp_path, IMPASTO_PAGE="8080", IMPASTO_PAGE_TOKEN="0123456789abcdef")
    assert {name: ports for name, one in told.items() if (ports := published(one))} == {
        "bot": {"127.0.0.1:8080:8080", "127.0.0.1:9464:9464"}
    }
    environment = told["bot"]["environment"]
    assert (environment["IMPASTO_PAGE"], environment[TOKEN]) == ("0.0.0.0:8080", "0123456789abcdef")
    assert environment["IMPASTO_MONITORING"] == "0.0.0.0:9464"
