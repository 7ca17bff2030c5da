"""Words that people read on Discord."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence

from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import Recipe

# Discord looks for mentions, links and invites in the raw text, where no escape would stop it: what they are made of
# becomes a double that means nothing. The others are letters that show nothing.
_BLANKS = dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0", " ")
_DOUBLES = str.maketrans({"@": "＠", "<": "‹", ">": "›", "/": "∕", **_BLANKS})
_MARKDOWN = re.compile(r"[\\*_~`|\[\]():]")
_LINE_START = re.compile(r"^(\d+(?=[.])|(?=[-#]))")  # of a list, a heading, small print

_KINDS = re.compile(r"\.(png|jpe?g|jfif|webp|gif|bmp|tiff?|avif|hei[cf])$", re.IGNORECASE)
_HASH = re.compile(r"[0-9a-f-]{16,}", re.IGNORECASE)
_MACHINE_WORD = re.compile(
    "am|at|capture|clipboard|copy|download|dsc|dscf|dscn|edited|fb|file|gopr|images?|img|jpe?g|mp|mvimg|of|original|"
    "pasted|photo|pic|picture|pm|png|pxl|received|scan|screen|screenshot|shot|signal|snapchat|telegram|unknown|"
    "unnamed|untitled|vid|wa|whatsapp|[a-z]"
)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_STARTS = {
    "noise": "a flat colour", "content": "the content", "style": "the style", "picture": "a given picture",
    "statistics": "the style's spectrum", "patches": "patches of the style",
}  # fmt: skip
_OPTIMISERS = {"adam": "Adam", "lbfgs": "L-BFGS"}
# What `recipe_in_words` tells in words of its own, and what is no choice of the painter's.
_TOLD = {"name", "weights", "size", "iterations", "extra", "beta", "colours", "style_weights", "start", "noise"} | {
    "optimiser", "style_scale", "version", "network", "snapshots", "seed", "frames",
}  # fmt: skip


def safe(text: str, most: int = 80) -> str:
    """A member's words where Discord reads markdown: one line of at most `most` characters that does nothing.

    No mention, link or emoji code lives in it, no control or direction character; it is never empty.
    """
    escaped = _LINE_START.sub(r"\1\\", _MARKDOWN.sub(r"\\\g<0>", _tame(text)))
    return _shortened(re.findall(r"\\.|.", escaped), most)


def plain(text: str, most: int = 80) -> str:
    """The same where markdown is not read: in names of threads, in alt text, and in choices."""
    return _shortened(_tame(text), most)


def count(number: int, noun: str) -> str:
    """`1 iteration`, `3,300 iterations`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """`under a minute`, `about 4 minutes`, `about 2½ hours`, `about 3 days`."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 60:
        return "under a minute"
    minutes, halves = round(seconds / 60), round(seconds / 1800)
    if minutes < 60:
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    if halves < 96:
        hours = f"{halves // 2}{'½' if halves % 2 else ''}"
        return "about an hour" if hours == "1" else f"about {hours} hours"
    return f"about {round(seconds / 86400)} days"


def relative(instant: float) -> str:
    """An instant in Unix time, which Discord shows as `in 5 minutes`."""
    return f"<t:{round(instant)}:R>"


def bar(share: float, width: int = 16) -> str:
    """A progress bar of `width` blocks; full only where `share`, which is clamped to 0 to 1, is 1."""
    done = int(width * min(share, 1.0)) if share > 0 else 0
    return "▰" * done + "▱" * (width - done)


def loss(x: float) -> str:
    """Three digits of it: `0.034`, `12,300`, `1.2 million`; `–` where it is no number."""
    if not math.isfinite(x):
        return "–"
    x = float(f"{x:.3g}")
    if x and not 1e-3 <= abs(x) < 1e12:
        return f"{x:.2e}"
    for size, name in ((1e9, " billion"), (1e6, " million")):
        if abs(x) >= size:
            return f"{x / size:.3g}{name}"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def title(content_name: str, style_names: Sequence[str], fallback: str = "painting") -> str:
    """What a painting is called, in at most 100 characters: `harbour × strokes`.

    Names of files that a camera or a program chose are left out; `fallback` stands where nothing else is left.
    """
    content, styles = _name(content_name), ", ".join(dict.fromkeys(filter(None, map(_name, style_names))))
    if content and styles:
        return f"{plain(content, 48)} × {plain(styles, 48)}"
    return plain(content or (f"in the style of {styles}" if styles else fallback), 100)


def alt_text(iteration: int, of: int, content_name: str, style_names: Sequence[str]) -> str:
    """What a picture shows, for those who cannot see it, in at most 1,024 characters."""
    content = _name(content_name) or "a picture"
    styles = _and(list(dict.fromkeys(_name(name) or "another picture" for name in style_names)))
    return plain(f"Iteration {iteration:,} of {of:,}: {content} painted in the style of {styles}", 1024)


def recipe_in_words(recipe: Recipe) -> str:
    """The preset, iterations and size, then what differs from the preset, in at most 200 characters."""
    name = recipe.name if recipe.name in PRESETS else "fine"
    usual = preset(name, weights=recipe.weights, network=recipe.network, size=recipe.size)
    added = f" ({recipe.extra:,} of them added)" if recipe.extra else ""
    told = [
        recipe.name,
        f"a film of {recipe.frames} frames" if recipe.frames > 1 else "",
        f"{count(recipe.iterations, 'iteration')}{added} at {recipe.size} px",
        _strength(recipe.beta / usual.beta),
        {"style": "", "content": "content's colours", "matched": "style in the content's colours"}[recipe.colours],
        _styles(recipe.style_weights),
        _start(recipe) if (recipe.start, recipe.noise) != (usual.start, usual.noise) else "",
        f"style at {recipe.style_scale:.0%} of its size" if recipe.style_scale != usual.style_scale else "",
        f"with {_OPTIMISERS[recipe.optimiser]}" if recipe.optimiser != usual.optimiser else "",
        _rest(recipe, usual),
    ]
    return plain(", ".join(filter(None, told)), 200)


def _strength(ratio: float) -> str:
    if math.isclose(ratio, 1):
        return ""
    times = {0.5: "half", 2.0: "twice"}.get(round(ratio, 6), f"{ratio:.3g} times")
    return f"{times} the usual strength"


def _styles(weights: Sequence[float]) -> str:
    if len(weights) == 1:
        return ""
    number = _NUMBERS[len(weights)] if len(weights) < len(_NUMBERS) else str(len(weights))
    shares = " : ".join(f"{100 * weight / sum(weights):.0f}" for weight in weights)
    return f"{number} styles" if len(set(weights)) == 1 or len(weights) > 4 else f"{number} styles {shares}"


def _start(recipe: Recipe) -> str:
    if recipe.noise == 1 or (recipe.start == "noise" and recipe.noise):
        return "from noise"
    return f"from {_STARTS[recipe.start]}" + (f" with {recipe.noise:.0%} noise" if recipe.noise else "")


def _rest(recipe: Recipe, usual: Recipe) -> str:
    told = _TOLD | ({"scales"} if recipe.start == "picture" else set())  # the coarse ones are left out, as they must
    names = {field.name for field in dataclasses.fields(Recipe)} - told
    own = sorted(name.replace("_", " ") for name in names if getattr(recipe, name) != getattr(usual, name))
    if len(own) > 2:
        return f"{len(own)} other settings"
    return f"own {_and(own)}" if own else ""


def _name(file: str) -> str:
    """What a person called the picture; empty where a camera or a program did."""
    stem = plain(_KINDS.sub("", file).replace("_", " "))
    words = re.findall(r"[^\W\d]+", stem.casefold())
    return "" if all(map(_MACHINE_WORD.fullmatch, words)) or _HASH.fullmatch(stem) else stem


def _and(things: Sequence[str]) -> str:
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)


def _tame(text: str) -> str:
    """One line in which nothing lives but markdown."""
    shown = "".join(letter if letter.isprintable() else " " if letter.isspace() else "" for letter in text)
    return " ".join(shown.translate(_DOUBLES).split()) or "picture"


def _shortened(letters: Sequence[str], most: int) -> str:
    """The letters, none of them cut in two, in at most `most` characters."""
    if sum(map(len, letters)) <= most:
        return "".join(letters)
    kept, length = [], 1
    for letter in letters:
        length += len(letter)
        if length > most:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"
