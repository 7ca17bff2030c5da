"""What the pictures of a document were painted with, noted beside them in `painted.json`: for captions, and for the
tests that tell which of them were painted by older recipes or weights than today's.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.recipe.recipe import Recipe
from engine.worker.weights.named_weights import Weights, load_weights

_USUAL = {field.name: field.default for field in dataclasses.fields(Recipe)}
_FILE = "painted.json"


@dataclass(frozen=True)
class Painted:
    """Of one picture, or of an experiment's."""

    weights: str
    """Their identity, as `Weights` has it."""
    network: str
    recipe: str
    """`digits_of` it; empty where nobody noted it."""

    @property
    def weights_name(self) -> str:
        """What a recipe calls them."""
        return self.weights.split()[0]

    @property
    def from_file(self) -> bool:
        """Whether it was a file of the user's that held the weights."""
        return self.weights_name.startswith("sha256:")

    @property
    def in_words(self) -> str:
        """As a page tells which weights painted it."""
        return (
            f"a pretrained {self.network.upper()} from a file" if self.from_file else f"the weights {self.weights_name}"
        )

    def is_todays(self, recipe: Recipe, cache: Path) -> bool:
        """Whether this recipe would paint the same now, by all that is noted."""
        shipped = self.weights_name == "starter"
        same_weights = not shipped or load_weights("starter", cache).identity == self.weights
        return same_weights and digits_of(recipe) == self.recipe


def painted_with(weights: Weights, recipe: Recipe) -> Painted:
    """What there is to note."""
    return Painted(weights.identity, weights.network, digits_of(recipe))


def digits_of(recipe: Recipe) -> str:
    """Sixteen hex digits of what it says, which fields that are added later do not change until they are used."""
    told = {name: value for name, value in recipe.as_dict().items() if value != _USUAL[name] and name != "version"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def read_notes(folder: Path) -> dict[str, Painted]:
    """By the name of the picture or the experiment; nothing where nothing was noted."""
    path = folder / _FILE
    notes = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {name: Painted(**fields) for name, fields in notes.items()}


def write_notes(folder: Path, notes: Mapping[str, Painted]) -> None:
    """In place of those that were there."""
    text = json.dumps({name: dataclasses.asdict(painted) for name, painted in sorted(notes.items())}, indent=1)
    (folder / _FILE).write_text(f"{text}\n", encoding="utf-8")
