"""The floors, seen from outside: what each of them may import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAINTING = sorted(f"engine.painting.{path.stem}" for path in (ROOT / "engine/painting").glob("[!_]*.py"))
CONTRACT = sorted(f"engine.contract.{path.stem}" for path in (ROOT / "engine/contract").glob("[!_]*.py"))
IMPORT = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def packages(*modules: str) -> set[str]:
    """The packages that a fresh interpreter holds after importing the modules."""
    return {name.split(".")[0] for name in run("-c", IMPORT, *modules).split()}


@pytest.mark.parametrize("modules", [["engine"], ["bot"], ["engine.recipe.recipe", "engine.recipe.cost"], CONTRACT])
def test_rooms_without_torch_need_none(modules: list[str]) -> None:
    assert not packages(*modules) & {"torch", "torchvision", "numpy", "matplotlib", "safetensors", "discord"}


def test_the_terminal_command_needs_no_torch_to_start() -> None:
    assert not packages("bot.terminal.main") & {"torch", "torchvision", "matplotlib", "safetensors"}


def test_the_paint_floor_stands_on_torch_and_pillow_alone() -> None:
    assert {"engine.painting.painter", "engine.painting.losses"} < set(PAINTING)
    found = packages(*PAINTING)
    assert {"torch", "PIL"} < found
    assert not found & {
        "redis", "arq", "pydantic", "pydantic_settings", "obstore", "safetensors", "structlog", "click", "discord",
    }  # fmt: skip


def test_the_contract_has_modules_to_look_at() -> None:
    assert {"engine.contract.jobs", "engine.contract.store"} < set(CONTRACT)


def test_arrows_between_floors_only_point_down() -> None:
    """Import-linter reads every import of the source, also those that no test runs."""
    assert "0 broken" in run("-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache")
