"""What a finished study leaves in the store: the sheet, the losses in one plot, a film, and the record of it all.

They have the names of a painting's: final.png, loss.png, film.webp and run.json, and best.png where one painting is
looked at often and got no better; and time.png where sizes are compared.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from engine.contract.drawn_texts import drawn, drawn_number
from engine.contract.models import Claim, Job, StoredPicture
from engine.contract.store import BlobMissing
from engine.contract.study import Part, Study, Tile
from engine.painting.errors import PaintingError
from engine.recipe import studies, vgg_layers
from engine.worker.context import WorkerContext
from engine.worker.paint_session import PaintSession, load_picture
from engine.worker.results.film import film, frame, side_of
from engine.worker.results.finished_files import best_file, drawn_title, film_of_making, frames_of
from engine.worker.results.loss_plot import PAPER, loss_plot
from engine.worker.results.png import encode
from engine.worker.results.study_measures import flicker, time_exponent
from engine.worker.results.study_plots import losses_plot, time_plot
from engine.worker.results.study_sheet import SheetTile, contact_sheet, side_by_side

_REPEAT_MS = 250
"""How long each painting is shown in the films of a study of flicker, ms."""


@dataclass(frozen=True)
class _Painted:
    """A tile, its picture, and the record of the painting that it is of."""

    tile: Tile
    part: Part
    picture: Image.Image
    run: dict[str, Any]
    iteration: int
    """After how many of the painting's own iterations the tile shows it."""
    style: Image.Image | None
    """What it was painted like, where the tiles differ in that."""

    @property
    def loss(self) -> float | None:
        """The total, as its last iteration saw it."""
        loss: float | None = self.run["losses"]["rows"][self.iteration - 1][0]
        return loss


async def finish_study(context: WorkerContext, claim: Claim, session: PaintSession) -> dict[str, str]:
    """Make and store the files; returns name -> key. Raises `PaintingError` where none of its pictures is left."""
    job, study = claim.job, claim.job.study
    assert study is not None  # noqa: S101 - only studies come here
    painted = await _painted(context, job, study, session)
    if not painted:
        raise PaintingError("The pictures of this study were lost: ask for it again.")
    content = await load_picture(context.store, job.content)
    styles = [await load_picture(context.store, style) for style in job.styles]
    grown = await frames_of(context, session)
    blobs = await asyncio.to_thread(_draw, job, study, painted, [content, *styles], grown)
    blobs |= await best_file(session)
    return {name: await context.store.put(f"jobs/{job.id}/{name}", blob) for name, blob in blobs.items()}


async def _painted(context: WorkerContext, job: Job, study: Study, session: PaintSession) -> list[_Painted]:
    """What was painted, without the pictures of a parent that was forgotten since."""
    found, journal, before = [], session.journal, 0
    styles_differ = len({part.styles + part.style_masks for part in study.parts}) > 1
    for number, part in enumerate(study.parts):
        end = before + part.recipe.iterations
        for tile in (tile for tile in job.tiles if before < tile.iteration <= end):
            try:
                stored = StoredPicture(key=journal.snapshots[tile.iteration], name=tile.label, width=1, height=1)
                picture = await load_picture(context.store, stored)
                run = json.loads(await context.store.get(journal.records[number]))
                style = await _style(context, part) if styles_differ else None
                found.append(_Painted(tile, part, picture, run, tile.iteration - before, style))
            except (BlobMissing, LookupError, PaintingError):
                session.incomplete = True
        before = end
    return found


async def _style(context: WorkerContext, part: Part) -> Image.Image:
    style = await load_picture(context.store, part.styles[0])
    if not part.style_masks:
        return style
    mask = (await load_picture(context.store, part.style_masks[0])).convert("L").resize(style.size)
    return Image.composite(style, Image.new("RGB", style.size, "#9a9a9a"), mask)


def _draw(
    job: Job, study: Study, painted: list[_Painted], sources: list[Image.Image], grown: dict[int, bytes]
) -> dict[str, bytes]:
    measured = _measured(study, painted)
    sheet = contact_sheet(
        drawn(studies.KINDS[study.vary].title),
        drawn_title(job),
        sources[:1] if painted[0].style is not None and len(sources) > 2 else sources[:3],
        [SheetTile(drawn(p.tile.label), _small_print(study, p), p.picture, p.style) for p in painted],
        _foot(job, painted, measured),
    )
    blobs = {
        "final.png": encode(sheet),
        "loss.png": _losses(job, study, painted),
        "run.json": json.dumps(_record(job, study, painted, sheet, measured), indent=1).encode(),
    }
    if job.film:
        blobs["film.webp"] = _film(job, study, painted, grown)
    if "exponent" in measured:
        pixels, seconds = zip(*_times(painted), strict=True)
        blobs["time.png"] = time_plot(pixels, seconds, measured["exponent"], painted[0].run["device"]["model"])
    return blobs


def _small_print(study: Study, painted: _Painted) -> str:
    loss = "" if painted.loss is None else drawn("loss {loss}", loss=drawn_number(painted.loss, ".3g"))
    seconds = "" if study.vary == studies.ITERATIONS else f"{drawn_number(painted.run['seconds'], '.3g')} s"
    return " · ".join(filter(None, (drawn(painted.tile.note), loss, seconds)))


