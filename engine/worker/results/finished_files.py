"""What a finished painting leaves in the store: its picture, loss.png, run.json, and film.webp where one is wanted."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import math
import platform
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
from PIL import Image

from engine.contract.drawn_texts import drawn, drawn_list
from engine.contract.models import FINAL_FILES, Claim, Format, Job, StoredPicture
from engine.contract.recipe_code import recipe_code
from engine.contract.store import BlobMissing
from engine.painting.objective import columns
from engine.painting.pictures import pixels_sha256
from engine.recipe.recipe import RecipeError
from engine.worker.context import WorkerContext
from engine.worker.paint_session import PaintSession, load_picture
from engine.worker.results.film import USUAL_MS, film, frame, painted_box, side_of, times_of
from engine.worker.results.loss_milestones import scale_starts
from engine.worker.results.picture_files import FinalPicture
from engine.worker.results.png import encode
from engine.worker.weights.named_weights import Weights

_OF_WEIGHTS = ("name", "identity", "stand_in", "note", "input", "network")
_VERSION = importlib.metadata.version("impasto")


async def finish_painting(context: WorkerContext, claim: Claim, session: PaintSession) -> dict[str, str]:
    """Make and store the files; returns name -> key."""
    weights = context.weights_of(claim.job.recipe.weights)
    final = await _final(context, claim.job, session)
    run = run_record(claim.job, session, weights, pixels_sha256(final.picture))
    run["recipe_code"] = None
    with suppress(RecipeError):  # what began with a picture, has masks or is a film has none
        run["recipe_code"] = await recipe_code(context.store, claim.job)
    formats: set[Format] = {"png", claim.job.format}
    blobs = {FINAL_FILES[kind]: await asyncio.to_thread(final.encode, kind, run) for kind in formats} | {
        "loss.png": await asyncio.to_thread(plot_of_losses, claim.job, run)
    }
    if claim.job.film:
        blobs["film.webp"], box = await _film(context, claim.job, session, final.picture, run)
        run["film"] = {"file": "film.webp", "painting": box}
    blobs |= await best_file(session)
    blobs["run.json"] = json.dumps(run, indent=1).encode()
    folder = f"jobs/{claim.job.id}"
    return {name: await context.store.put(f"{folder}/{name}", blob) for name, blob in blobs.items()}


async def _final(context: WorkerContext, job: Job, session: PaintSession) -> FinalPicture:
    levels = (await asyncio.to_thread(session.painter.levels, session.saved))[0].permute(1, 2, 0).numpy()
    alpha = None
    if job.alpha is not None:
        grey = (await load_picture(context.store, job.alpha)).convert("L")
        if grey.getextrema() != (255, 255):
            alpha = await asyncio.to_thread(grey.resize, session.picture.size, Image.Resampling.LANCZOS)
    return FinalPicture(session.picture, levels, alpha)


async def _film(
    context: WorkerContext, job: Job, session: PaintSession, final: Image.Image, run: dict[str, Any]
) -> tuple[bytes, tuple[int, int, int, int]]:
    """The film, and where in it the painting is."""
    recipe = job.recipe
    frames = await frames_of(context, session) or {
        recipe.iterations: await asyncio.to_thread(frame, final, side_of(recipe))
    }
    *_, last = frames.values()
    if recipe.frames == 1:
        made = await asyncio.to_thread(film_of_making, frames, run)
        return made, painted_box(made, last)
    content = await context.store.get(job.content.key)
    known = await asyncio.to_thread(times_of, content, recipe.frame_ends)
    times = [known.get(iteration, USUAL_MS) for iteration in frames]
    made = await asyncio.to_thread(film, list(frames.values()), times=times)
    return made, painted_box(made, last)


def film_of_making(frames: Mapping[int, bytes], run: Mapping[str, Any]) -> bytes:
    """The film of the run's `frames`, by iteration, with its loss under them."""
    from engine.worker.results.film_loss_curve import LossStrip  # as below

    totals = [row[0] for row in run["losses"]["rows"]]
    return film(list(frames.values()), under=LossStrip(totals, list(frames)).under)


async def frames_of(context: WorkerContext, session: PaintSession) -> dict[int, bytes]:
    """The film's frames in order, by iteration, without those of a parent that was forgotten since."""
    frames = {}
    for iteration, key in sorted(session.journal.frames.items()):
        try:
            frames[iteration] = await context.store.get(key)
        except BlobMissing:
            session.incomplete = True
    return frames


