"""How near a student is to its teacher, on crops of pictures that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from training.losses import feature_errors, gram_errors, scales


@dataclass(frozen=True)
class Score:
    """Errors by layer; 0 is the teacher itself."""

    features: dict[str, float]
    """Mean squared error over the variance of the features on these crops: 1 is what a constant would have."""
    grams: dict[str, float]
    """Squared error of Gram matrices over their square."""

    @property
    def mean(self) -> float:
        """Over the layers, of features and Gram matrices each: one number to choose the best weights by."""
        return sum(self.features.values()) / len(self.features) + sum(self.grams.values()) / len(self.grams)

    def __str__(self) -> str:
        told = [f"{name[4:]} {error:.3f}" for name, error in self.features.items()]
        grams = [f"{name[4:]} {error:.3f}" for name, error in self.grams.items()]
        return f"score {self.mean:.4f}  features {' '.join(told)}  Gram {' '.join(grams)}"


def score(foretold: dict[str, Tensor], features: dict[str, Tensor]) -> Score:
    """Of what was foretold of a teacher's (scaled) features, on the same crops: (n, filters, h, w) by layer."""
    foretold = {name: x.float() for name, x in foretold.items()}
    errors, grams, units = feature_errors(foretold, features), gram_errors(foretold, features), scales(features)
    return Score(
        {name: float(error) / units[name] ** 2 for name, error in errors.items()},
        {name: float(error) for name, error in grams.items()},
    )
