"""The bot dies around a send, or everything at once; and what Discord delivers twice."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

from discord_server.driver import WorldView

from chaos.load import Promise, times
from chaos.rounds.scene import Fault, Scene

_POSTS = "POST /channels/*/messages"


async def killed_before_a_send(scene: Scene) -> None:
    """The request is on its way, and Discord does nothing about it."""
    await _killed_on_the_way(scene, delay_s=600.0, carried_out=False)


async def killed_after_a_send(scene: Scene) -> None:
    """Discord has posted it, and the bot never hears of that."""
    await _killed_on_the_way(scene, swallow="hang", carried_out=True)


async def _killed_on_the_way(scene: Scene, *, carried_out: bool, **how: object) -> None:
    discord = scene.load.discord
    fault = await discord.fault(_POSTS, times=1, skip=scene.load.dice.randint(0, 6), **how)  # type: ignore[arg-type]
    async with asyncio.timeout(300):
        while not await fault.hits():
            await asyncio.sleep(0.05)
    if carried_out:
        await discord.now()
    await scene.cluster.bot.end(signal.SIGKILL)
    await fault.remove()


async def killed_when_it_has_sent(scene: Scene) -> None:
    """Right after Discord's answer: the ledger may or may not know."""
    discord, before = scene.load.discord, times(scene.load.discord.world, _POSTS)
    more = scene.load.dice.randint(1, 8)
    await discord.until(lambda world: times(world, _POSTS) >= before + more)
    await scene.cluster.bot.end(signal.SIGKILL)


async def killed_while_it_answers(scene: Scene) -> None:
    """Somebody has just been told that it thinks. (Not heard at all: the bot had just lost its session.)"""
    heard = "unheard"
    while heard == "unheard":
        promise = await scene.load.ask()
        heard = await scene.load.discord.until(partial(_heard, promise), 60)
    await scene.cluster.bot.end(signal.SIGKILL)


def _heard(promise: Promise, world: WorldView) -> str | None:
    return "heard" if world.interaction(promise.job)["response_type"] is not None else promise.asked.verdict(world)


async def stopped(scene: Scene) -> None:
    scene.cluster.bot.send(signal.SIGSTOP)
    await asyncio.sleep(15)
    scene.cluster.bot.send(signal.SIGCONT)


async def clock_off(scene: Scene) -> None:
    async with scene.cluster.bot.changed(CHAOS_CLOCK=scene.load.dice.choice(["3600", "-3600"])):
        await asyncio.sleep(20)


async def the_same_interaction_twice(scene: Scene) -> None:
    promise = await scene.load.ask()
    await scene.load.discord.dispatch("INTERACTION_CREATE", promise.asked.interaction.payload)
    await scene.load.accepted(promise)
    await scene.load.discord.dispatch("INTERACTION_CREATE", promise.asked.interaction.payload)


async def everything_killed(scene: Scene) -> None:
    async with scene.cluster.all_down():
        await asyncio.sleep(scene.load.dice.uniform(0, 2))


FAULTS: dict[str, Fault] = {
    "the bot is killed before a send": killed_before_a_send,
    "the bot is killed after a send that it never heard of": killed_after_a_send,
    "the bot is killed when it has just sent": killed_when_it_has_sent,
    "the bot is killed while it answers": killed_while_it_answers,
    "the bot stands still for 15 s": stopped,
    "the bot's clock is an hour off": clock_off,
    "the same interaction twice": the_same_interaction_twice,
    "everything is killed at once": everything_killed,
}
