"""What the painting thread tells of a slice."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest
import torch
from support.jobs import light
from support.pictures import CONTENT, STYLE
from torch import Tensor

from engine.painting.network.vgg import VGG, Trace
from engine.painting.painter import Painter
from engine.worker.paint_session import PaintSession
from engine.worker.slice_loop import LoopReport, run_slice_loop
from engine.worker.watchdog import Pulse


def test_that_the_memory_was_too_little_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = VGG.trace

    def perhaps(self: VGG, pixels: Tensor, layers: Iterable[str]) -> Trace:
        if pixels.shape[2] > 100:
            raise torch.OutOfMemoryError("on order")
        return trace(self, pixels, layers)

    painter = Painter(light(8, size=160, scales=1), CONTENT, [STYLE])
    session, looks = PaintSession(painter, painter.begin()), list[LoopReport]()
    monkeypatch.setattr(VGG, "trace", perhaps)
    done = run_slice_loop("a job", session, threading.Event(), 60, looks.append, pulse=Pulse())
    assert (done.last, session.state.rows) == (8, 80)
    assert [(look.iteration, "in strips" in look.notice) for look in looks if look.notice] == [(1, True)]
