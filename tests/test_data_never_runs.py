"""Nothing that is read can run: neither what lies in Redis or the store, nor a file of weights."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("bot", "engine", "deploy") for path in (ROOT / folder).rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "code"}
BUILT_IN = {"eval", "exec", "compile", "__import__"}
BY_SHELL = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell"}


def findings(source: str) -> Iterator[str]:
    """What in this source would run data, or could."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name.split(".")[0] in MODULES or _renamed(alias))
            case ast.ImportFrom(module=str(module), names=names):
                yield from [module] if module.split(".")[0] in MODULES else []
                yield from ["torch.load"] if module.startswith("torch") and "load" in {n.name for n in names} else []
            case ast.Call():
                yield from _of_call(node)


def _renamed(alias: ast.alias) -> bool:
    """torch under another name: its `load` would not be known for what it is."""
    return alias.name.split(".")[0] == "torch" and alias.asname is not None and "." not in alias.name


def _of_call(call: ast.Call) -> Iterator[str]:
    told = {word.arg: word.value for word in call.keywords}
    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    if name in BUILT_IN or last in BY_SHELL or _is(told.get("shell"), value=True):
        yield name
    if name == "torch.load" and not _is(told.get("weights_only"), value=True):
        yield name
    if "allow_pickle" in told and not _is(told["allow_pickle"], value=False):
        yield name
    if name.startswith(("torch.jit.load", "torch.hub", "torch.package")):
        yield name
    if last == "import_module" and not all(isinstance(given, ast.Constant) for given in call.args):
        yield name


def _is(node: ast.expr | None, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def test_there_are_sources_to_look_at() -> None:
    assert len(SOURCES) > 100


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_source_runs_what_it_reads(path: Path) -> None:
    assert list(findings(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    ["import pickle", "import os, marshal as m", "from shelve import open", "def f():\n  from dill import loads",
     "eval(x)", "exec(x)", "import torch as t", "from torch.serialization import load", "torch.load(x)",
     "torch.load(x, weights_only=False)", "torch.load(x, weights_only=safe)", "torch.hub.load(x)",
     "np.load(x, allow_pickle=True)", "numpy.load(x, allow_pickle=own)", "os.system(x)", "run(x, shell=True)",
     "importlib.import_module(x)", "__import__(x)", "asyncio.create_subprocess_shell(x)"],
)  # fmt: skip
def test_the_look_at_the_sources_finds(source: str) -> None:
    assert list(findings(source))
