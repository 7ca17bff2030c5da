"""The parts of a bot that leads, made once and together."""

from __future__ import annotations

import aiohttp
import discord
from arq.connections import ArqRedis

from bot.backend import Backend
from bot.cards.editor import CardEditor
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.event_stream import EventStream
from bot.delivery.redis_recovery import RedisRecovery
from bot.delivery.sender import Sender
from bot.intake import Decoders
from bot.interactions.button_actions import ButtonActions
from bot.interactions.deduplication import Deduplication
from bot.interactions.deferred import DeferredInteractions
from bot.interactions.style_saving import StyleSaving
from bot.interactions.submission import Submission
from bot.lifecycle.leadership import Leadership
from bot.requests.admission import Admission
from bot.requests.pictures import Pictures


class Services:
    """What commands and events find at `client.services`."""

    def __init__(
        self,
        client: discord.Client,
        backend: Backend,
        leadership: Leadership,
        reader: ArqRedis,
        session: aiohttp.ClientSession,
        *,
        decoders: Decoders,
    ) -> None:
        """`reader` must not retry; `session` fetches what members attach, `decoders` open it."""
        self.backend = backend
        self.deduplication = Deduplication()
        self.editor = CardEditor(client, backend.ledger, backend.stop)
        sender, pictures = Sender(client), Pictures(backend, session, decoders)
        self.deferred = DeferredInteractions(sender, backend, leadership.confirm)
        recovery = RedisRecovery(backend, reader, self.editor)
        stream = EventStream(reader, leadership.make_sure)
        self.dispatcher = Dispatcher(backend, stream, sender, self.editor, recovery)
        self.admission = Admission(backend, pictures)
        self.submission = Submission(backend, self.deferred, self.admission, sender, self.dispatcher.opened)
        self.style_saving = StyleSaving(backend, pictures, self.deferred)
        self.button_actions = ButtonActions(
            backend, self.deferred, self.deduplication, self.submission, self.style_saving
        )
