"""One self-contained page that shows a finished run: every picture is inside it, and nothing is fetched."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any

from PIL import Image

from bot.text.formatting import count, exact_duration, listed, loss
from engine.recipe.recipe import Recipe

MOST_SNAPSHOTS = 48

# Bytes before base64, which adds a third: with a film of 8 MB they keep the page below 25 MB.
_HERO_BYTES, _SNAPSHOT_BYTES, _SOURCE_BYTES, _FILM_BYTES = 3_500_000, 5_000_000, 1_000_000, 8_500_000
_LADDER = ((1.0, 88), (0.8, 80), (0.6, 74), (0.45, 66), (0.3, 58), (0.2, 45), (0.1, 30))


_DRAFT = "A draft, painted with our small starter network: `impasto paint --finish` goes on from it."


class Html(str):
    """Text that is HTML already; all other text is escaped on its way into the page."""

    __slots__ = ()


def render_page(run: Mapping[str, Any], folder: Path) -> str:
    """The page of the run that `run` (its run.json) tells of, with the pictures in `folder`; below 25 MB.

    Pictures that are not in the folder are left out. Raises `RecipeError` or `TypeError` for a recipe that is
    not one, and `KeyError` where the run lacks an entry.
    """
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in run["recipe"].items()}
    recipe = Recipe(**fields)
    content, *styles = (Path(picture["name"]).stem for picture in (run["content"], *run["styles"]))
    done, width, height = len(run["losses"]["rows"]), run["width"], run["height"]
    seconds = exact_duration(run["seconds"])
    frames = f"{recipe.frames} frames · " if recipe.frames > 1 else ""
    return html(
        resource("page.html"),
        css=Html(resource("page.css")),
        title=f"{content[:1].upper()}{content[1:]} in the style of {listed(styles)}",
        lead=f"{width} × {height} px · {frames}{count(done, 'iteration')} · {seconds} on {run['device']['model']}",
        stand_in=stand_in(run),
        width_px=f"{max(width, 960)}px",
        aspect=f"{width / height:.4f}",
        hero=_hero(run, folder, moves=recipe.frames > 1),
        sum=_sum(run, folder, recipe),
        film=Html() if recipe.frames > 1 else _film(run, folder),
        snapshots=_snapshots(run, folder, recipe),
        plot=_plot(run, folder),
        words=words(recipe),
        recipe=table({key.replace("_", " "): _plain(value) for key, value in recipe.as_dict().items()}),
        facts=table(facts(run)),
        version=run["impasto"],
    )


def resource(name: str) -> str:
    """The text of a file beside this one."""
    return files("bot.terminal").joinpath(name).read_text(encoding="utf-8")


def html(template: str, **values: object) -> Html:
    """The template with its values, each of them escaped unless it is HTML."""
    safe = {key: v if isinstance(v, Html) else escape(str(v)) for key, v in values.items()}
    return Html(Template(template).substitute(safe))


def stand_in(run: Mapping[str, Any]) -> Html:
    weights = run["weights"]
    note = (
        _DRAFT
        if run.get("draft_of")
        else weights.get("note") or "Painted with stand-in weights, not with the pretrained VGG19."
    )
    return html('<p class="stand-in" role="note">$note</p>', note=note) if weights["stand_in"] else Html()


def _hero(run: Mapping[str, Any], folder: Path, *, moves: bool) -> Html:
    """The painting; of a sequence, which `moves`, its film."""
    film = folder / "film.webp"
    if moves and film.is_file():
        figure = (
            '<div class="wall"><figure class="hero"><div class="frame"><img src="$uri" alt="$alt"></div></figure></div>'
        )
        return html(figure, uri=data_uri("webp", film.read_bytes()), alt="The painted film")
    uris = embed([folder / _name(run["final"])], longest=2048, budget=_HERO_BYTES)
    hint = Html(' <span id="hint" hidden>Drag across it to see the picture it was painted from.</span>')
    figure = """<div class="wall"><figure class="hero"><div class="frame">
<img src="$uri" alt="The finished painting: $content in the style of $styles"></div>
<figcaption>The painting.$hint</figcaption></figure></div>"""
    names = {"content": run["content"]["name"], "styles": listed([s["name"] for s in run["styles"]])}
    return Html("".join(html(figure, uri=uri, hint=hint, **names) for uri in uris if uri))


def _sum(run: Mapping[str, Any], folder: Path, recipe: Recipe) -> Html:
    """Content + style = painting; a picture that is not there is told of by its name alone.

    Of a sequence, whose content is shown by its first frame, that one's painting if there is one.
    """
    first = (_name(s) for s in run["snapshots"] if recipe.frames > 1 and s["iteration"] == recipe.frame_ends[0])
    shares = sum(style["weight"] for style in run["styles"])
    parts = [("content.png", "Content", run["content"]["name"], ' id="content"')]
    for k, style in enumerate(run["styles"], 1):
        share = f", {style['weight'] / shares:.0%}" if len(run["styles"]) > 1 else ""
        parts.append((f"style-{k}.png", f"Style{share}", style["name"], ""))
    parts.append((next(first, _name(run["final"])), "Painting", f"{run['width']} × {run['height']} px", ""))
    uris = embed([folder / part[0] for part in parts], longest=1024, budget=_SOURCE_BYTES)
    figure = """<figure><img$mark src="$uri" alt="$kind: $name">
