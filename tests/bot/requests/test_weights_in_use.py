"""The weights that the bot chooses recipes for: a worker's, never a guess."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from arq.connections import ArqRedis

from bot.commands.about import _in_words
from bot.requests.admission import Admission
from bot.requests.paint_request import Network
from engine.contract import workers
from engine.contract.settings import read_settings


def admission(redis: ArqRedis, configured: str) -> Admission:
    backend = SimpleNamespace(redis=redis, settings=read_settings(impasto_weights=configured))
    return Admission(cast(Any, backend), cast(Any, None))


@pytest.mark.parametrize(
    ("configured", "known"),
    [("imagenet", "imagenet"), ("starter", "starter"), ("random", "random"), ("auto", None), ("/a/file.pth", None)],
)
async def test_before_there_was_a_worker_only_a_name_in_the_settings_tells(
    redis: ArqRedis, configured: str, known: str | None
) -> None:
    assert await admission(redis, configured).network() == (known and Network(known))
    assert _in_words(known)


@pytest.mark.parametrize("configured", ["imagenet", "auto", "/a/file.pth"])
async def test_a_worker_tells_also_when_it_has_gone(redis: ArqRedis, configured: str) -> None:
    slim = workers.Worker(id="w1", device="cpu", weights="sha256:0123456789abcdef", network="32,32|64")
    await workers.beat(redis, slim)
    assert await admission(redis, configured).network() == Network("sha256:0123456789abcdef", "32,32|64")
    await workers.sign_off(redis, "w1")
    assert await admission(redis, configured).network() == Network("sha256:0123456789abcdef", "32,32|64")
