"""Tells Discord the commands, only when they have changed: it allows 200 creates a day, and `sync` always writes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import structlog
from arq.connections import ArqRedis
from discord import app_commands

_log = structlog.get_logger(__name__)


async def sync_commands(tree: app_commands.CommandTree[Any], redis: ArqRedis) -> bool:
    """Whether it was needed. The hash of what Discord was last told is in Redis, by application."""
    translator = tree.translator
    payload = [
        await command.get_translated_payload(tree, translator) if translator else command.to_dict(tree)
        for command in tree.get_commands()
    ]
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
    key = f"impasto:commands:{tree.client.application_id}"
    if await redis.get(key) == digest.encode():
        return False
    synced = await tree.sync()
    await redis.set(key, digest)
    _log.info("told Discord the commands", count=len(synced))
    return True
