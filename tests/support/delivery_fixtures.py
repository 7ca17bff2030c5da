"""Fixtures of the tests of delivery; what they are made of is imported where it is needed, for other tests' sake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from support.delivery import Stage
    from support.workers import WorkerPool


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(
    request: pytest.FixtureRequest, pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """Everything started, for all tests of a file; its bot has the settings that the file calls `BOT_SETTINGS`."""
    from support.delivery import open_stage

    settings = getattr(request.module, "BOT_SETTINGS", {})
    async with open_stage(pool, tmp_path_factory.mktemp("delivery"), **settings) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Stage) -> AsyncIterator[Stage]:
    """The same, with a server, a channel and a member of the test's own."""
    await shared_stage.scene.open()
    yield shared_stage
    await shared_stage.clear()
    assert shared_stage.discord.world.violations == []
