"""Pictures and jobs of which requests are made."""

from __future__ import annotations

from typing import Any

from bot.requests.new_painting import new_recipe
from bot.requests.paint_request import AttachedPicture, Network
from engine.contract.models import Job, StoredPicture
from engine.recipe.recipe import Recipe

CONTENT, STYLE, SECOND, SNAPSHOT = (
    StoredPicture(key=f"jobs/1/{name}", name=name, width=32, height=24)
    for name in ("content", "style", "second", "snapshot")
)
CONTENT_GIVEN = AttachedPicture("harbour.png", "https://example.org/harbour.png")
WEIGHTS = ["imagenet", "starter", "random"]


def a_job(recipe: Recipe | None = None, **fields: Any) -> Job:
    """One with the number 1, by the usual recipe unless another is given."""
    recipe = recipe or new_recipe("fine", Network("random"), {"seed": 42})
    return Job(id="1", guild="1", user="1", recipe=recipe, content=CONTENT, styles=(STYLE, SECOND), **fields)
