"""One order of a test at the control API, with what is needed to carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from discord_server.entities import Channel, Guild, Interaction, Message, User
from discord_server.faults import Faults
from discord_server.gateway import Gateway
from discord_server.interactions import Seat
from discord_server.media import Upload
from discord_server.world import World

Json = dict[str, Any]


@dataclass(frozen=True)
class ControlCall:
    """KeyError for what an order names and the world does not have."""

    world: World
    gateway: Gateway
    faults: Faults
    order: Json
    uploads: list[Upload]

    def user(self, key: str = "user") -> User:
        return self.world.users[int(self.order[key])]

    def guild(self) -> Guild:
        return self.world.guilds[int(self.order["guild"])]

    def channel(self, key: str = "channel") -> Channel:
        return self.world.channels[int(self.order[key])]

    def seat(self) -> Seat:
        return Seat(self.world, self.user(), self.channel())

    def message(self) -> Message:
        return self.world.messages[self.channel().id][int(self.order["message"])]

    def interaction(self) -> Interaction:
        return self.world.interactions[int(self.order["interaction"])]
