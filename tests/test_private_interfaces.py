"""What other packages do not promise is used in one file each, and pyproject.toml keeps untried versions out."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("bot", "engine", "training", "benchmarks", "examples")
ADAPTERS = {
    "discord.py": {"bot/discord_api/private_api.py"},
    "arq": {"engine/contract/arq_keys.py", "engine/worker/arq_worker.py"},
    "torch": {"engine/painting/network/matrix_product.py"},
}
ARQ = {"job_counter", "sem", "allow_pick_jobs", "tasks", "main_task"}
"""Names without an underscore, which arq's documentation does not have either."""


def foreign_privates(source: str) -> Iterator[str]:
    """What is used of others' that begins with an underscore, or that arq keeps to itself."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    arq = any(isinstance(node, ast.ImportFrom) and (node.module or "") == "arq.worker" for node in nodes)
    own = {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_self(node.value)}
    for node in nodes:
        if isinstance(node, ast.Attribute):
            private = re.match(r"_[^_]", node.attr) and not _is_self(node.value) and node.attr not in own
            if (private and ast.unparse(node) != "os._exit") or (arq and node.attr in ARQ):
                yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in OURS:
            private_names = any(alias.name.startswith("_") for alias in node.names)
            if private_names or re.search(r"\._[^_]", node.module or "") or node.module == "arq.constants":
                yield ast.unparse(node)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def test_they_are_used_in_their_adapters_alone() -> None:
    using = {
        str(path.relative_to(ROOT))
        for folder in OURS
        for path in (ROOT / folder).rglob("*.py")
        if any(foreign_privates(path.read_text()))
    }
    assert using == set().union(*ADAPTERS.values())


@pytest.mark.parametrize(
    "line", ["client.http._global_over.set()", "torch._foreach_lerp_(a)", "from arq.constants import job_key_prefix",
             "from torch._dynamo import x", "from discord import _x", "from arq.worker import W\nw.job_counter -= 1"],
)  # fmt: skip
def test_another_use_would_be_found(line: str) -> None:
    assert list(foreign_privates(line))


@pytest.mark.parametrize("package", ADAPTERS)
def test_a_version_that_was_not_tried_is_kept_out(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (*project["dependencies"], *project["optional-dependencies"]["worker"])
    (bound,) = [match[1] for line in lines if (match := re.match(rf"{re.escape(package)}>=[\d.]+,<([\d.]+)$", line))]
    assert _numbers(importlib.metadata.version(package)) < _numbers(bound), (
        f"try what uses {package}'s private interfaces with this version, then move the bound in pyproject.toml"
    )


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version.split("+", maxsplit=1)[0])]
