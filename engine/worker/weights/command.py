"""`python -m engine.worker.weights.command`: what `impasto weights` runs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from engine.contract.settings import Settings, SettingsError, read_settings
from engine.painting.network import vgg
from engine.painting.network.vgg import Convs
from engine.process.exit import exit_now
from engine.process.terminal import print_what_it_can
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import RecipeError
from engine.recipe.vgg_layers import ARCHITECTURES, NAMES
from engine.worker.weights.fetch import FetchError, Source, torchvision_source
from engine.worker.weights.input_normalisation import IN_WORDS
from engine.worker.weights.named_weights import (
    cached,
    in_words,
    load_asked,
    load_weights,
    partial_download,
    placed_by_hand,
)
from engine.worker.weights.weights_file import WeightsError, WrongWeights, digest

_KNOWN: dict[tuple[int, ...], str] = {
    (1, 1, 2, 2, 2): "VGG11", (2, 2, 2, 2, 2): "VGG13", (2, 2, 3, 3, 3): "VGG16", (2, 2, 4, 4, 4): "VGG19",
}  # fmt: skip
"""Names of networks, by the number of convolutions in each block."""
_INTERRUPTED = 130


def fetch(settings: Settings, source: Source) -> int:
    """Get the pretrained weights into the cache, on from where an earlier download broke off. Raises `WeightsError`."""
    cache = settings.impasto_cache
    if (weights := cached(cache)) is not None:
        print(f"The pretrained VGG19 is in {cache} already: {in_words(weights)}.")
        return 0
    partial = partial_download(cache, source)
    begun = f", on from {_size(partial)}" if partial.exists() else ""
    print(f"Fetching {source.url} to {cache}{begun} …", flush=True)
    try:
        weights = load_weights("imagenet", cache, source=source)
    except KeyboardInterrupt:
        print("Stopped: `impasto weights fetch` goes on from here.", file=sys.stderr)
        return _INTERRUPTED
    print(f"The pretrained VGG19 is in {cache} now: {in_words(weights)}.")
    return 0


def show(settings: Settings, source: Source) -> int:
    """Where the cache is, what is in it, and what `auto` would use. Nothing is fetched."""
    cache, weights = settings.impasto_cache, cached(settings.impasto_cache)
    print(f"cache      {cache}")
    partial, own = partial_download(cache, source), cache / source.filename
    kinds = {partial: "a download that broke off: `impasto weights fetch` goes on", own: "torchvision's own file"}
    for path in sorted(cache.iterdir()) if cache.is_dir() else []:
        print(f"           {path.name}, {_size(path)}{f': {kinds[path]}' if path in kinds else ''}")
    if weights is not None:
        print(f"auto       {in_words(weights)}, from the cache")
    elif own.is_file():
        print(f"auto       {_by_hand(cache, source)}")
    else:
        starter = load_weights("starter", cache)
        print("auto       imagenet, if it can be fetched when a worker starts: `impasto weights fetch` does so now")
        print(f"           else {starter.identity} weights, a stand-in")
    asked, input_ = settings.impasto_weights, settings.impasto_weights_input
    print(f"asked for  {asked} (IMPASTO_WEIGHTS), input {input_} (IMPASTO_WEIGHTS_INPUT)")
    return 0


def _by_hand(cache: Path, source: Source) -> str:
    try:
        with placed_by_hand(cache, source):
            return f"imagenet, from {source.filename}"
    except (FetchError, OSError) as error:
        return f"starter weights, a stand-in, since {error}: delete that file, and run `impasto weights fetch`"


def check(path: Path, settings: Settings, *, as_json: bool) -> int:
    """What a file is. Raises `WeightsError` with one sentence where it cannot be used."""
    loaded = load_asked(path, settings.impasto_weights_input)
    name = f"sha256:{digest(loaded.convs)[:16]}"
    if as_json:
        network = vgg.architecture(loaded.convs)
        known = {"name": name, "network": network, "words": _architecture(loaded.convs), "input": loaded.input}
        print(json.dumps(known))
        return 0
    blocks = groupby(loaded.convs, lambda conv: conv[4])
    widths = [[len(loaded.convs[conv][0]) for conv in block] for _, block in blocks]
    converted = ", converted when it is read" if loaded.input == "caffe" else ""
    usable = ", ".join(_presets(name, vgg.architecture(loaded.convs)))
    usable = usable or "none as it is: choose layers that it has with --set"
    print(f"{path} can be used")
    print(f"network     {_architecture(loaded.convs)}")
    print(f"filters     {' | '.join(' '.join(map(str, block)) for block in widths)}")
    print(f"takes       {IN_WORDS[loaded.input]}{converted}; --weights-input says otherwise")
    print(f"classifier  {'there, and left aside' if loaded.classifier else 'none, and none is needed'}")
    print(f"identity    {name}")
    print(f"recipes     {usable}")
    return 0


def _architecture(convs: Convs) -> str:
    """`VGG16, conv1_1 to conv5_3`; of other widths, or cut short, in words."""
    counts = tuple(sum(1 for name in convs if name[4] == str(block)) for block in range(1, 6))
    usual = all(len(pair[0]) == ARCHITECTURES["vgg19"][int(name[4]) - 1][0] for name, pair in convs.items())
    names, (*_, last) = tuple(convs), convs
    known = _KNOWN.get(counts) or ("VGG19 cut short" if names == NAMES[: len(names)] else "a VGG")
    layers = "conv1_1 alone" if len(names) == 1 else f"{len(names)} layers, conv1_1 to {last}"
    return f"{known}{'' if usual else ' of other widths'}: {layers}"


def _presets(name: str, network: str) -> list[str]:
    """The recipes whose layers are all there."""
    found = []
    for recipe in PRESETS:
        try:
            preset(recipe, weights=name, network=network)
        except RecipeError:
            continue
        found.append(recipe)
    return found


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.0f} MB"


def main(arguments: Sequence[str] | None = None, source: Source | None = None) -> int:
    """The exit status: 78 where only who asked can mend it; `source` takes the place of torchvision's server."""
    print_what_it_can()
    parser = argparse.ArgumentParser("impasto weights", description="The network's weights.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="get the pretrained VGG19 (548 MB) ahead of time; on from where it broke off")
    commands.add_parser("show", help="what is in the cache, and what auto would use")
    checking = commands.add_parser("check", help="what a file of weights is, or why it can't be used")
    checking.add_argument("file", type=Path)
    checking.add_argument("--weights-input", choices=("auto", "torchvision", "caffe"), help="what it expects")
    checking.add_argument("--json", action="store_true", help="as one JSON object")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(impasto_weights_input=vars(options).get("weights_input"))
        if options.command == "check":
            return check(options.file, settings, as_json=options.json)
        return (fetch if options.command == "fetch" else show)(settings, source or torchvision_source())
    except (SettingsError, WeightsError) as error:
        print(error, file=sys.stderr)
        return os.EX_CONFIG if isinstance(error, SettingsError | WrongWeights) else 1


if __name__ == "__main__":
    exit_now(main())
