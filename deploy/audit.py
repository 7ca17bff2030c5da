"""`make audit`: asks OSV's database for known vulnerabilities of all that is locked. Arguments: uv, then the locks.

Exit status 0: none is known; 1: some are; 2: it could not be told. What was not looked up is not taken for sound.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

# Not among the locks: it runs in an environment of its own, and is part of nothing.
_TOOL = (
    "tool",
    "run",
    "--quiet",
    "pip-audit==2.10.1",
    "--disable-pip",
    "--require-hashes",
    "--vulnerability-service",
    "osv",
)
_FORMAT = ("--format", "json", "--progress-spinner", "off")


def main(uv: str, *locks: str) -> int:
    """Print a line for each finding, and one that sums up."""
    command = [uv, *_TOOL, *_FORMAT, *(word for lock in locks for word in ("--requirement", lock))]
    audit = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(audit.stdout)["dependencies"]
    except (ValueError, LookupError, TypeError):
        why = audit.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        print(f"Nothing was audited, for the database of vulnerabilities could not be asked: {why[0]}")
        return 2
    unknown = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    found = [_told(one, hole) for one in packages for hole in one.get("vulns", ())]
    print(*unknown, *found, sep="\n", end="\n" * bool(unknown or found))
    if found:
        print(f"Known vulnerabilities: {len(found)}. Raise the versions, and run `make lock`.")
        return 1
    if unknown or not packages:
        print(f"Not looked up: {len(unknown)} of {len(packages)} packages.")
        return 2
    print(f"No known vulnerability in {len(packages)} entries of the locks.")
    return 0


def _told(package: dict[str, Any], hole: dict[str, Any]) -> str:
    mended = f", mended in {' or '.join(hole['fix_versions'])}" if hole["fix_versions"] else ", not mended yet"
    return f"{package['name']} {package['version']}: {hole['id']}{mended}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
