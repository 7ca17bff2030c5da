"""The processes of a run: Redis, workers and the bot, each started anew when it ends, as a supervisor would."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from discord_server.driver import Discord
from own_redis import OwnRedis
from support.workers import ONE_THREAD

from chaos.forced import Orders
from engine.process.child_process import child_command

FORCED = Path(__file__).with_name("forced.py")
_PAUSE = 0.5  # s between an end and the next start


class Service:
    """One process that is kept alive."""

    def __init__(self, name: str, command: Callable[[], list[str]], environment: dict[str, str], log: Path) -> None:
        self.name, self.environment, self.restarts = name, dict(environment), -1
        self._command, self._log = command, log
        self._process: asyncio.subprocess.Process | None = None
        self._may_run = asyncio.Event()
        self._may_run.set()
        self._ended = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        while True:
            await self._may_run.wait()
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *child_command(self._command()),
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.restarts += 1
            self._ended.clear()
            await self._process.wait()
            self._ended.set()
            await asyncio.sleep(_PAUSE)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else -1

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end, wait until it has; the seconds that took. It is started anew by itself."""
        began = time.monotonic()
        self.send(number)
        if self._process is not None:
            await self._process.wait()
        return time.monotonic() - began

    @asynccontextmanager
    async def down(self, number: signal.Signals = signal.SIGKILL) -> AsyncIterator[None]:
        """It is ended, and stays so for the block."""
        self._may_run.clear()
        await self.end(number)
        try:
            yield
        finally:
            self._may_run.set()

    @asynccontextmanager
    async def changed(self, **variables: str) -> AsyncIterator[None]:
        """It runs with other environment variables for the block: started anew before and after."""
        before, self.environment = self.environment, self.environment | variables
        await self.end(signal.SIGKILL)
        try:
            yield
        finally:
            self.environment = before
            await self.end(signal.SIGKILL)

    async def close(self) -> int:
        """End it in order, for good; the exit status."""
        self._may_run.clear()
        await self.end()
        self._keeper.cancel()
        return self._process.returncode or 0 if self._process else 0


class Cluster:
    """Two workers, a bot, a Redis and a store; `variables` go to the environment of all but Redis."""

    def __init__(self, discord: Discord, folder: Path, **variables: str) -> None:
        self.folder, self.orders = folder, Orders(folder / "orders")
        for name in ("orders", "redis", "store"):
            (folder / name).mkdir(exist_ok=True)
        self.redis = OwnRedis(folder / "redis")
        self.store_url = (folder / "store").as_uri()
        environment = {
            **os.environ,
            **ONE_THREAD,
            "PYTHONPATH": os.pathsep.join([str(FORCED.parents[2]), str(FORCED.parents[1])]),
            "DISCORD_TOKEN": discord.token,
            "REDIS_URL": self.redis.url,
            "STORE_URL": self.store_url,
            "IMPASTO_DATA": str(folder),
            "IMPASTO_WEIGHTS": "random",
            "IMPASTO_DEVICE": "cpu",
            "IMPASTO_SLICE_SECONDS": "0.5",
            "IMPASTO_USER_JOBS": "1000",
            "IMPASTO_GUILD_JOBS": "1000",
            "IMPASTO_TOTAL_JOBS": "5000",
            **variables,
        }
        forced = [sys.executable, str(FORCED), str(folder / "orders")]
        self.workers = [
            Service(f"worker-{n}", lambda: [*forced, "worker"], environment, folder / f"worker-{n}.log") for n in (1, 2)
        ]
        # After the interpreter and the launcher, which are another's here.
        launched = discord.bot_command("bot")[2:]
        self.bot = Service("bot", lambda: [*forced, "bot", *launched], environment, folder / "bot.log")

    @property
    def services(self) -> list[Service]:
        return [*self.workers, self.bot]

    @asynccontextmanager
    async def redis_down(self, *options: str) -> AsyncIterator[None]:
        """Redis is killed, and started again after the block."""
        self.redis.kill()
        try:
            yield
        finally:
            await asyncio.to_thread(self.redis.start, *options)

    @asynccontextmanager
    async def all_down(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for service in self.services:
                await stack.enter_async_context(service.down())
            async with self.redis_down():
                yield

    async def close(self) -> dict[str, int]:
        """End all in order; the exit status of each. Redis stays."""
        return {service.name: await service.close() for service in self.services}
