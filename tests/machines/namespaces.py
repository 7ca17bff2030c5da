"""How to get a network of one's own: Linux lets root have one, and on many systems everybody.

The namespaces, and all interfaces and mounts in them, are the kernel's to take away with the last process in them, so
nothing is left behind however that ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_OWN = ("--net", "--mount")
_WAYS = (("unshare", "--user", "--map-root-user", *_OWN), ("unshare", *_OWN))
_SETUP = "mount -t tmpfs none /run && mkdir /run/netns && ip link set lo up"
_PROBE = (
    f"{_SETUP} && ip netns add probe && ip link add name switch type bridge"
    " && ip link add name port type veth peer name cable netns probe"
)
_PROGRAMS = ("unshare", "nsenter", "ip", "openssl")


class NotAllowedError(Exception):
    """There can be no such network here; the text says why."""


def environment() -> dict[str, str]:
    """With the folders in which system programs are, and ours, and without proxies: there is nothing outside."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    ours = os.pathsep.join(str(_ROOT / folder) for folder in ("", "tests", "tests/bot"))
    return kept | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin", "PYTHONPATH": ours}


def entering(command: list[str]) -> list[str]:
    """The command line that runs `command` in a network of its own. Raises `NotAllowedError`."""
    missing = [name for name in _PROGRAMS if shutil.which(name, path=environment()["PATH"]) is None]
    if missing:
        raise NotAllowedError(f"{' and '.join(missing)} cannot be found")
    reason = ""
    for way in _WAYS:
        tried = subprocess.run(
            [*way, "sh", "-c", _PROBE], env=environment(), capture_output=True, text=True, check=False
        )
        if tried.returncode == 0:
            return [*way, "sh", "-c", f'{_SETUP} && exec "$@"', "sh", *command]
        reason = tried.stderr.strip().replace("\n", "; ")
    raise NotAllowedError(f"network namespaces are not allowed here: {reason}")
