"""`python -m machines.host redis|s3 …`: what runs on the machines that are neither bot nor worker, until it is ended.

redis FOLDER ADDRESS PORT CERTIFICATE PASSWORD
s3    ADDRESS PORT CERTIFICATE KEY REGION
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from s3_stand_in import s3
from tcp_redis import tcp_redis, tls_front


async def _redis(folder: str, address: str, port: str, certificate: str, password: str) -> None:
    """With a password; the server that comes along speaks no TLS, so something else does for it."""
    with tcp_redis(Path(folder), password) as server:
        async with tls_front(server.port, address, int(port), Path(certificate)):
            await _serve()


async def _s3(address: str, port: str, certificate: str, key: str, region: str) -> None:
    async with s3(key, region, secure=True, host=address, port=int(port), certificate=Path(certificate)):
        await _serve()


async def _serve() -> None:
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run({"redis": _redis, "s3": _s3}[sys.argv[1]](*sys.argv[2:]))
