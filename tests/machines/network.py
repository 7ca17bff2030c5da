"""Switches, and machines whose cables can be cut. Only within `namespaces.entering`, for their names are global."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class Switch:
    """A network of `<prefix>.0/24`. This process is plugged in as `<prefix>.1`, and nobody cuts that off."""

    def __init__(self, name: str, prefix: str) -> None:
        self.name, self.own = name, f"{prefix}.1"
        self._prefix, self._last = prefix, 1
        # An address of its own, or it would be that of one of the ports, and change when this is pulled.
        ip("link", "add", "name", name, "address", f"02:00:00:00:00:{int(prefix.split('.')[1]):02x}", "type", "bridge")
        ip("address", "add", f"{self.own}/24", "dev", name)
        ip("link", "set", name, "up")

    def next_address(self) -> str:
        self._last += 1
        return f"{self._prefix}.{self._last}"


class Machine:
    """A network namespace, with a cable into each of these switches; `address` is the one in the first."""

    def __init__(self, name: str, *switches: Switch) -> None:
        self.name = name
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        addresses = []
        for switch in switches:
            port, address = self._port(switch), switch.next_address()
            ip("link", "add", "name", port, "type", "veth", "peer", "name", switch.name, "netns", name)
            ip("link", "set", port, "master", switch.name, "up")
            ip("-n", name, "address", "add", f"{address}/24", "dev", switch.name)
            ip("-n", name, "link", "set", switch.name, "up")
            addresses.append(address)
        self.address = addresses[0]

    def _port(self, switch: Switch) -> str:
        return f"{switch.name}-{self.name}"

    def command(self, command: Sequence[str]) -> list[str]:
        """The command line of a program that runs there."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *command]

    @asynccontextmanager
    async def unheard(self, switch: Switch) -> AsyncIterator[None]:
        """Whatever it sends into this network, or is sent from there, is dropped without a word."""
        ip("link", "set", self._port(switch), "nomaster")
        try:
            yield
        finally:
            ip("link", "set", self._port(switch), "master", switch.name)

    @asynccontextmanager
    async def unplugged(self, switch: Switch) -> AsyncIterator[None]:
        """Its interface into this network is down, and it knows."""
        ip("-n", self.name, "link", "set", switch.name, "down")
        try:
            yield
        finally:
            ip("-n", self.name, "link", "set", switch.name, "up")
