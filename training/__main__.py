"""`python -m training`: draw the pictures, train, write the weights."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.sources import draw_sources
from training.train import Plan, read, train, write


def main() -> None:
    """What the command line says, with a line of losses every ten steps."""
    parser = argparse.ArgumentParser(prog="training", description="Train the weights `starter`, without labels.")
    parser.add_argument("--minutes", type=float, default=90, help="how long (90)")
    parser.add_argument("--pictures", type=Path, help="a folder of photographs to train on too")
    parser.add_argument("--from", dest="begin", type=Path, help="weights to begin with, instead of fresh ones")
    parser.add_argument("--textures", type=int, default=300, help="how many to draw (300)")
    parser.add_argument("--drawings", type=int, default=160, help="how many to draw (160)")
    parser.add_argument("--last", default=Plan.last, help="the deepest layer (%(default)s)")
    parser.add_argument("--side", type=int, default=32, help="px of a crop (32; on a GPU 64)")
    parser.add_argument("--pairs", type=int, default=64, help="pairs in a batch (64; on a GPU 512)")
    parser.add_argument("--rate", type=float, default=Plan.rate, help="of learning (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("-o", "--out", type=Path, default=Path("out/starter/starter.safetensors"))
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    print("Drawing the pictures …", flush=True)
    sources = draw_sources(given.seed, given.textures, given.drawings, given.pictures)
    print(f"{len(sources.pictures)} pictures with {len(sources.spots)} spots to tell apart", flush=True)
    begin = read(given.begin) if given.begin else None
    plan = Plan(given.minutes * 60, given.last, given.side, given.pairs, given.rate, given.seed, begin)
    for line in train(sources, plan, torch.device(given.device), lambda convs: write(convs, given.out)):
        print(line, flush=True)
    print(f"Done: {given.out}")


if __name__ == "__main__":
    main()
