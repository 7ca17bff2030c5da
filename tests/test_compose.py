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

Json = dict[str, Any]


def here(program: tuple[str, ...]) -> bool:
    """Whether it is, and is no docker without its compose, nor too old: docker-compose 1, podman-compose 1.0."""
    if shutil.which(program[0]) is None:
        return False
    said = subprocess.run([*program, "version"], capture_output=True, text=True, check=False)
    return said.returncode == 0 and not re.search(
        r"docker-compose version 1\.|podman-composer? version:? +1\.0\.", said.stdout
    )


@pytest.fixture(params=PROGRAMS, ids="-".join)
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Json:
    """By their names, as the program would start them."""
    if not here(request.param):
        pytest.skip(f"{' '.join(request.param)} is not here, or too old")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()))
    ours = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [*request.param, "config"]
    done = subprocess.run(command, cwd=tmp_path, env=ours, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: Json = yaml.safe_load(done.stdout)["services"]
    return told


def test_what_env_says_reaches_the_services_that_it_is_for(services: Json) -> None:
    bot, worker = services["bot"], services["worker-cpu"]
    assert bot["environment"]["REDIS_URL"] == worker["environment"]["REDIS_URL"] == SETTINGS["REDIS_URL"]
    assert worker["environment"]["DISCORD_TOKEN"] == ""
    assert str(worker["mem_limit"]) in ("5g", str(5 << 30))
    assert {"bot", "redis", "worker-cpu"} <= set(services)
