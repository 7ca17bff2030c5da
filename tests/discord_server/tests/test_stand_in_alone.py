"""The package needs nothing of the project that it lies in: other bots' tests may use it as it is."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
LOOK = """
import importlib, json, pkgutil, sys
import discord_server
for one in pkgutil.walk_packages(discord_server.__path__, "discord_server."):
    if not one.name.endswith("__main__"):
        importlib.import_module(one.name)
print(json.dumps([discord_server.__file__, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def test_the_wheel_stands_alone(tmp_path: Path) -> None:
    build = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"
    run = [sys.executable, "-c", build, str(tmp_path)]
    name = subprocess.run(run, cwd=PACKAGE, capture_output=True, text=True, check=True).stdout.split()[-1]
    with zipfile.ZipFile(tmp_path / name) as wheel:
        wheel.extractall(tmp_path / "site")
    assert {path.name for path in (tmp_path / "site").iterdir()} == {
        "discord_server",
        name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }
    assert not (tmp_path / "site" / "discord_server" / "tests").exists()
    environment = {"PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    file, modules = json.loads(done.stdout)
    assert Path(file).is_relative_to(tmp_path)
    assert not set(modules) & {"bot", "engine", "conftest", "pytest"}
