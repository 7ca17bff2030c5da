"""`python launch.py API_URL GATEWAY_URL MODULE:FUNCTION NAME -- ARGUMENTS`: a bot's command, turned to a local server.

The bot needs no switch for this: only what discord.py itself keeps as its addresses is changed.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from urllib.parse import urlsplit

import discord.asset
import discord.gateway
import discord.http
import yarl


def point_discord_at(api_url: str, gateway_url: str) -> None:
    """Turns this process's discord.py from Discord to another server. Both addresses, or the token goes to Discord."""
    discord.http.Route.BASE = api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
    parts = urlsplit(api_url)
    discord.asset.Asset.BASE = f"{parts.scheme}://{parts.netloc}"


def main() -> None:
    api_url, gateway_url, entry, name, divider, *arguments = sys.argv[1:]
    if divider != "--":
        raise SystemExit("usage: launch.py API_URL GATEWAY_URL MODULE:FUNCTION NAME -- ARGUMENTS")
    # A script's own folder comes first on the path, and its modules are not the bot's.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).parent.resolve()]
    module, _, function = entry.partition(":")
    run = getattr(importlib.import_module(module), function)
    point_discord_at(api_url, gateway_url)
    sys.argv = [name, *arguments]
    run()


if __name__ == "__main__":
    main()
