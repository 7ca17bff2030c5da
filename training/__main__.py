"""`python -m training`: a small network is taught by a large one, and its weights written."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.crops import Crops, Group
from training.export import levelled, read, write
from training.pictures import SMALLEST, drawn_pictures, is_scored, picture_files, read_picture
from training.score import Score
from training.teacher import Teacher, digest, read_teacher
from training.train import Plan, Training


def main() -> None:
    """What the command line says, with a line of errors every minute."""
    given = _arguments()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    plan = Plan(
        given.minutes * 60, given.crops, given.side, given.rate, given.gram, given.change, given.maximum,
        bfloat16=given.bfloat16, seed=given.seed,
    )  # fmt: skip
    if plan.later_side > SMALLEST:
        raise SystemExit(
            f"A picture to train on may be as small as {SMALLEST} px: give --side {SMALLEST * 2 // 3} at most."
        )
    print("Reading and drawing the pictures …", flush=True)
    trained, scored = _crops(given)
    device = torch.device(given.device)
    begin = read(given.begin) if given.begin else None
    training = Training(Teacher(read_teacher(given.teacher)).to(device), trained, scored, plan, device, begin=begin)
    if given.resume:
        training.resume(given.resume)
    sha256 = digest(given.teacher)

    def keep(result: Score, better: bool) -> None:
        training.save(given.out.with_suffix(".checkpoint"))
        if better:
            convs = levelled(training.average, training.teacher, training.scored)
            steps, told = str(training.progress.step), f"{result.mean:.4f}"
            write(convs, given.out, {"teacher_sha256": sha256, "steps": steps, "score": told})

    for line in training.run(keep):
        print(line, flush=True)
    print(f"Done: {given.out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training", description="Teach the weights `starter` by a pretrained VGG.")
    parser.add_argument("teacher", type=Path, help="VGG16 or VGG19, a PyTorch file with torchvision's names")
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, help="folders of photographs")
    parser.add_argument("--paintings", type=Path, nargs="+", default=[], help="folders of `training.paintings`")
    parser.add_argument("--textures", type=int, default=300, help="how many to draw (300)")
    parser.add_argument("--drawings", type=int, default=160, help="how many to draw (160)")
    parser.add_argument("--minutes", type=float, default=120, help="in all, with those before --resume (120)")
    parser.add_argument("--begin", type=Path, help="the safetensors of an earlier student, as wide or slimmer")
    parser.add_argument("--resume", type=Path, help="the checkpoint of an earlier training to go on with")
    parser.add_argument("--crops", type=int, default=Plan.crops, help="crops a step, each twice (%(default)s)")
    parser.add_argument("--side", type=int, default=Plan.side, help="px of a crop (%(default)s)")
    parser.add_argument("--rate", type=float, default=Plan.rate, help="of learning (%(default)s)")
    parser.add_argument("--gram", type=float, default=Plan.gram, help="weight of Gram matrices (%(default)s)")
    parser.add_argument("--change", type=float, default=Plan.change, help="weight of changes (%(default)s)")
    parser.add_argument(
        "--maximum", type=float, default=Plan.maximum, help="share of steps with max pooling, the others average (0.75)"
    )
    parser.add_argument("--bfloat16", action="store_true", help="faster on GPUs and on processors with AMX")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("-o", "--out", type=Path, default=Path("out/starter/starter.safetensors"))
    return parser.parse_args()


def _crops(given: argparse.Namespace) -> tuple[Crops, Crops]:
    """Those to train on, and those of the pictures kept for the score."""
    files = picture_files(given.pictures)
    photographs = [read_picture(path) for path in files if not is_scored(path)]
    kept = [path for path in files if is_scored(path)] or files[:1]
    paintings = [read_picture(path) for path in picture_files(given.paintings)]
    drawn = drawn_pictures(given.seed, given.textures, given.drawings)
    print(f"{len(photographs)} photographs, {len(paintings)} states of paintings, {len(drawn)} drawn pictures")
    print("Kept for the score: " + ", ".join(path.name for path in kept), flush=True)
    groups = [Group(photographs, 0.6), Group(paintings, 0.2), Group(drawn, 0.2)]
    return Crops(groups), Crops([Group([read_picture(path) for path in kept], 1.0)], plain=True)


if __name__ == "__main__":
    main()