def _foot(job: Job, painted: list[_Painted], measured: dict[str, Any]) -> str:
    recipe = job.recipe
    told = [
        drawn(
            "{recipe}, {iterations} iterations at {size} px",
            recipe=recipe.name, iterations=drawn_number(recipe.iterations, ","), size=str(recipe.size),
        ),
        weights_in_words(painted[0].run["weights"]["name"], recipe.network),
        drawn("seed {seed}", seed=str(recipe.seed)),
    ]  # fmt: skip
    if "exponent" in measured:
        exponent = drawn_number(measured["exponent"], ".2f")
        told.append(drawn("time grows with the pixels to the power of {exponent}", exponent=exponent))
    if "same_seed" in measured:
        same, others = (drawn_number(measured[which], ".3g") for which in ("same_seed", "other_seeds"))
        sentence = "mean difference of two paintings: same seed {same} levels, other seeds {others}"
        told.append(drawn(sentence, same=same, others=others))
    return " · ".join(told)


def weights_in_words(name: str, network: str) -> str:
    """Weights in words; a file's own by the beginning of their hash, for its name is not known here."""
    kind, _, digits = name.partition(":")
    if kind != "sha256":
        return drawn("weights {name}", name=name)
    called = network.upper() if network in vgg_layers.ARCHITECTURES else "VGG"
    return drawn("own {network} weights {digits}", network=called, digits=digits[:8])


def _measured(study: Study, painted: list[_Painted]) -> dict[str, Any]:
    """What the study measures beside its pictures; nothing where too little is left of it."""
    if study.vary == studies.SIZE and len(painted) > 1:
        return {"exponent": time_exponent(*zip(*_times(painted), strict=True))}
    if study.vary == studies.FLICKER and len(painted) == 2 * studies.REPEATS:
        pictures = [p.picture for p in painted]
        same, others = pictures[: studies.REPEATS], pictures[studies.REPEATS :]
        return {"same_seed": flicker(same), "other_seeds": flicker(others)}
    return {}


def _times(painted: list[_Painted]) -> list[tuple[int, float]]:
    return [(p.run["width"] * p.run["height"], p.run["seconds"]) for p in painted]


def _losses(job: Job, study: Study, painted: list[_Painted]) -> bytes:
    run = painted[0].run
    if len(study.parts) == 1:
        at = [p.iteration for p in painted]
        losses, plan = run["losses"], job.recipe.plan()
        name = drawn(studies.KINDS[study.vary].title)
        return loss_plot(losses["columns"], losses["rows"], snapshots=at, scales=plan, title=name, note="")
    lines = [(drawn(p.tile.label), [row[0] for row in p.run["losses"]["rows"]]) for p in painted]
    scales = [] if study.vary == studies.SIZE else job.recipe.plan()
    title = drawn("{title}: the losses", title=drawn(studies.KINDS[study.vary].title))
    return losses_plot(lines, scales, title)


def _film(job: Job, study: Study, painted: list[_Painted], grown: dict[int, bytes]) -> bytes:
    """How it grew; of flicker, both films side by side; else one painting after the other."""
    if grown:
        return film_of_making(grown, painted[0].run)
    longest = side_of(job.recipe)
    if study.vary == studies.FLICKER and len(painted) == 2 * studies.REPEATS:
        pictures = [p.picture for p in painted]
        pairs = zip(pictures[: studies.REPEATS], pictures[studies.REPEATS :], strict=True)
        both = [side_by_side([(drawn("one seed"), left), (drawn("other seeds"), right)]) for left, right in pairs]
        return film([frame(picture, 2 * longest) for picture in both], times=[_REPEAT_MS] * len(both))
    room = (max(p.picture.width for p in painted), max(p.picture.height for p in painted))
    return film([frame(ImageOps.pad(p.picture, room, Image.Resampling.LANCZOS, PAPER), longest) for p in painted])


def _record(
    job: Job, study: Study, painted: list[_Painted], sheet: Image.Image, measured: dict[str, Any]
) -> dict[str, Any]:
    first, kind = painted[0].run, studies.KINDS[study.vary]
    runs = {id(p.run): p.run for p in painted} if len(study.parts) > 1 else {0: first}
    return {
        **{name: first[name] for name in ("impasto", "weights", "device", "versions", "content", "styles")},
        "job": job.id,
        "parent": job.parent,
        "state": "done",
        "study": {"vary": study.vary, "title": kind.title, "axis": kind.axis},
        "measured": measured,
        "best": first.get("best"),
        "seconds": round(sum(run["seconds"] for run in runs.values()), 3),
        "width": sheet.width,
        "height": sheet.height,
        "recipe": job.recipe.as_dict(),
        "tiles": [
            {
                "label": p.tile.label, "note": p.tile.note, "file": p.tile.file, "iteration": p.iteration,
                "loss": p.loss, "seconds": p.run["seconds"], "width": p.run["width"], "height": p.run["height"],
            } for p in painted
        ],
        "paintings": list(runs.values()),
    }  # fmt: skip
