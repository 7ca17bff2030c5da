"""The teaching, on a tiny teacher: a student learns, is kept as loud as its teacher, and can be taught further."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from engine.painting.losses import gram_loss, moments
from engine.painting.network.vgg import VGG
from engine.recipe.recipe import PoolingKind
from engine.recipe.vgg_layers import NAMES
from training.crops import Crops, Group
from training.export import levelled, read, write
from training.losses import change_errors, feature_errors, gram_errors
from training.pictures import drawn_pictures
from training.score import Score
from training.student import WIDTHS, Learner, Student
from training.teacher import Teacher, digest, in_vgg19s_shape, read_teacher
from training.train import Plan, Training

CPU = torch.device("cpu")
NARROW = {"conv1_1": 4, "conv1_2": 4, "conv2_1": 6, "conv2_2": 6, "conv3_1": 8}


def teacher_convs(widths: Mapping[str, int], loudness: float = 1.0) -> dict[str, tuple[Tensor, Tensor]]:
    generator, inputs, convs = torch.Generator().manual_seed(5), 3, {}
    for name, width in widths.items():
        weight = torch.randn(width, inputs, 3, 3, generator=generator) * (2 / (9 * inputs)) ** 0.5 * loudness
        convs[name] = (weight, torch.randn(width, generator=generator) * 0.1)
        inputs = width
    return convs


def training(plan: Plan) -> Training:
    crops, held_out = (Crops([Group(drawn_pictures(seed, 2, 0), 1.0)], plain=True) for seed in (1, 2))
    return Training(Teacher(teacher_convs(dict.fromkeys(NARROW, 8))), crops, held_out, plan, CPU, widths=NARROW)


class Watched:
    """Scores as they are kept."""

    def __init__(self) -> None:
        self.scores: list[Score] = []
        self.better: list[bool] = []

    def __call__(self, result: Score, better: bool) -> None:
        self.scores.append(result)
        self.better.append(better)


@pytest.mark.long
@pytest.mark.parametrize("bfloat16", [False, True])
def test_what_is_taught_lowers_every_error(bfloat16: bool) -> None:
    taught = training(Plan(1e9, crops=2, side=32, rate=0.02, bfloat16=bfloat16))
    errors: dict[str, list[float]] = {}
    for taught.progress.step in range(300):
        for name, error in taught._step().items():
            errors.setdefault(name, []).append(float(error))
    layers = ["conv1_1", "conv2_1", "conv3_1"]
    assert list(errors) == [*layers, *(f"{kind} {name}" for kind in ("Gram", "change") for name in layers)]
    for name, told in errors.items():
        # In how features change with the pixels four filters cannot follow eight random ones far.
        assert sum(told[-9:]) < (0.99 if name.startswith("change") else 0.5) * sum(told[:9]), name


def test_the_score_is_of_averaged_weights_and_the_best_is_told() -> None:
    taught, watched = training(Plan(1e9, crops=1, side=32, keep_every=0)), Watched()
    lines = taught.run(watched)
    while len(watched.scores) < 3:
        line = next(lines)
    assert watched.better[0]
    assert taught.progress.best == min(result.mean for result in watched.scores)
    assert str(watched.scores[-1]) in line
    kept = watched.scores[0]
    assert list(kept.features) == ["conv1_1", "conv2_1", "conv3_1"] == list(kept.grams) == list(kept.changes)


def test_a_training_goes_on_from_what_was_kept(tmp_path: Path) -> None:
    taught = training(Plan(1e-9, crops=2, side=32))
    list(taught.run(Watched()))
    taught.save(tmp_path / "kept.checkpoint")
    again = training(Plan(1e-9, crops=2, side=32))
    again.resume(tmp_path / "kept.checkpoint")
    assert again.progress == taught.progress
    assert list(again.run(Watched())) == [], "its time is over"
    for one in (taught, again):
        one.plan = Plan(2 * one.progress.seconds, crops=2, side=32)
        one._step()
    for a, b in zip(taught.learner.parameters(), again.learner.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    assert not list(tmp_path.glob("*.part"))


def test_crops_come_with_a_noisy_twin_and_grow_in_the_last_third() -> None:
    taught = training(Plan(90, crops=4, side=32))
    for later, shape in ((False, (8, 3, 32, 32)), (True, (4, 3, 48, 48))):
        pixels = taught._batch(later=later)
        assert pixels.shape == shape
        crops, noisy = pixels.chunk(2)
        deviations = (noisy - crops).std((1, 2, 3))
        assert (deviations > 3).all()
        assert (deviations < 20).all()


def test_the_weights_kept_have_losses_as_large_as_the_teachers_and_otherwise_are_the_student(tmp_path: Path) -> None:
    torch.manual_seed(0)
    learner, teacher = Learner(dict.fromkeys(NARROW, 8), NARROW), Teacher(teacher_convs(dict.fromkeys(NARROW, 8), 3))
    for parameter in learner.parameters():
        nn.init.normal_(parameter, std=0.1 + 0.1 * (parameter.dim() > 1))
    pixels = torch.rand(2, 3, 32, 32) * 255
    write(levelled(learner, teacher, pixels), tmp_path / "weights.safetensors", {"steps": "7"})
    written = Teacher(read(tmp_path / "weights.safetensors"))(pixels, NARROW, "max")
    taught, own = teacher(pixels, NARROW, "max"), learner.student(pixels, "max")
    for name, x in written.items():
        ratios = x / own[name].clamp_min(1e-3)
        factors = torch.stack([ratios[:, i][own[name][:, i] > 0.1].median() for i in range(x.shape[1])])
        if name in learner.compared:
            factors = factors / cast(nn.Conv2d, learner.maps[name]).weight.flatten(1).norm(dim=0)
        torch.testing.assert_close(factors, factors.mean().expand_as(factors), rtol=0.02, atol=0)
    for name in ("conv1_1", "conv2_1", "conv3_1"):
        losses = [gram_loss(*(moments(x[i : i + 1]) for i in range(2))) for x in (written[name], taught[name])]
        assert float(losses[0]) == pytest.approx(float(losses[1]), rel=0.02)
    contents = [float((f["conv2_2"][0] - f["conv2_2"][1]).square().mean()) for f in (written, taught)]
    assert contents[0] == pytest.approx(contents[1], rel=0.01)


def test_the_file_has_the_engines_names_in_half_precision(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write(Student().tensors(), path, {"steps": "7"})
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
        assert file.metadata() == {"steps": "7"}
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    inputs = 3
    for name, width in WIDTHS.items():
        assert tensors.pop(f"{name}.weight").shape == (width, inputs, 3, 3)
        assert tensors.pop(f"{name}.bias").shape == (width,)
        inputs = width
    assert not tensors
    with pytest.raises(ValueError, match="half precision"):
        write({"conv1_1": (torch.full((1, 3, 3, 3), 1e6), torch.zeros(1))}, path, {})


@pytest.mark.parametrize(("kind", "count"), [(16, 13), (19, 16)])
def test_a_teacher_is_read_by_torchvisions_names_and_sees_what_the_engine_sees(
    tmp_path: Path, kind: int, count: int
) -> None:
    blocks = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}[kind]
    names = [f"conv{block}_{i}" for block, n in enumerate(blocks, 1) for i in range(1, n + 1)]
    convs, state, at = teacher_convs(dict.fromkeys(names, 3)), {}, 0
    for name, following in zip(names, [*names[1:], ""], strict=True):
        state[f"features.{at}.weight"], state[f"features.{at}.bias"] = convs[name]
        at += 3 if following.endswith("_1") else 2
    torch.save(state, tmp_path / "vgg.pth")
    read_back = read_teacher(tmp_path / "vgg.pth")
    assert list(read_back) == names
    assert len(read_back) == count
    assert len(digest(tmp_path / "vgg.pth")) == 64
    whole = in_vgg19s_shape(read_back)
    assert list(whole) == list(NAMES)
    pixels = torch.rand(1, 3, 40, 40) * 255
    poolings: tuple[PoolingKind, ...] = ("average", "max")
    for pooling in poolings:
        seen = VGG(whole, pooling=pooling, device=CPU)(pixels, ["relu4_2", "relu5_1"])
        for name, x in Teacher(read_back)(pixels, ["conv4_2", "conv5_1"], pooling).items():
            torch.testing.assert_close(x, seen[name.replace("conv", "relu")])


def test_another_file_is_no_teacher(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="torchvision"):
        read_teacher(tmp_path / "other.pth")


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_a_learner_whose_student_is_the_teacher_has_no_error(pooling: PoolingKind) -> None:
    convs, learner = teacher_convs(NARROW), Learner(NARROW, NARROW)
    with torch.no_grad():
        for name, (weight, bias) in convs.items():
            learner.student.convs[name].load_state_dict({"weight": weight, "bias": bias})
        for name in learner.compared:
            nn.init.dirac_(cast(nn.Conv2d, learner.maps[name]).weight)
        pixels = torch.rand(2, 3, 16, 16) * 255
        features, foretold = Teacher(convs)(pixels, learner.compared, pooling), learner(pixels, pooling)
        twice = learner(pixels, pooling, factors={"conv2_1": 2.0})
    torch.testing.assert_close(twice["conv2_1"], 2 * foretold["conv2_1"])
    torch.testing.assert_close(twice["conv3_1"], foretold["conv3_1"])
    for errors in (feature_errors, gram_errors, change_errors):
        assert all(error < 1e-9 for error in errors(foretold, features).values())
    silent = {name: torch.zeros_like(x) for name, x in features.items()}
    for errors in (gram_errors, change_errors):
        assert all(float(error) == pytest.approx(1) for error in errors(silent, features).values())


def test_a_student_begins_where_a_slimmer_one_ended() -> None:
    slim = teacher_convs({"conv1_1": 3, "conv2_1": 5, "conv3_1": 6}, loudness=7)
    pixels = torch.rand(4, 3, 32, 32) * 255
    learner = Learner(dict.fromkeys(NARROW, 8), NARROW)
    learner.student.widen(slim, pixels)
    before = Teacher(slim)(pixels, slim, "max")
    with torch.no_grad():
        after = learner.student(pixels, "max")
        for name, x in before.items():
            taken = after[name][:, : x.shape[1]]
            torch.testing.assert_close(taken, x * (taken.sum() / x.sum()), rtol=1e-3, atol=1e-4)
            assert float(taken.square().mean()) == pytest.approx(1, rel=1e-3)
        wanted = {name: after[name][:, :1] + after[name][:, 1:2] for name in learner.compared}
        wanted = {name: x.expand(-1, 8, -1, -1) for name, x in wanted.items()}
        learner.fit(pixels, wanted)
        for error in feature_errors(learner(pixels, "max"), wanted).values():
            assert error < 1e-3


def test_changes_are_compared_crop_by_crop_whatever_the_features_themselves_are() -> None:
    first, change = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    features = {"conv1_1": torch.cat([first, first + change])}
    apart = change * torch.tensor([0.5, -1.0])[:, None, None, None]
    foretold = {"conv1_1": torch.cat([first + 7, first + 7 + apart])}
    assert float(change_errors(foretold, features)["conv1_1"]) == pytest.approx((0.5**2 + 2**2) / 2, rel=1e-4)


def test_steps_pool_as_often_by_the_maximum_as_the_plan_says_and_each_pooling_has_its_units() -> None:
    taught = training(Plan(1e9, crops=1, side=32, maximum=0.75))
    kinds = [taught._kind() for _ in range(200)]
    assert 125 < kinds.count("max") < 175
    assert set(kinds) == {"max", "average"}
    crops, units = torch.rand(4, 3, 32, 32) * 255, taught.progress.units
    for kind in set(kinds):
        answers, features = taught._ask(crops, kind), taught.teacher(crops, ["conv3_1"], kind)
        torch.testing.assert_close(answers["conv3_1"], features["conv3_1"] / units[kind]["conv3_1"])
    assert units["max"]["conv3_1"] > 1.2 * units["average"]["conv3_1"]
    assert taught._factors("max") == pytest.approx(dict.fromkeys(units["max"], 1.0))
    ratio = units["max"]["conv3_1"] / units["average"]["conv3_1"]
    assert taught._factors("average")["conv3_1"] == pytest.approx(ratio)
