"""What a release is made of: the list of packages in each image, the images' labels, and the workflow's steps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LOCKS = {"impasto-bot": "front.txt", "impasto-worker-cuda": "worker.txt", "impasto-worker-cpu": "worker.txt"}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def lists() -> dict[str, Json]:
    """By image, what deploy/sbom.sh writes of it."""
    made = subprocess.run(
        ["sh", str(ROOT / "deploy" / "sbom.sh"), sys.executable], capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stderr) == (0, "")
    return {name: json.loads((ROOT / "out" / "sbom" / f"{name}.cdx.json").read_text()) for name in LOCKS}


@pytest.mark.long
@pytest.mark.parametrize("image", LOCKS)
def test_the_list_has_each_locked_package_with_version_and_hashes(image: str, lists: dict[str, Json]) -> None:
    text = (ROOT / "requirements" / LOCKS[image]).read_text()
    locked = dict(re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==([^ ;]+)", text, re.MULTILINE))
    if image.endswith("-cpu"):
        gone = (ROOT / "deploy" / "gpu-only.txt").read_text().split()
        assert gone
        locked = {name: version for name, version in locked.items() if name not in gone}
    found = lists[image]["components"]
    assert {one["name"]: one["version"] for one in found} == locked
    for one in found:
        (place,) = one["externalReferences"]
        assert all(re.fullmatch("[0-9a-f]{64}", line["content"]) for line in place["hashes"]), one["name"]
    version = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert [lists[image]["metadata"]["component"][name] for name in ("name", "version")] == ["impasto", *version]


@pytest.mark.parametrize("image", ["bot", "worker"])
def test_an_image_says_what_it_is_and_all_that_a_release_tells_it(image: str) -> None:
    text = (ROOT / "deploy" / f"{image}.Containerfile").read_text()
    label = "org.opencontainers.image."
    last = text[text.rindex("\nFROM ") :]
    said = dict(re.findall(rf'{re.escape(label)}([a-z.]+)="(.+?)"', last))
    assert set(said) == {"title", "description", "licenses", "version", "revision", "created", "base.digest"}
    told = set(re.findall(r'--build-arg "(\w+)=', (ROOT / "deploy" / "release.sh").read_text()))
    assert {value.removeprefix("$") for value in said.values() if value.startswith("$")} < told
    taken = {word.partition("=")[0] for line in re.findall(r"^ARG (.+)$", text, re.MULTILINE) for word in line.split()}
    assert told - taken <= {"DEVICE"}  # which the bot's image has no use for


def test_both_images_have_the_same_base() -> None:
    texts = [path.read_text() for path in ROOT.glob("deploy/*.Containerfile")]
    assert len(texts) == 2
    assert len({re.findall(r"^ARG BASE=(.+)$", text, re.MULTILINE)[0] for text in texts}) == 1


def release(tmp_path: Path, target: str) -> tuple[int, list[str], str]:
    """deploy/release.sh with stand-ins for buildah and skopeo: its status, what they were told, and what it printed."""
    tools, told = tmp_path / "tools", tmp_path / "told"
    tools.mkdir()
    for name, says in (("buildah", "sha256:local"), ("skopeo", "sha256:remote")):
        # A push leaves the digest of what was pushed.
        text = (
            f'echo "{name} $*" >>{told}\ncase $1 in push) echo sha256:pushed >"$3" ;; *inspect) echo {says} ;; esac\n'
        )
        (tools / name).write_text(f"#!/bin/sh\n{text}")
        (tools / name).chmod(0o700)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    command = ["sh", str(ROOT / "deploy" / "release.sh"), target]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, told.read_text().splitlines(), done.stdout


def test_a_release_builds_all_images_on_one_base_that_is_pinned(tmp_path: Path) -> None:
    status, told, printed = release(tmp_path, "docker://host.example/painters")
    assert status == 0
    asked, *rest = told
    (name,) = re.findall(r"^ARG BASE=(.+)$", (ROOT / "deploy" / "bot.Containerfile").read_text(), re.MULTILINE)
    assert asked.startswith("skopeo inspect ")
    assert asked.endswith(f"docker://{name}")
    builds = [line for line in rest if line.startswith("buildah bud ")]
    assert len(builds) == 3
    for build in builds:
        assert (
            f"--build-arg BASE={name.rpartition(':')[0]}@sha256:remote --build-arg BASE_DIGEST=sha256:remote" in build
        )
    version = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
    images = [f"impasto-bot:{version}", f"impasto-worker:{version}-cpu", f"impasto-worker:{version}-cuda"]
    pushes = [line.split()[-2:] for line in rest if line.startswith("buildah push ")]
    assert pushes == [[image, f"docker://host.example/painters/{image}"] for image in images]
    assert printed.splitlines() == [f"{image} sha256:pushed" for image in images]
    assert [re.findall(r"DEVICE=(\S+)", build) for build in builds][1:] == [["cpu"], ["cuda"]]


def test_the_workflow_s_steps_are_shell_that_runs_nothing_of_others() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "write"}
    for step in job["steps"]:
        assert set(step) <= {"name", "run", "env"}
        checked = subprocess.run(["sh", "-n"], input=step["run"], capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")
        for path in re.findall(r"deploy/\S+?\.sh", step["run"]):
            assert (ROOT / path).is_file()
        # What anybody can choose is a variable of the shell's, never a part of its text.
        assert "${{" not in step["run"]
