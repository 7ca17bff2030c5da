"""The Discord client: its start, its events, and its orderly end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Literal, TypeAlias

import aiohttp
import discord
import structlog
from discord import app_commands
from redis.exceptions import RedisError

from bot.backend import Backend
from bot.cards.buttons import JobButton
from bot.cards.forecasts import keep_forecasts_current
from bot.discord_api.connections import discord_connector
from bot.discord_api.pacing import Pacing
from bot.discord_api.private_api import api_url
from bot.discord_api.proxy import proxy_for
from bot.intake import Decoders
from bot.interactions.languages import speak_to
from bot.interactions.replies import tell_error
from bot.interactions.unknown_components import answer_unknown
from bot.lifecycle.application import claim_redis
from bot.lifecycle.command_names import CommandTranslator
from bot.lifecycle.command_sync import sync_commands
from bot.lifecycle.leadership import Leadership
from bot.lifecycle.loop_monitor import monitor_loop
from bot.services import Services
from bot.settings import BotSettings
from bot.text.translation import N_, load_all
from engine.contract.connection import connect

INTENTS = discord.Intents(guilds=True)
"""All that it needs: what a message's menu was opened on comes with the interaction."""
_LAST_WORDS = 8.0  # s that what is being sent may take when the bot ends

_THREAD_GONE = N_("The thread was deleted, so the painting was stopped: press Continue to go on in a new one.")
_CHANNEL_GONE = N_("The channel was deleted, so the painting was stopped: ask for it in another one.")
_REMOVED = N_("I was removed from the server, so the painting was stopped: invite me again to go on with it.")

_log = structlog.get_logger(__name__)
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # a painter has no voice


class Tree(app_commands.CommandTree["Impasto"]):
    """The command tree; a command's errors are told to the member."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Whether the interaction is new; what its task says from here on is in the member's language."""
        speak_to(interaction)
        return interaction.client.services.deduplication.first(interaction.id)

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the member one sentence, and the log the whole where it is the program's own fault."""
        original = getattr(error, "original", error)
        command = interaction.command.name if interaction.command else ""
        await tell_error(interaction, original, command=command)


