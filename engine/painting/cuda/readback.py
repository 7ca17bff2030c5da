"""The painting and its loss as they are now, read by the host while the painting goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from engine.painting import pictures


class Reading(NamedTuple):
    """The picture, and the loss that the last iteration saw."""

    picture: Image.Image
    loss: float


class Readback:
    """Pixels and loss as they are now: on CUDA still there, and fetched on a stream of their own, so that neither the
    device nor who gives it work waits; on other devices read at once, for a processor is busy with the painting.
    """

    def __init__(self, levels: Tensor, loss: Tensor, finish: Callable[[Image.Image], Image.Image]) -> None:
        """`levels` (1, 3, height, width) and `loss`, in no dimension, may change afterwards; `finish` ends the work."""
        self._finish = finish
        if levels.device.type == "cuda":
            self._taken = pictures.to_bytes(levels), loss.clone()
            self._ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._ready.record(torch.cuda.current_stream(levels.device))  # that of its own device, not of the first
        else:
            self._reading = Reading(finish(pictures.to_picture(levels)), float(loss))

    def read(self) -> Reading:
        """Wait until the device has come so far, and read; from any thread."""
        if not hasattr(self, "_reading"):
            levels, loss = self._fetched()
            self._reading = Reading(self._finish(pictures.from_bytes(levels)), float(loss))
        return self._reading

    def _fetched(self) -> list[Tensor]:
        beside = torch.cuda.Stream(self._taken[0].device)  # type: ignore[no-untyped-call]
        beside.wait_event(self._ready)
        fetched = []
        with torch.cuda.stream(beside):
            for tensor in self._taken:
                tensor.record_stream(beside)  # or its memory might be given to others before it is read
                fetched.append(torch.empty_like(tensor, device="cpu", pin_memory=True))
                fetched[-1].copy_(tensor, non_blocking=True)
        beside.synchronize()
        return fetched
