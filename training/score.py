"""How near a student is to its teacher, on crops of pictures that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from training.losses import change_errors, feature_errors, gram_errors, scales


@dataclass(frozen=True)
class Score:
    """Errors by layer; 0 is the teacher itself."""

    features: dict[str, float]
    """Mean squared error over the variance of the features on these crops: 1 is what a constant would have."""
    grams: dict[str, float]
    """Squared error of Gram matrices over their square."""
    changes: dict[str, float]
    """Squared error of the features' change with the pixels over the change's square."""

    @property
    def mean(self) -> float:
        """Over the layers, of features, Gram matrices and changes each: one number to choose the best weights by."""
        return sum(sum(errors.values()) / len(errors) for errors in (self.features, self.grams, self.changes))

    def __str__(self) -> str:
        kinds = (("features", self.features), ("Gram", self.grams), ("changes", self.changes))
        told = [
            f"{kind} " + " ".join(f"{name[4:]} {error:.3f}" for name, error in errors.items()) for kind, errors in kinds
        ]
        return "  ".join([f"score {self.mean:.4f}", *told])


def score(foretold: dict[str, Tensor], features: dict[str, Tensor]) -> Score:
    """Of what was foretold of a teacher's (scaled) features: (2n, filters, h, w) by layer, of n crops and of the same
    n changed. Features and Gram matrices are compared on the unchanged ones.
    """
    foretold = {name: x.float() for name, x in foretold.items()}
    own, true = ({name: x[: len(x) // 2] for name, x in both.items()} for both in (foretold, features))
    errors, grams, units = feature_errors(own, true), gram_errors(own, true), scales(true)
    return Score(
        {name: float(error) / units[name] ** 2 for name, error in errors.items()},
        {name: float(error) for name, error in grams.items()},
        {name: float(error) for name, error in change_errors(foretold, features).items()},
    )
