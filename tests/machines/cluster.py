"""The machines of a run, and what runs on each."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from chaos.cluster import Service
from discord_server.driver import Discord
from support.workers import ONE_THREAD

from machines.authority import Authority
from machines.network import Machine, Switch

PASSWORD = "machines-5ec4e7"
KEY, SECRET, REGION = "AKIDMACHINES", "5ec4e75ec4e75ec4e7", "eu-north-7"
REDIS_PORT, S3_PORT = 6380, 9000


class Cluster:
    """Two workers, a bot, a Redis and an S3, in the network `inner`; the bot is in `outer` too, where Discord is."""

    def __init__(self, discord: Discord, folder: Path, inner: Switch, outer: Switch) -> None:
        self.inner, self.outer = inner, outer
        self.redis, self.s3 = Machine("redis", inner), Machine("s3", inner)
        self.bot = Machine("bot", inner, outer)
        self.workers = [Machine("worker-1", inner), Machine("worker-2", inner)]
        authority = Authority(folder)
        redis_certificate = authority.certify("redis", self.redis.address)
        s3_certificate = authority.certify("s3", self.s3.address)
        self.redis_url = (
            f"rediss://:{PASSWORD}@{self.redis.address}:{REDIS_PORT}/0?ssl_ca_certs={authority.certificate}"
        )
        self.store_url = "s3://bucket/prefix"
        self.settings = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": f"https://{self.s3.address}:{S3_PORT}",
            "SSL_CERT_FILE": str(authority.certificate),
        }
        """What a store needs to reach this S3."""
        common = os.environ | ONE_THREAD | {"TMPDIR": str(folder), "IMPASTO_DATA": str(folder)}
        ours = common | self.settings | {"REDIS_URL": self.redis_url, "STORE_URL": self.store_url}
        ours |= {"IMPASTO_WEIGHTS": "random", "IMPASTO_DEVICE": "cpu", "DISCORD_TOKEN": discord.token}
        python = [sys.executable, "-m"]
        host = [*python, "machines.host"]
        (folder / "redis").mkdir()
        redis = [*host, "redis", str(folder / "redis"), self.redis.address, str(REDIS_PORT)]
        s3 = [*host, "s3", self.s3.address, str(S3_PORT)]
        self._folder = folder
        self._hosts = [
            self._run(self.redis, [*redis, str(redis_certificate), PASSWORD], common),
            self._run(self.s3, [*s3, str(s3_certificate), KEY, REGION], common),
        ]
        self.worker_services = [self._run(one, [*python, "engine.worker"], ours) for one in self.workers]
        self.bot_service = self._run(self.bot, discord.bot_command("bot"), ours)

    def _run(self, machine: Machine, command: list[str], environment: dict[str, str]) -> Service:
        log = self._folder / f"{machine.name}.log"
        return Service(machine.name, lambda: machine.command(command), environment, log)

    @property
    def services(self) -> list[Service]:
        """Ours."""
        return [*self.worker_services, self.bot_service]

    def machine(self, worker: Service) -> Machine:
        return self.workers[self.worker_services.index(worker)]

    async def close(self) -> dict[str, int]:
        """End bot and workers in order; the exit status of each. Redis and S3 stay."""
        return {service.name: await service.close() for service in self.services}

    async def close_hosts(self) -> None:
        for host in self._hosts:
            await host.close()
