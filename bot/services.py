"""The parts of a bot that leads, made once and together."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
import discord
from arq.connections import ArqRedis

from bot.backend import Backend
from bot.cards.editor import CardEditor
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.event_stream import EventStream
from bot.delivery.orphaned_jobs import OrphanedJobs
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


@dataclass(frozen=True)
class Services:
    """What commands and events find at `client.services`."""

    backend: Backend
    deduplication: Deduplication
    deferred: DeferredInteractions
    pictures: Pictures
    admission: Admission
    submission: Submission
    style_saving: StyleSaving
    button_actions: ButtonActions
    dispatcher: Dispatcher
    editor: CardEditor
    orphaned_jobs: OrphanedJobs

    @classmethod
    def of(
        cls,
        client: discord.Client,
        backend: Backend,
        leadership: Leadership,
        reader: ArqRedis,
        session: aiohttp.ClientSession,
        *,
        decoders: Decoders,
    ) -> Services:
        """All of them. `reader` must not retry; `session` fetches what members attach, `decoders` open it."""
        deduplication, deferred = Deduplication(), DeferredInteractions(client, backend, leadership.confirm)
        sender, orphaned_jobs = Sender(client), OrphanedJobs(backend)
        editor = CardEditor(client, backend.ledger, orphaned_jobs.lost)
        recovery = RedisRecovery(backend, reader, editor)
        stream = EventStream(reader, leadership.make_sure)
        dispatcher = Dispatcher(backend, stream, sender, editor, recovery)
        pictures = Pictures(backend, session, decoders)
        admission = Admission(backend, pictures)
        submission = Submission(backend, deferred, admission, sender, dispatcher.opened)
        style_saving = StyleSaving(backend, pictures, deferred)
        return cls(
            backend=backend,
            deduplication=deduplication,
            deferred=deferred,
            pictures=pictures,
            admission=admission,
            submission=submission,
            style_saving=style_saving,
            button_actions=ButtonActions(backend, deferred, deduplication, submission, style_saving),
            dispatcher=dispatcher,
            editor=editor,
            orphaned_jobs=orphaned_jobs,
        )
