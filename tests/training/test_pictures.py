"""What the starter network is taught with: pictures alike from one seed, and never those that results are shown on."""

from __future__ import annotations

import dataclasses
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.painting.painter import Painter
from engine.recipe.vgg_layers import NAMES
from training.crops import Crops, Group
from training.drawings import drawing
from training.paintings import recipes, states
from training.pictures import HELD_OUT, LONGEST, SMALLEST, drawn_pictures, is_scored, picture_files, read_picture
from training.qt_resources import files_in
from training.random_fields import FIELDS
from training.textures import texture


def test_a_seed_is_a_texture() -> None:
    assert np.array_equal(texture(5, 48), texture(5, 48))
    assert not np.array_equal(texture(5, 48), texture(6, 48))


def test_a_seed_is_a_drawing() -> None:
    fillings = [texture(n, 64) for n in range(2)]
    assert np.array_equal(drawing(1, fillings), drawing(1, fillings))
    assert not np.array_equal(drawing(1, fillings), drawing(2, fillings))


@pytest.mark.parametrize("kind", dict.fromkeys(FIELDS), ids=lambda kind: kind.__name__)
def test_a_field_is_neither_flat_nor_out_of_range(kind: object) -> None:
    assert callable(kind)
    y, x = np.mgrid[:96, :96].astype(np.float32)
    for seed in range(3):
        values = kind(np.random.default_rng(seed))(x, y)
        assert values.shape == x.shape
        assert np.isfinite(values).all()
        assert values.std() > 0.02
        assert -0.6 < np.quantile(values, 0.01) <= np.quantile(values, 0.99) < 1.6


