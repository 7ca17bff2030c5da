"""A container's memory limit, and a systemd unit's, as control groups tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.process.memory_limits import memory_limits

GIB = 2**30


@pytest.fixture
def membership(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "tree"


def group(folder: Path, most: str, used: int, idle: int, *, version: int = 2) -> None:
    limit, usage, name = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        2: ("memory.max", "memory.current", "inactive_file"),
    }[version]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / limit).write_text(f"{most}\n")
    (folder / usage).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file 7\n{name} {idle}\n")


def test_a_units_own_limit_and_those_around_it(membership: Path, tree: Path) -> None:
    membership.write_text("0::/system.slice/impasto-worker@0.service\n")
    group(tree / "system.slice" / "impasto-worker@0.service", str(12 * GIB), 3 * GIB, GIB)
    group(tree / "system.slice", str(20 * GIB), 15 * GIB, 0)
    group(tree / "other.slice", "1", 1, 0)
    assert memory_limits(membership, tree) == [(12 * GIB, 2 * GIB), (20 * GIB, 15 * GIB)]


def test_a_container_sees_its_own_group_at_the_root(membership: Path, tree: Path) -> None:
    membership.write_text("0::/\n")
    group(tree, str(4 * GIB), GIB, 0)
    assert memory_limits(membership, tree) == [(4 * GIB, GIB)]


def test_the_first_version_has_a_tree_for_each_controller(membership: Path, tree: Path) -> None:
    membership.write_text("5:cpu,cpuacct:/job\n4:memory:/job\n1:name=systemd:/init.scope\n0::/\n")
    group(tree / "memory" / "job", str(2 * GIB), GIB, 300, version=1)
    group(tree / "memory", str(2**63 - 4096), 9 * GIB, 0, version=1)
    assert sorted(memory_limits(membership, tree)) == [(2 * GIB, GIB - 300), (2**63 - 4096, 9 * GIB)]


@pytest.mark.parametrize("stat", ["", "anon 5\n", "inactive_file\n", None])
def test_where_idle_copies_are_not_told_all_that_is_used_counts(membership: Path, tree: Path, stat: str | None) -> None:
    membership.write_text("no such line\n")
    group(tree, str(4 * GIB), GIB, 0)
    if stat is None:
        (tree / "memory.stat").unlink()
    else:
        (tree / "memory.stat").write_text(stat)
    assert memory_limits(membership, tree) == [(4 * GIB, GIB)]


@pytest.mark.parametrize("known", [True, False])
def test_without_a_limit_there_is_none(membership: Path, tree: Path, known: bool) -> None:
    if known:
        membership.write_text("0::/user.slice\n")
        group(tree / "user.slice", "max", GIB, 0)
    assert memory_limits(membership, tree) == []
