"""`python -m discord_server [--host ADDRESS] [--port N] [--until-stdin-closes]`, with PYTHONPATH=tests."""

from __future__ import annotations

import argparse
import asyncio
import sys

from discord_server.openapi import ABSENT
from discord_server.server import HOST, Server


async def serve(host: str, port: int, until_stdin_closes: bool) -> None:
    server = Server()
    address = await server.start(port, host)
    if not server.checks_openapi:
        sys.stderr.write(ABSENT + "\n")
    sys.stdout.write(f"listening {address}\n")
    sys.stdout.flush()
    try:
        if until_stdin_closes:
            await asyncio.to_thread(sys.stdin.read)
        else:
            await asyncio.Event().wait()
    finally:
        await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="discord_server", description="A stand-in for Discord on one local port.")
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when the parent does")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.host, arguments.port, arguments.until_stdin_closes))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
