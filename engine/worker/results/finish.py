"""The files of a finished job, be it a painting or a study."""

from __future__ import annotations

from engine.contract.drawn_texts import translated
from engine.contract.models import Claim
from engine.worker.context import WorkerContext
from engine.worker.paint_session import PaintSession
from engine.worker.results.finished_files import finish_painting


async def finish_files(context: WorkerContext, claim: Claim, session: PaintSession) -> dict[str, str]:
    """Make and store the files; returns name -> key. Raises `PaintingError` where no picture of a study is left."""
    with translated(claim.job.drawn_texts):
        if claim.job.study is None:
            return await finish_painting(context, claim, session)
        from engine.worker.results.study_files import finish_study  # matplotlib is a fifth of a worker's start

        return await finish_study(context, claim, session)