async def keep_record(context: WorkerContext, job: Job, session: PaintSession) -> None:
    """Store the record of a study's painting that is done, and note it in the journal; again changes nothing."""
    number, weights = session.journal.part, context.weights_of(job.recipe.weights)
    run = run_record(job.parts[number], session, weights, pixels_sha256(session.picture))
    key = await context.store.put(f"jobs/{job.id}/part-{number + 1:02d}.json", json.dumps(run).encode())
    session.journal.records[number:] = [key]


def run_record(job: Job, session: PaintSession, weights: Weights, sha256: str) -> dict[str, Any]:
    """Everything one needs to know of the run, or to run it again; `losses` has a row per iteration.

    Of a study `job` is the part that the session has painted, and the record is of it alone.
    """
    state, recipe = session.saved, job.recipe
    width, height = session.painter.size
    # JSON has no NaN: a loss that was lost is null.
    rows = [[x if math.isfinite(x) else None for x in row] for row in state.losses[: state.iteration].tolist()]
    pictures = (job.content, *job.styles)
    kind, _, model = session.journal.slices[-1]["device"].partition(":")
    before = session.before
    slices = [
        s | {"from": s["from"] - before, "to": s["to"] - before} for s in session.journal.slices if s["from"] >= before
    ]
    content, *styles = [_sized(picture) for picture in pictures]
    return {
        "impasto": _VERSION,
        "job": job.id,
        "parent": job.parent,
        "draft_of": job.draft_of and job.draft_of.model_dump(),
        "state": "done",
        "recipe": recipe.as_dict(),
        "content": content,
        "start": job.start and _sized(job.start),
        "content_masks": [_sized(mask) for mask in job.content_masks],
        "style_masks": [_sized(mask) for mask in job.style_masks],
        "alpha": job.alpha and _sized(job.alpha),
        "styles": [s | {"weight": w} for s, w in zip(styles, recipe.style_weights, strict=True)],
        "weights": {name: getattr(weights, name) for name in _OF_WEIGHTS},
        "device": {"name": kind, "model": model.strip(), "threads": torch.get_num_threads()},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "width": width,
        "height": height,
        "seconds": round(sum(s["seconds"] for s in slices), 3),
        "slices": slices,
        "rollbacks": [
            {"iteration": i, "reason": reason, "step": recipe.step / 2**k}
            for k, (i, reason) in enumerate(state.rollbacks, 1)
        ],
        "snapshots": [
            {"iteration": i - before, "file": f"{i - before:05d}.png"}
            for i in sorted(session.journal.snapshots)
            if i > before
        ],
        "final": {"file": "final.png", "sha256": sha256},
        "best": _best(session),
        "film": None,
        "losses": {"columns": columns(recipe), "rows": rows},
    }


async def best_file(session: PaintSession) -> dict[str, bytes]:
    """best.png, where the painting ended no better than it was before."""
    best = session.painter.best_readback(session.saved)
    if best is None or _best(session) is None:
        return {}
    return {"best.png": await asyncio.to_thread(encode, best.read().picture)}


def _best(session: PaintSession) -> dict[str, Any] | None:
    """What is kept where the painting ended no better than it was before."""
    state = session.saved
    if session.trouble is None or state.best is None or not session.alone:
        return None
    return {"file": "best.png", "iteration": state.best_at, "loss": state.best_loss, "why": session.trouble.text}


def drawn_title(job: Job) -> str:
    """What is painted, and in which style, as pictures say it."""
    styles = drawn_list([style.name for style in job.styles])
    return drawn("{content} in the style of {styles}", content=job.content.name, styles=styles)


def _sized(picture: StoredPicture) -> dict[str, Any]:
    return {"name": picture.name, "width": picture.width, "height": picture.height}


def plot_of_losses(job: Job, run: Mapping[str, Any]) -> bytes:
    """The losses of the painting's run as a PNG."""
    from engine.worker.results.loss_plot import loss_plot  # matplotlib is a fifth of a worker's start

    plan = job.recipe.plan()
    return loss_plot(
        run["losses"]["columns"], run["losses"]["rows"],
        snapshots=[snapshot["iteration"] for snapshot in run["snapshots"]],
        scales=plan[: job.recipe.scales], starts=scale_starts(plan),
        title=drawn_title(job), note=run["weights"]["note"],
        linear=job.recipe.frames > 1,  # every frame counts alike
    )  # fmt: skip