<figcaption><b>$kind</b><br>$name</figcaption></figure>"""
    shown = [
        html(figure, mark=Html(mark), uri=uri, kind=kind, name=name)
        for uri, (_, kind, name, mark) in zip(uris, parts, strict=True)
        if uri
    ]
    signs = [Html('<span aria-hidden="true">+</span>')] * (len(shown) - 2) + [Html('<span aria-hidden="true">→</span>')]
    row = "".join(figure + sign for figure, sign in zip(shown, [*signs, Html()], strict=False))
    return section("From what to what", html('<div class="sum">$row</div>', row=Html(row))) if shown else Html()


def _film(run: Mapping[str, Any], folder: Path) -> Html:
    path = folder / "film.webp"
    if not path.is_file() or path.stat().st_size > _FILM_BYTES:
        return Html()
    alt = f"Film of the painting growing over {count(len(run['losses']['rows']), 'iteration')}"
    figure = '<figure class="film"><img src="$uri" alt="$alt"></figure>'
    return section("The film", html(figure, uri=data_uri("webp", path.read_bytes()), alt=alt))


def _snapshots(run: Mapping[str, Any], folder: Path, recipe: Recipe) -> Html:
    every = sorted(run["snapshots"], key=lambda s: int(s["iteration"]))
    step = max(1, math.ceil(len(every) / MOST_SNAPSHOTS))
    chosen = every[::-step][::-1]
    uris = embed([folder / _name(s) for s in chosen], longest=960, budget=_SNAPSHOT_BYTES)
    ends = {end: f"Frame {number}" for number, end in enumerate(recipe.frame_ends, 1)} if recipe.frames > 1 else {}
    figure = """<figure><img loading="lazy" src="$uri" alt="The painting after iteration $i, at loss $loss">
<figcaption><b>$what</b><span>loss $loss</span></figcaption></figure>"""
    shown = []
    for uri, snapshot in zip(uris, chosen, strict=True):
        if uri:
            i, total = f"{snapshot['iteration']:,}", _loss(run["losses"], snapshot["iteration"])
            what = ends.get(snapshot["iteration"], f"Iteration {i}")
            shown.append(html(figure, uri=uri, i=i, loss=total, what=what))
    grid = html('<div class="grid">$all</div>', all=Html("".join(shown)))
    frames = bool(ends) and all(snapshot["iteration"] in ends for snapshot in chosen)
    return section("Frame by frame" if frames else "How it grew", grid) if shown else Html()


def _plot(run: Mapping[str, Any], folder: Path) -> Html:
    path = folder / "loss.png"
    if not path.is_file():
        return Html()
    last = len(run["losses"]["rows"])
    alt = f"The losses over the iterations; the total ends at {_loss(run['losses'], last)}"
    figure = '<figure class="plot"><img loading="lazy" src="$uri" alt="$alt"></figure>'
    return section("The loss", html(figure, uri=data_uri("png", path.read_bytes()), alt=alt))


def section(title: str, body: Html) -> Html:
    return html("<section>\n<h2>$title</h2>\n$body\n</section>", title=title, body=body)


def table(rows: Mapping[str, str]) -> Html:
    row = '<tr><th scope="row">$key</th><td>$value</td></tr>\n'
    return Html("".join(html(row, key=key, value=value) for key, value in rows.items()))


def words(r: Recipe) -> str:
    """The recipe as a painter would tell it."""
    start = {
        "noise": "noise alone", "content": "the content picture", "style": "the style picture",
        "picture": "a picture of its own", "statistics": "noise with the colours and the spectrum of the style",
        "patches": "the content laid out in patches of the style",
    }[r.start]  # fmt: skip
    if r.start != "noise" and r.noise:
        start += f" with {r.noise:.0%} of noise"
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
        tell.append(f"A total variation term of weight {r.total_variation:g} keeps it smooth.")
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
    device, weights, slices = run["device"], run["weights"], run["slices"]
    workers = count(len({part["worker"] for part in slices}), "worker")
    versions = {"Impasto": run["impasto"], **run["versions"]}
    rows = {
        "Machine": f"{device['model']} ({device['name']}, {count(device['threads'], 'thread')})",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Time": f"{exact_duration(run['seconds'])}, in {count(len(slices), 'slice')} by {workers}",
        "Weights": f"{weights['name']} ({weights['identity']})",
        "Seed": str(run["recipe"]["seed"]),
        "Picture's SHA-256": run["final"]["sha256"],
        "Job": f"{run['job']}, {run['state']}",
    }
    for k, back in enumerate(run["rollbacks"], 1):
        name = f"Step back {k}" if len(run["rollbacks"]) > 1 else "Step back"
        rows[name] = f"At iteration {back['iteration']:,}: {back['reason']}; painted on with step {back['step']:g}."
    return rows


def embed(paths: Sequence[Path], *, longest: int, budget: int) -> list[str]:
    """A data URI of each picture, empty where there is none; all of them within `budget` bytes if need be."""
    pictures = [_opened(path) if path.is_file() else None for path in paths]
    encoded: list[bytes] = []
    for share, quality in _LADDER:
        encoded = [_webp(picture, round(longest * share), quality) if picture else b"" for picture in pictures]
        if sum(map(len, encoded)) <= budget:
            break
    return [data_uri("webp", data) if data else "" for data in encoded]


def _opened(path: Path) -> Image.Image:
    """With its transparency, if it has any, and without what else the file tells."""
    with Image.open(path) as file:
        picture = file.convert("RGBA" if file.has_transparency_data else "RGB")
    picture.info = {}
    return picture


def _webp(picture: Image.Image, longest: int, quality: int) -> bytes:
    small, out = picture.copy(), BytesIO()
    small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    small.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()


def data_uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


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
