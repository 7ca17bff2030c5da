"""One self-contained page that shows a finished run: every picture is inside it, and nothing is fetched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.terminal.page_parts import embed, render, whole
from bot.text.formatting import count, exact_duration, loss
from bot.text.translation import listed
from engine.recipe.recipe import Recipe

MOST_SNAPSHOTS = 48

# Bytes before base64, which adds a third: with a film of 8 MB they keep the page below 25 MB.
_HERO_BYTES, _SNAPSHOT_BYTES, _SOURCE_BYTES, _FILM_BYTES = 3_500_000, 5_000_000, 1_000_000, 8_500_000
_DRAFT = "A draft, painted with our small starter network: `impasto paint --finish` goes on from it."


def render_page(run: Mapping[str, Any], folder: Path) -> str:
    """The page of the run that `run` (its run.json) tells of, with the pictures in `folder`; below 25 MB.

    Pictures that are not in the folder are left out. Raises `RecipeError` or `TypeError` for a recipe that is
    not one, and `KeyError` where the run lacks an entry.
    """
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in run["recipe"].items()}
    recipe = Recipe(**fields)
    names = [picture["name"] for picture in (run["content"], *run["styles"])]
    content, *styles = (Path(name).stem for name in names)
    done, width, height = len(run["losses"]["rows"]), run["width"], run["height"]
    moves = recipe.frames > 1
    frames = f"{recipe.frames} frames · " if moves else ""
    film = whole(folder / "film.webp", math.inf if moves else _FILM_BYTES)
    painting = "" if film and moves else embed([folder / _name(run["final"])], longest=2048, budget=_HERO_BYTES)[0]
    return render(
        "page.html",
        run=run,
        title=f"{content[:1].upper()}{content[1:]} in the style of {listed(styles)}",
        lead=f"{width} × {height} px · {frames}{count(done, 'iteration')} · {exact_duration(run['seconds'])} "
        f"on {run['device']['model']}",
        stand_in=stand_in(run),
        width=max(width, 960),
        aspect=f"{width / height:.4f}",
        facts=_facts(run),
        content=names[0],
        styles=listed(names[1:]),
        moves=moves,
        painting=painting,
        film=film,
        sources=_sources(run, folder, recipe),
        iterations=count(done, "iteration"),
        snapshots=_snapshots(run, folder, recipe),
        plot=whole(folder / "loss.png"),
        last_loss=_loss(run["losses"], done),
        words=words(recipe),
        recipe={key.replace("_", " "): _plain(value) for key, value in recipe.as_dict().items()},
    )


def stand_in(run: Mapping[str, Any]) -> str:
    """What to say of the weights where they are not the pretrained ones; empty where they are."""
    weights = run["weights"]
    if not weights["stand_in"]:
        return ""
    if run.get("draft_of"):
        return _DRAFT
    return weights.get("note") or "Painted with stand-in weights, not with the pretrained VGG19."


def _sources(run: Mapping[str, Any], folder: Path, recipe: Recipe) -> list[dict[str, str]]:
    """Content, styles and painting, as far as their pictures are there.

    Of a sequence, whose content is shown by its first frame, that one's painting if there is one.
    """
    first = (_name(s) for s in run["snapshots"] if recipe.frames > 1 and s["iteration"] == recipe.frame_ends[0])
    shares = sum(style["weight"] for style in run["styles"])
    parts = [("content.png", "Content", run["content"]["name"])]
    for k, style in enumerate(run["styles"], 1):
        share = f", {style['weight'] / shares:.0%}" if len(run["styles"]) > 1 else ""
        parts.append((f"style-{k}.png", f"Style{share}", style["name"]))
    parts.append((next(first, _name(run["final"])), "Painting", f"{run['width']} × {run['height']} px"))
    uris = embed([folder / part[0] for part in parts], longest=1024, budget=_SOURCE_BYTES)
    return [{"uri": uri, "kind": kind, "name": name} for uri, (_, kind, name) in zip(uris, parts, strict=True) if uri]


def _snapshots(run: Mapping[str, Any], folder: Path, recipe: Recipe) -> list[dict[str, Any]]:
    every = sorted(run["snapshots"], key=lambda s: int(s["iteration"]))
    step = max(1, math.ceil(len(every) / MOST_SNAPSHOTS))
    chosen = every[::-step][::-1]
    uris = embed([folder / _name(s) for s in chosen], longest=960, budget=_SNAPSHOT_BYTES)
    frames = {end: number for number, end in enumerate(recipe.frame_ends, 1)} if recipe.frames > 1 else {}
    return [
        {
            "uri": uri,
            "iteration": f"{snapshot['iteration']:,}",
            "loss": _loss(run["losses"], snapshot["iteration"]),
            "frame": frames.get(snapshot["iteration"]),
        }
        for uri, snapshot in zip(uris, chosen, strict=True)
        if uri
    ]


def words(r: Recipe) -> str:
    """The recipe as a painter would tell it."""
    start = {
        "noise": "noise alone", "content": "the content picture", "style": "the style picture",
        "picture": "a picture of its own", "statistics": "noise with the colours and the spectrum of the style",
        "patches": "the content laid out in patches of the style",
    }[r.start]  # fmt: skip
    if r.start != "noise" and r.noise:
        start += f" with {r.noise:.0%} of noise"
    if r.start == "content" and r.start_colours == "style":
        start += " in the style's colours"
    sides = [side for side, _ in r.plan()[: r.scales]]
    how = {"adam": "Adam", "lbfgs": "L-BFGS"}[r.optimiser]
    tell = [f"Starting from {start}, {how} took {count(r.iterations, 'step')}"]
    tell[0] += (
        f", from coarse to fine at {listed([str(side) for side in sides])} px." if r.scales > 1 else f" at {r.size} px."
    )
    if r.frames > 1:
        tell.append(f"Each further frame took {r.frame_iterations} of them, from the painting before it, and only "
                    "where it had moved.")  # fmt: skip
    if r.content_layers:
        tell.append(f"The content is held by {listed(r.content_layers)}, with weight {r.alpha:g}.")
    if r.style_layers:
        statistic = {
            "gram": "Gram matrices", "covariance": "covariances", "wasserstein": "means and covariances as Gaussians",
        }[r.statistic]  # fmt: skip
        octaves = f" on {r.octaves} octaves" if r.octaves > 1 else ""
        means = f"{statistic} of {listed(r.style_layers)}{octaves}"
        tell.append(f"The style is matched by the {means}, with weight {r.beta:g}.")
    if r.total_variation:
        less = ", less where the style is fine in detail" if r.variation_ceiling else ""
        tell.append(f"A total variation term of weight {r.total_variation:g}{less} keeps it smooth.")
    if r.colours == "content":
        tell.append("Only light was painted; the colours are the content's.")
    elif r.colours == "matched":
        tell.append("The style was first given the content's colours.")
    elif r.match_luminance:
        tell.append("The light of the content was first brought to that of the style.")
    if r.networks > 1:
        tell.append(f"{r.networks} random networks took turns, one per step.")
    if r.average:
        tell.append("What is shown is a moving average of the steps.")
    return " ".join(tell)


def facts(run: Mapping[str, Any]) -> dict[str, str]:
    """What painted it, as rows, for paintings and studies."""
    device, weights = run["device"], run["weights"]
    versions = {"Impasto": run["impasto"], **run["versions"]}
    return {
        "Machine": f"{device['model']} ({device['name']}, {count(device['threads'], 'thread')})",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Weights": f"{weights['name']} ({weights['identity']})",
        "Seed": str(run["recipe"]["seed"]),
    }


def _facts(run: Mapping[str, Any]) -> dict[str, str]:
    workers = count(len({part["worker"] for part in run["slices"]}), "worker")
    rows = {
        **facts(run),
        "Time": f"{exact_duration(run['seconds'])}, in {count(len(run['slices']), 'slice')} by {workers}",
        "Picture's SHA-256": run["final"]["sha256"],
        "Job": f"{run['job']}, {run['state']}",
    }
    if best := run.get("best"):
        rows["The best"] = f"{best['why']} It is {_name(best)}, with loss {loss(best['loss'])}."
    for k, back in enumerate(run["rollbacks"], 1):
        name = f"Step back {k}" if len(run["rollbacks"]) > 1 else "Step back"
        rows[name] = f"At iteration {back['iteration']:,}: {back['reason']}; painted on with step {back['step']:g}."
    return rows


def _name(entry: Mapping[str, Any]) -> str:
    """The bare file name of an entry, so that no entry reaches out of the folder."""
    return Path(str(entry["file"])).name


def _loss(losses: Mapping[str, Any], iteration: int) -> str:
    """The total after an iteration, for people: `184`, `2.31 million`."""
    columns, rows = losses["columns"], losses["rows"]
    if "total" not in columns or not 1 <= iteration <= len(rows):
        return "unknown"
    value = rows[iteration - 1][columns.index("total")]
    return "not finite" if value is None or not math.isfinite(value) else loss(value)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(_plain, value)) if isinstance(value, tuple) else str(value)
