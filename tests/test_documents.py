"""What the documents name exists: files, folders, links, and what `make` and `impasto` are told to do."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.terminal.main import cli

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PLACES = [ROOT, ROOT / "engine", ROOT / "bot"]
"""Where a path that is named may begin."""
ROOMS = {path.name for place in PLACES for path in place.iterdir() if path.is_dir()} - {"out", "packages"}
SOURCES = {
    path.name
    for folder in ("bot", "engine", "training", "tests", "benchmarks", "examples", "deploy")
    for path in (ROOT / folder).rglob("*.*")
} | {path.name for path in ROOT.iterdir()}


def words_of_code(text: str) -> list[str]:
    """Words between backticks and on indented lines, without what punctuates them."""
    code = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4,}(.+)$", text, re.MULTILINE)]
    return [word.strip("(),;:\"'") for line in code for word in line.split()]


def missing_paths(text: str) -> list[str]:
    missing = []
    for word in words_of_code(text):
        if re.fullmatch(r"\w[\w.-]*(/[\w.-]+)+/?", word) and word.split("/")[0] in ROOMS:
            if not any((place / word).exists() for place in PLACES):
                missing.append(word)
        elif re.fullmatch(r"\w+\.(py|lua|sh|toml|yaml)", word) and word not in SOURCES:
            missing.append(word)
    return [path for path in missing if "NAME" not in path]


def missing_links(text: str, document: Path) -> list[str]:
    missing = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, heading = link.partition("#")
        target = document.parent / path if path else document
        if not link.startswith("http") and not (
            target.exists() and (not heading or heading in headings(target.read_text()))
        ):
            missing.append(link)
    return missing


def headings(text: str) -> set[str]:
    """As links name them: lower case, words with hyphens between them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def missing_commands(text: str) -> list[str]:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join([*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4,}(.+)$", text, re.MULTILINE)])
    make = set(re.findall(r"^(?:\S+=\S+ )*make ([a-z][\w-]*)", code, re.MULTILINE)) - targets
    impasto = set(re.findall(r"^(?:.*\w/)?impasto ([a-z]+)", code, re.MULTILINE)) - set(cli.commands)
    return [*(f"make {name}" for name in make), *(f"impasto {name}" for name in impasto)]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    assert missing_paths(text) == []
    assert missing_links(text, ROOT / document) == []
    assert missing_commands(text) == []


def test_what_does_not_exist_is_found() -> None:
    assert missing_paths(
        "`engine/no_such.py`, `tests/nowhere/`, `no_such.lua`, `bot/cards` and\n\n    ls docs/no.md\n"
    ) == [
        "engine/no_such.py",
        "tests/nowhere/",
        "no_such.lua",
        "docs/no.md",
    ]
    assert missing_links(
        "[a](no.md) [b](docs/fine.md#no-such) [c](docs/fine.md#strength-and-size)", ROOT / "README.md"
    ) == [
        "no.md",
        "docs/fine.md#no-such",
    ]
    assert missing_commands("`make nothing` `impasto nothing` `make test` `impasto up`") == [
        "make nothing",
        "impasto nothing",
    ]


def test_the_demo_paints_with_what_comes_along() -> None:
    """The README promises a first painting without the download of weights that `auto` would try."""
    (recipe,) = re.findall(r"^demo:.*\n\t(.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert " --weights starter " in recipe


def test_what_holds_the_token_is_made_so_that_no_other_user_reads_it() -> None:
    texts = {name: (ROOT / name).read_text() for name in ("README.md", ".env.example", "docs/deploy.md")}
    for text in texts.values():
        assert re.search(r"install (-D )?-m 0?600 \S*\.env\.example ", text)
    # A line of its own and the first one, so that all that follows is made so.
    backups = re.findall(r"((?:^ {4}.*\n)+)", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    backups = [block for block in backups if "to=/backup/" in block]
    assert [block.split()[:2] for block in backups] == [["umask", "077"]] * 2


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[([^\]]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version