class Impasto(discord.AutoShardedClient):
    """The client, and what runs beside it once it leads."""

    def __init__(self, settings: BotSettings) -> None:
        """Only while an event loop runs. Raises `SettingsError` for a proxy in the environment that cannot be used."""
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            http_trace=self._trace(),
            proxy=proxy_for(api_url()),
            connector=discord_connector(),
        )
        self.settings = settings
        self.tree = Tree(self)
        self._stack = AsyncExitStack()
        self._beside: list[asyncio.Task[Any]] = []
        self._services: Services | None = None
        self._leadership: Leadership | None = None
        self._last_words = _LAST_WORDS
        self._ending: asyncio.Task[None] | None = None
        self._cut_off: set[int] = set()
        """Shards whose connection was lost."""
        self._stands_by = False
        self.add_dynamic_items(JobButton)

    @property
    def services(self) -> Services:
        """The services, which `setup_hook` makes before anything arrives from the gateway."""
        assert self._services is not None  # noqa: S101 - see above
        return self._services

    @property
    def part(self) -> Literal["leads", "stands by", "connects"]:
        """Which part this process plays: it leads, it waits to lead, or it is not (or no longer) connected."""
        if self._stands_by:
            return "stands by"
        return "leads" if self.is_ready() and not self._cut_off else "connects"

    async def setup_hook(self) -> None:
        """After the login and before the gateway: wait to lead, then begin to work."""
        assert self.settings.redis_url is not None  # noqa: S101 - `serve` has seen to it
        redis = await self._stack.enter_async_context(connect(self.settings.redis_url, retries=-1))
        assert self.application_id is not None  # noqa: S101 - the login has told it
        await claim_redis(redis, self.application_id)
        leadership = Leadership(redis, self.settings.discord_token.get_secret_value())
        self._stands_by = True
        await leadership.gain()
        self._stands_by = False
        self._leadership = leadership
        self._stack.push_async_callback(leadership.release)
        # Without retries: what was given out in an answer that never arrived must be asked for again.
        reader = await self._stack.enter_async_context(connect(self.settings.redis_url, retries=0))
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        decoders = await self._stack.enter_async_context(Decoders())
        backend = Backend.of(self.settings, redis)
        await asyncio.to_thread(load_all)
        self._services = services = Services(self, backend, leadership, reader, session, decoders=decoders)
        left = await services.deferred.left_waiting()
        await self.tree.set_translator(CommandTranslator())
        await sync_commands(self.tree, redis)
        self._run(services.deferred.answer_left(left))
        self._run(services.editor.run())
        self._run(services.dispatcher.run())
        self._run(keep_forecasts_current(backend, services.editor))
        self._run(monitor_loop())
        self._run(self._end_when_deposed(leadership))

    def _trace(self) -> aiohttp.TraceConfig:
        """Every request waits for its turn, and none leaves a process while another one leads."""

        async def confirm(*_: Any) -> None:
            await self.confirm()

        trace = Pacing().trace()
        trace.on_request_start.append(confirm)  # last, for the turn may have been long in coming
        return trace

    async def confirm(self) -> None:
        """Make sure that this process leads. Raises `Deposed` where another one does by now."""
        if self._leadership is not None:
            await self._leadership.confirm()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._end_when_broken)
        self._beside.append(task)

    def _end_when_broken(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            if self._ending is None:  # not by `_close`: a cancellation went astray in a library
                _log.error("a part of the bot was cancelled", part=repr(task.get_coro()))
                self._end()
        elif task.exception() is not None:
            _log.error("a part of the bot broke off", exc_info=task.exception())
            self._end()

    async def _end_when_deposed(self, leadership: Leadership) -> None:
        await leadership.keep()
        self._last_words = 0.0
        self._end()

    def _end(self) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = asyncio.create_task(self._close())
        return self._ending

    async def close(self) -> None:
        """End in order: what is being sent is sent, then another may lead. Twice is harmless."""
        await asyncio.shield(self._end())

    async def _close(self) -> None:
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._last_words
        if self._services is not None:
            await self._services.deferred.finish(self._last_words)
            await self._services.dispatcher.close(max(0.0, until - loop.time()))
        await super().close()
        try:
            async with asyncio.timeout(_LAST_WORDS / 4):
                await self._stack.aclose()
        except (RedisError, OSError) as error:
            _log.warning("Redis could not be told of the end", reason=str(error))

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log what breaks in an event's handler, whole."""
        _log.exception("an event could not be handled", event_name=event_method)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """The shard's connection to Discord is lost; discord.py connects anew."""
        self._cut_off.add(shard_id)

    async def on_shard_ready(self, shard_id: int) -> None:
        """The shard's connection to Discord is there, a new one or one resumed."""
        self._cut_off.discard(shard_id)

    on_shard_resumed = on_shard_ready

    async def on_interaction(self, interaction: Interaction) -> None:
        """Answer components that nothing else answers; called for every interaction."""
        await answer_unknown(interaction, self.services.deduplication)

    async def on_job_button(self, interaction: Interaction, button: JobButton) -> None:
        """Answer a press of a button under a card or a picture."""
        await self.services.button_actions.answer(interaction, button)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Stop the painting of a thread that was deleted: who deletes the thread wants no more of it."""
        await self._left(_THREAD_GONE, thread=payload.thread_id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Stop the paintings of a channel that was deleted: nobody can see them any more."""
        await self._left(_CHANNEL_GONE, channel=channel.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Stop the paintings of a server that the bot was removed from, and let the styles saved there expire."""
        await self.services.backend.styles.let_expire(guild.id)  # first, for it may be invited again at once
        await self._left(_REMOVED, guild=guild.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Keep the styles saved in a server from before the bot was removed there."""
        await self.services.backend.styles.keep(guild.id)

    async def on_ready(self) -> None:
        """Let the styles saved in servers expire that the bot was removed from while it was not connected."""
        await self.services.backend.styles.keep_alone([guild.id for guild in self.guilds])

    async def _left(self, why: str, *, thread: int = 0, channel: int = 0, guild: int = 0) -> None:
        """A thread, a channel or a server is gone, by its id: so are the paintings there."""
        for _, page in self.services.editor.followed():
            at = page.address
            if thread in (page.thread, at.channel) or channel == at.channel or guild == at.guild:
                await self.services.backend.stop(at.job, why)


Interaction: TypeAlias = discord.Interaction[Impasto]
"""The interactions that commands and events are given."""
