"""How near a student is to its teacher, on crops of pictures that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.losses import feature_errors, gram_errors, scales
from training.student import Learner


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


@torch.no_grad()
def score(learner: Learner, crops: Tensor, features: dict[str, Tensor]) -> Score:
    """The score on these crops (n, 3, side, side), in levels, with these (scaled) features of the teacher."""
    foretold = {name: x.float() for name, x in learner(crops).items()}
    errors, grams, units = feature_errors(foretold, features), gram_errors(foretold, features), scales(features)
    return Score(
        {name: float(error) / units[name] ** 2 for name, error in errors.items()},
        {name: float(error) for name, error in grams.items()},
    )
