"""The blur through which a picture is moved.

A picture is start + B z, where B blurs and z is what the optimiser moves: its gradient is B applied to the picture's,
and a move dz changes the picture by B dz. Descent is then slow along what B takes away, which is noise that a network
answers to and a person sees as grain. It is a change of metric, as in Sobolev gradients (Neuberger 1997), and a
preconditioner of frequencies (Olah et al. 2017, "Feature Visualization"). What it cannot move it cannot mend either, so
the content that a painting begins with is blurred by half as much: its own grain would stay.
"""

from __future__ import annotations

from torch import Tensor

from engine.painting.network.padding import pad_with_edge


def smooth(x: Tensor, share: float) -> Tensor:
    """(1 - share) x + share [1 2 1] / 4 x both ways, edges replicated, for x (1, N, height, width); share 0 to 1.

    A symmetric map, so that it is its own way back for gradients.
    """
    if not share:
        return x
    padded = pad_with_edge(x)
    rows = (padded[:, :, :-2] + padded[:, :, 2:]).add_(padded[:, :, 1:-1], alpha=2)
    blurred = (rows[..., :-2] + rows[..., 2:]).add_(rows[..., 1:-1], alpha=2).div_(16)
    return x.lerp(blurred, share)
