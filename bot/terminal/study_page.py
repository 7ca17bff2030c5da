"""One self-contained page that shows a finished study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.terminal.page import words
from bot.terminal.page_parts import Html, embed, film_section, framed, hero, html, plot_section, resource, section
from bot.text.formatting import exact_duration, listed
from engine.recipe.recipe import Recipe

TILE = "study-"
"""What the names of the single pictures begin with."""
_SHEET_BYTES, _TILE_BYTES, _FILM_BYTES = 4_000_000, 7_000_000, 7_000_000


def render_study_page(run: Mapping[str, Any], folder: Path) -> str:
    """The page of the study that `run` (its study.json) tells of, with the pictures in `folder`; below 25 MB."""
    about = run["study"]
    content = run["content"]["name"]
    styles = listed([style["name"] for style in run["styles"]])
    painted = len(run["paintings"])
    held = Recipe.from_dict(run["recipe"])
    main = html(
        resource("study.html"),
        sheet=_sheet(run, folder),
        tiles=_tiles(run, folder),
        film=film_section(folder / "film.webp", f"Film of {about['title']}", _FILM_BYTES),
        plots=_plots(folder),
        numbers=_numbers(run),
        measured=measured(run),
        words=words(held),
    )
    return framed(
        run, main,
        title=f"{about['title']}: {Path(content).stem}",
        lead=f"{content} in the style of {styles}. Varied: {about['axis']}; all else is held. "
        f"{painted} painting{'s' * (painted > 1)}, {exact_duration(run['seconds'])} on {run['device']['model']}.",
        width_px=f"{run['width']}px", aspect=f"{run['width'] / run['height']:.4f}", facts=_facts(run),
        style=resource("study.css"),
    )  # fmt: skip


def measured(run: Mapping[str, Any]) -> str:
    """What the study measured beside its pictures, in a sentence; empty for most."""
    found = run["measured"]
    if "exponent" in found:
        return f"The time of painting grows with the pixels to the power of {found['exponent']:.2f}."
    if "same_seed" in found:
        return (
            f"Two paintings with the same seed differ by {found['same_seed']:.3g} of 255 levels in the mean, "
            f"two with other seeds by {found['other_seeds']:.3g}."
        )
    return ""


def _sheet(run: Mapping[str, Any], folder: Path) -> Html:
    uris = embed([folder / "sheet.png"], longest=2400, budget=_SHEET_BYTES)
    alt = f"Contact sheet with {len(run['tiles'])} pictures: {listed([tile['label'] for tile in run['tiles']])}"
    return Html("".join(hero(uri, alt) for uri in uris if uri))


def _tiles(run: Mapping[str, Any], folder: Path) -> Html:
    uris = embed(
        [folder / f"{TILE}{Path(tile['file']).name}" for tile in run["tiles"]], longest=960, budget=_TILE_BYTES
    )
    figure = """<figure><img loading="lazy" src="$uri" alt="The painting: $label">
<figcaption><b>$label</b><span>$note</span></figcaption></figure>"""
    shown = [
        html(figure, uri=uri, label=tile["label"], note=tile["note"])
        for uri, tile in zip(uris, run["tiles"], strict=True) if uri
    ]  # fmt: skip
    return section("One by one", html('<div class="grid">$all</div>', all=Html("".join(shown)))) if shown else Html()


def _plots(folder: Path) -> Html:
    losses = "The losses over the iterations, a line for each painting"
    times = "Seconds of painting against pixels, on logarithmic axes"
    shown = [
        plot_section(folder / "losses.png", "The losses", losses),
        plot_section(folder / "time.png", "Time against pixels", times),
    ]
    return Html("\n".join(filter(None, shown)))


def _numbers(run: Mapping[str, Any]) -> Html:
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", "size", "iteration", "loss", "time"))
    row = "<tr><th scope='row'>$label</th><td>$size</td><td>$iteration</td><td>$loss</td><td>$time</td></tr>\n"
    rows = [
        html(
            row, label=tile["label"], size=f"{tile['width']} × {tile['height']} px", iteration=f"{tile['iteration']:,}",
            loss="–" if tile["loss"] is None else f"{tile['loss']:.4g}", time=exact_duration(tile["seconds"]),
        )
        for tile in run["tiles"]
    ]  # fmt: skip
    return Html(f"<tr>{head}</tr>\n" + "".join(rows))


def _facts(run: Mapping[str, Any]) -> dict[str, str]:
    device, weights = run["device"], run["weights"]
    versions = {"Impasto": run["impasto"], **run["versions"]}
    return {
        "Machine": f"{device['model']} ({device['name']}, {device['threads']} threads)",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Weights": f"{weights['name']} ({weights['identity']})",
        "Seed": str(run["recipe"]["seed"]),
        "Every recipe and loss": "in study.json, beside this page",
        "Job": run["job"],
    }
