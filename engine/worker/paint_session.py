"""One job's painting in a worker: its painter and state between slices, and the pictures that it is made from."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, field
from itertools import islice

import structlog
from PIL import Image, ImageSequence

from engine.contract.models import StoredPicture
from engine.contract.store import BlobMissing, Store
from engine.painting.errors import PaintingError
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.worker.checkpoints import Journal
from engine.worker.loss_stagnation import Trouble, trouble

_log = structlog.get_logger(__name__)


@dataclass
class PaintSession:
    """One job's painter, state and journal."""

    painter: Painter
    state: State
    journal: Journal = field(default_factory=Journal)
    notices: list[str] = field(default_factory=list)
    """Sentences for the audience that are not told yet."""
    incomplete: bool = False
    """Whether pictures are missing from its film or sheet: lost, or of a forgotten painting that it goes on from."""
    before: int = 0
    """Iterations of a study's earlier paintings."""
    later: float = 0.0
    """The work of its later ones, as `cost` counts it."""
    filmed: bool = True
    """Whether frames of its making are kept."""
    saved: State = field(init=False)
    """A copy of the state that other threads may read, its picture, and the trouble with it; as of the last
    `refresh`."""
    picture: Image.Image = field(init=False)
    trouble: Trouble | None = field(init=False)

    def __post_init__(self) -> None:
        self.refresh()

    @property
    def iteration(self) -> int:
        """How many of the job's iterations are painted."""
        return self.before + self.state.iteration

    @property
    def alone(self) -> bool:
        """Whether it is no study's of several paintings."""
        return not self.before and not self.later

    @property
    def painted(self) -> bool:
        """Whether this painting is done; a study may have others to come."""
        return self.state.iteration >= self.painter.recipe.iterations

    def refresh(self) -> None:
        """Renew `saved`, `picture` and `trouble`; in the painting thread."""
        vars(self).pop("saved", None)  # before there is another: with L-BFGS each is as large as forty pictures
        self.saved, self.picture = self.state.copy(), self.painter.picture(self.state)
        self.trouble = trouble(self.painter, self.state)


async def load_picture(store: Store, stored: StoredPicture) -> Image.Image:
    """Raises `PaintingError` where it is gone or damaged."""
    (picture,) = await load_pictures(store, stored, 1)
    return picture


async def load_pictures(store: Store, stored: StoredPicture, most: int) -> list[Image.Image]:
    """The first `most` of an animation, or the one that it is. Raises `PaintingError` as above."""
    try:
        blob = await store.get(stored.key)
        return await asyncio.to_thread(_decode, blob, most)
    except (BlobMissing, OSError, SyntaxError, ValueError) as error:
        _log.error("a picture cannot be used", key=stored.key, reason=str(error))
        raise PaintingError(f"The pictures of this painting were lost ({stored.name}): send them again.") from error


def _decode(blob: bytes, most: int) -> list[Image.Image]:
    with Image.open(io.BytesIO(blob), formats=["PNG"]) as animation:
        return [frame.convert("RGB") for frame in islice(ImageSequence.Iterator(animation), most)]
