"""The floors, seen from outside: what each of them may import."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def modules_of(package: str) -> list[str]:
    """All modules of a package of the engine, by their whole names."""
    paths = (ROOT / "engine" / package).rglob("[!_]*.py")
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)


PAINTING = modules_of("painting")
WITHOUT_TORCH = [
    sorted(f"engine.{package}.{path.stem}" for path in (ROOT / "engine" / package).rglob("[!_]*.py"))
    for package in ("recipe", "process", "contract", "forecast")
]
IMPORT = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"


MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION = 300, 60
LEANING = re.compile(r"(The same|Nor|Likewise|Of|Those|That|Them|Its|Their)\b")
"""First words of a docstring that says nothing without the line above it."""


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def packages(*modules: str) -> set[str]:
    """The packages that a fresh interpreter holds after importing the modules."""
    return {name.split(".")[0] for name in run("-c", IMPORT, *modules).split()}


@pytest.mark.parametrize("modules", [["engine"], ["bot"], *WITHOUT_TORCH])
def test_rooms_without_torch_need_none(modules: list[str]) -> None:
    assert not packages(*modules) & {"torch", "torchvision", "numpy", "matplotlib", "safetensors", "discord"}


def test_the_terminal_command_needs_no_torch_to_start() -> None:
    assert not packages("bot.terminal.main") & {"torch", "torchvision", "matplotlib", "safetensors", "babel"}


def test_a_worker_says_what_is_wrong_before_it_loads_torch() -> None:
    refused = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "engine.worker"], cwd=ROOT, env=os.environ | {"REDIS_URL": "none"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    *imports, said = refused.stderr.splitlines()
    assert said.startswith("The setting REDIS_URL is not usable: ")
    loaded = {line.rpartition("|")[2].strip() for line in imports}
    assert "engine.contract.settings" in loaded
    assert "torch" not in loaded


def test_a_worker_loads_matplotlib_only_for_its_first_plot() -> None:
    found = packages("engine.worker.main")
    assert {"torch", "arq"} < found
    assert "matplotlib" not in found


def test_the_paint_floor_stands_on_torch_and_pillow_alone() -> None:
    assert {"engine.painting.painter", "engine.painting.losses"} < set(PAINTING)
    found = packages(*PAINTING)
    assert {"torch", "PIL"} < found
    assert not found & {
        "redis", "arq", "pydantic", "pydantic_settings", "obstore", "safetensors", "structlog", "click", "discord",
    }  # fmt: skip


def test_each_room_has_modules_to_look_at() -> None:
    found = {module for modules in WITHOUT_TORCH for module in modules}
    assert {"engine.recipe.cost", "engine.process.logs", "engine.contract.jobs", "engine.forecast.open_jobs"} < found


def test_arrows_between_floors_only_point_down() -> None:
    """Import-linter reads every import of the source, also those that no test runs."""
    assert "0 broken" in run("-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache")


def sources() -> Iterator[tuple[Path, str]]:
    """Every file of bot and engine, as a path below the root, and its text."""
    for path in sorted(path for package in ("bot", "engine") for path in (ROOT / package).rglob("*.py")):
        yield path.relative_to(ROOT), path.read_text()


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """The docstrings of modules, classes and functions, and what stands below attributes: every string on its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


@pytest.mark.parametrize("package", ["bot", "engine"])
def test_a_docstring_is_understood_without_its_neighbours(package: str) -> None:
    leaning = [
        f"{place}:{doc.lineno}: {str(doc.value).splitlines()[0]}"
        for place, text in sources()
        if place.parts[0] == package
        for doc in docstrings(ast.parse(text))
        if LEANING.match(str(doc.value).lstrip())
    ]
    assert not leaning, "say what it is, returns or holds:\n" + "\n".join(leaning)


def test_files_and_functions_are_short() -> None:
    too_long = []
    for place, text in sources():
        if text.count("\n") > MOST_LINES_OF_A_FILE:
            too_long.append(f"{place} has {text.count(chr(10))} lines, and {MOST_LINES_OF_A_FILE} is the most")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    too_long.append(f"{place}: {node.name} has {lines}, and {MOST_LINES_OF_A_FUNCTION} is the most")
    assert not too_long, "\n".join(too_long)