def test_drawn_pictures_follow_from_the_seed() -> None:
    first, again, other = (drawn_pictures(seed, 2, 1) for seed in (1, 1, 2))
    assert [picture.shape for picture in first] == [(3, 192, 192)] * 3
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_no_file_with_a_held_out_name_is_found(tmp_path: Path) -> None:
    deeper = tmp_path / "deeper"
    deeper.mkdir()
    for name in HELD_OUT:
        Image.new("RGB", (8, 8)).save(deeper / f"{name.upper()}-1024.png")
    for name in ("hill.jpg", "deeper/meadow.webp"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    assert [path.name for path in picture_files([tmp_path, deeper])] == ["hill.jpg", "meadow.webp"]


@pytest.mark.parametrize(
    "name",
    [
        "tubingen.jpg", "starry_night_google.jpg", "the_scream.jpg", "golden_gate.jpg", "hoovertowernight.jpg",
        "astronaut.png", "chelsea.png", "cat.jpg", "seated-nude.jpg", "woman-with-hat-matisse.jpg", "shipwreck.jpg",
        "the_shipwreck_of_the_minotaur.jpg", "picasso_selfport1907.jpg", "frida_kahlo.jpg", "brad_pitt.jpg", "wave.jpg",
        "hokusai.jpg", "GreatWave_a1.webp", "composition_vii.jpg", "la_muse.jpg", "muse.jpg", "udnie.jpg", "candy.jpg",
        "mosaic.jpg", "feathers.jpg", "china.jpg", "flower.jpg", "coffee.png", "harbour.png", "strokes.png",
    ],
)  # fmt: skip
def test_pictures_that_results_are_shown_on_are_held_out(name: str) -> None:
    assert name.lower().startswith(HELD_OUT)


def test_sizes_of_one_wallpaper_go_to_the_same_side() -> None:
    names = [f"{word}-{size}.jpg" for word in ("altai", "bythewater", "storm") for size in ("1080x1920", "5120")]
    sides = [is_scored(Path(name)) for name in names]
    assert sides == [False, False, True, True, False, False]
    words = ["".join(letters) for letters in np.random.default_rng(0).choice(list("abcdefgh"), (800, 5))]
    assert 25 < sum(is_scored(Path(f"{word}.png")) for word in words) < 75


def test_a_picture_is_shrunk_but_a_crop_fits(tmp_path: Path) -> None:
    Image.new("RGB", (2 * LONGEST, LONGEST)).save(tmp_path / "large.png")
    Image.new("L", (200, 20)).save(tmp_path / "flat.png")
    assert read_picture(tmp_path / "large.png").shape == (3, LONGEST // 2, LONGEST)
    flat = read_picture(tmp_path / "flat.png")
    assert (flat.shape, flat.dtype) == ((3, SMALLEST, 200), torch.uint8)


def test_crops_follow_from_the_generator_and_differ_among_themselves() -> None:
    crops = Crops([Group(drawn_pictures(3, 2, 1), 1.0)])
    first, again = (crops(3, 48, torch.Generator().manual_seed(1)) for _ in range(2))
    assert first.shape == (3, 3, 48, 48)
    assert torch.equal(first, again)
    assert (first[0] - first[1]).abs().mean() > 1
    many = crops(40, 48, torch.Generator().manual_seed(2))
    assert -400 < many.min() < 0, "some have noise"
    assert 255 < many.max() < 655


def test_plain_crops_are_pieces_of_the_pictures_at_several_sizes() -> None:
    ramp = torch.arange(200, dtype=torch.uint8).expand(3, 200, 200)
    found = Crops([Group([ramp], 1.0), Group([], 1.0)], plain=True)(20, 50, torch.Generator().manual_seed(0))
    steps = (found[:, 0, 25, 49] - found[:, 0, 25, 0]) / 49
    assert torch.equal(found[:, 0], found[:, 2])
    assert 1 - 1e-6 <= steps.min() < 1.5
    assert 3 < steps.max() <= 4


def qt_resource(files: dict[str, tuple[int, bytes]]) -> bytes:
    """A resource file of version 1: files in one folder, each with its flags, as Qt's `rcc` would write it."""
    names, data = b"", b""
    nodes = struct.pack(">IHII", 0, 2, 1, 1)  # the root, whose only child is the folder
    offsets = {}
    for name in ("folder", *files):
        offsets[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    nodes += struct.pack(">IHII", offsets["folder"], 2, len(files), 2)
    for name, (flags, content) in files.items():
        nodes += struct.pack(">IHHHI", offsets[name], flags, 0, 1, len(data))
        data += struct.pack(">I", len(content)) + content
    return struct.pack(">4s4i", b"qres", 1, 20, 20 + len(nodes), 20 + len(nodes) + len(data)) + nodes + data + names


def test_files_come_out_of_a_qt_resource() -> None:
    squeezed = struct.pack(">I", 5) + zlib.compress(b"hills")
    resource = qt_resource({"a.webp": (0, b"meadow"), "b.webp": (1, squeezed)})
    assert dict(files_in(resource)) == {"/folder/a.webp": b"meadow", "/folder/b.webp": b"hills"}
    with pytest.raises(ValueError, match="Qt resource"):
        list(files_in(b"something else, and long enough"))


def test_paintings_start_in_every_way_with_every_optimiser_and_their_states_are_pictures() -> None:
    planned = list(recipes(20, random.Random(0)))
    assert len({(recipe.start, recipe.noise, recipe.optimiser, recipe.step) for recipe in planned[:9]}) == 9
    assert [recipe.size for recipe in planned] == [160] * 9 + [256] * 9 + [160] * 2, "nine of fine"
    generator, inputs, convs = torch.Generator().manual_seed(0), 3, {}
    for name in NAMES:
        convs[name] = (torch.randn(4, inputs, 3, 3, generator=generator) * 0.3, torch.zeros(4))
        inputs = 4
    picture = Image.fromarray(texture(1, 48))
    recipe = dataclasses.replace(planned[1], size=SMALLEST)
    kept = list(states(Painter(recipe, picture, [picture], convs=convs)))
    assert [iteration for iteration, _ in kept] == [3, 10, 30, 100]
    assert all((pixels.shape, pixels.dtype) == ((3, SMALLEST, SMALLEST), torch.uint8) for _, pixels in kept)
    assert not torch.equal(kept[0][1], kept[-1][1])
