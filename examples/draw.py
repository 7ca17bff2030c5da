"""Draws the two pictures that the demo paints: `harbour.png` (content) and `strokes.png` (style).

Both are original to this project and free for any use. `python examples/draw.py [folder]` makes them again;
every chance is drawn from a fixed seed, so every run gives the same pictures.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Array = NDArray[np.float64]

WIDTH, HEIGHT = 640, 426
SEA = 250  # the row where the far water begins
SUPER = 3  # the harbour is drawn this many times larger, then averaged down

# A drawing is a list of shapes, parted by lines or semicolons: `fill`, `side` (shaded from left to right),
# `line:width`, `disc:radius`, then its colour, or two to run between, then its points; or a `house`.
SHORE = """
fill #3f5a5c>#2b3a55 0,168 50,160 105,172 150,200 190,222 232,244 250,256 0,256
fill #f0dcc6>#9a7585 92,150 109,150 109,216 92,216
fill #3f6f7c>#27485f 89,151 100.5,106 112,151
fill #ffd777>#ffae45 98,160 103,160 103,171 98,171
line:1.3 #2b3357 100.5,108 100.5,97; line:1.3 #2b3357 97.5,101 103.5,101
house 4 214 30 34 #e8c7a0 #a8483f *.**; house 48 216 32 36 #d9837a #6c3a52 .**.
house 116 226 28 30 #f2e3c8 #b4553f **; house 158 236 24 22 #e0a765 #7a3c4c *.
house -6 256 38 44 #f4e6cf #c65a41 ***.; house 42 256 34 38 #6fa5a8 #5b3a5c .***
house 86 256 36 48 #efb95f #a83f3c **.*; house 134 256 32 34 #e58f7b #6b3957 **
house 178 256 32 32 #f7ecd9 #c2553f *.
fill #e6c3a4>#e6c3a4 0,254 246,254 252,257 0,257
fill #7b6784>#37375f 0,257 252,257 247,272 0,272
line #51496f 86,258 86,271; line #51496f 164,258 164,271
line:1.6 #26284c 81,256 81,233; disc:3 #fff3bd 81,232
line:1.3 #2b2f5f 309,62 313,61 318,66 322,60 327,61; line:1.2 #2b2f5f 337,51 340,50 344,54 347,50 351,51
line:1.1 #2b2f5f 294,89 297,88 300,92 302,88 306,89; line:1 #2b2f5f 367,82 369,81 372,84 374,81 378,82
"""
HOUSE = """
fill #4a3f66>#2c2b52 1,-1 1.3,-1 1.3,0 1,0
fill {roof}>#4a2c48 0.5,-1.44 0.84,-1.44 1.36,-1 1,-1
fill {wall}>#8d6478 0,-1 0.5,-1.42 1,-1 1,0 0,0
line:0.08 {roof} -0.06,-0.95 0.5,-1.44 1.06,-0.95
"""
LIGHTHOUSE = """
fill #8a6478>#2d2f57 436,268 452,251 474,246 490,234 520,230 560,229 590,238 612,236 640,244 640,272 430,272
fill #dc9684>#74527a 452,251 474,246 490,234 505,233 494,250 470,264 444,266
fill #574a73>#2d2f57 560,229 590,238 600,262 562,268 548,248
side #fff4de>#94789c 519,112 541,112 549.2,232 510.8,232
side #f0603f>#6d1c3c 519,112 541,112 542.4,132 517.6,132
side #f0603f>#6d1c3c 516.3,152 543.7,152 545.1,172 514.9,172
side #f0603f>#6d1c3c 513.5,192 546.5,192 547.9,212 512.1,212
fill #ffe08a>#ffb04a 526,154 532,154 532,165 526,165; fill #ffe08a>#ffb04a 526,194 532,194 532,205 526,205
fill #3a2f55>#3a2f55 525,217 535,217 535,232 525,232
fill #3a3f6e>#23264b 514,112 546,112 543,106 517,106
fill #fff9d9>#ffd873 521,87 539,87 539,106 521,106
line:1.2 #33355f 527,87 527,106; line:1.2 #33355f 533,87 533,106
fill #d4493c>#7d2340 517,88 530,73 543,88; line:1.4 #33355f 530,74 530,64
house 566 238 26 22 #f1dfcb #a8443f *.
"""
KETCH = """
line:2.4 #3d2c47 2,-12 2,-150; fill #e8563f>#e8563f 2,-150 -14,-146 2,-141
fill #fff1d2>#f0a777 -1,-146 -6,-96 -22,-58 -50,-24 -1,-22
fill #f6c08c>#c9686a 5,-140 18,-100 38,-62 62,-30 5,-26
line #d79a78 -1,-62 -25,-54; line:2.2 #4b3147 -54,-22 4,-19; line:0.8 #5a4560 2,-150 72,-15
fill {hull}>#1f2348 -64,-17 -30,-14 20,-13 76,-19 60,0 46,5 -44,5 -58,-2
line:2.2 #fbe6c4 -64,-17 -30,-13.5 20,-12.5 76,-18.5
fill #f3dcc0>#9c7487 -34,-15 -30,-24 -8,-23 -4,-13; fill #ffcf70>#ffb84a -28,-17 -26,-21.5 -14,-21 -13,-16.5
"""
DINGHY = """
fill {hull}>#23264b -30,-9 0,-6 32,-11 23,2 -22,2
fill #4a2f4a>#2b2347 -28,-8.6 0,-5.6 30,-10.4 2,-9.4; line:1.5 #fde7c8 -30,-9 0,-6 32,-11
"""
BOATS = "d 300 306 0.62 #e0a94f; k 176 296 0.42 #3f7f86; k 396 356 1.12 #b83b3a; d 118 380 1.15 #2f8f93"
BEAMS = "side #000000>#a08c5c 312,18 530,95 530,100 312,80\nside #a08c5c>#5a4a40 530,95 640,62 640,112 530,100"


def ramp(stops: str, at: Array) -> Array:
    """Colours (levels 0 to 255), shape (*at.shape, 3), between stops like `0:#18265c 9:#ffe0a0`."""
    where, colours = zip(*(stop.split(":") for stop in stops.split()), strict=True)
    levels = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]
    ends = [float(position) for position in where]
    return np.stack([np.interp(at, ends, channel) for channel in zip(*levels, strict=True)], axis=-1)


def clouds(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int], octaves: int) -> Array:
    """Smooth noise of mean 0 and deviation 1, with `cells` (rows, columns) of coarsest detail."""
    total = np.zeros(shape)
    for octave in range(octaves):
        grid = rng.standard_normal([n * 2**octave + 1 for n in cells]).astype(np.float32)
        smooth = Image.fromarray(grid).resize(shape[::-1], Image.Resampling.BICUBIC)
        total += np.asarray(smooth, dtype=np.float64) / 2**octave
    return np.asarray((total - total.mean()) / total.std())


def picture(levels: Array) -> Image.Image:
    """The image of an array of levels, shape (height, width, 3)."""
    return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))


def fill(image: Image.Image, corners: Array, colours: str, *, across: bool) -> None:
    """Paste a polygon that runs between two colours."""
    first, last = colours.split(">")
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon(corners.ravel().tolist(), fill=255)
    ends = corners[:, 0 if across else 1]
    line = np.arange(image.width if across else image.height, dtype=np.float64)
    strip = ramp(f"{np.min(ends)}:{first} {np.max(ends) + 1e-6}:{last}", line)
    shades = picture(strip[None, :] if across else strip[:, None])
    image.paste(shades.resize(image.size, Image.Resampling.NEAREST), mask=mask)


def sheet(drawing: str, x: float = 0, y: float = 0, wide: float = 1, tall: float = 1) -> Image.Image:
    """The drawing on a transparent sheet (RGBA), its origin at (x, y) px and stretched by (wide, tall)."""
    image = Image.new("RGBA", (WIDTH * SUPER, HEIGHT * SUPER))
    pen = ImageDraw.Draw(image)
    for line in drawing.strip().replace("; ", "\n").splitlines():
        if line.startswith("house "):
            image.alpha_composite(house(*line.split()[1:]))
            continue
        word, colours, *pairs = line.split()
        kind, _, thick = word.partition(":")
        corners = (np.array([pair.split(",") for pair in pairs], dtype=float) * (wide, tall) + (x, y)) * SUPER
        size = float(thick or 1) * math.sqrt(wide * tall) * SUPER
        if kind == "line":
            pen.line(corners.ravel().tolist(), fill=colours, width=max(1, round(size)), joint="curve")
        elif kind == "disc":
            pen.ellipse([*(corners[0] - size), *(corners[0] + size)], fill=colours)
        else:
            fill(image, corners, colours, across=kind == "side")
    return image


def house(x: str, foot: str, wide: str, tall: str, *look: str) -> Image.Image:
    """A house `wide` by `tall`; its look: wall, roof, and its windows by rows of two, `*` being lit."""
    wall, roof, lights = look
    drawing, rows = HOUSE.format(wall=wall, roof=roof), len(lights) // 2
    for i, light in enumerate(lights):
        left, top = 0.17 + 0.42 * (i % 2), -0.92 + 0.84 / rows * (i // 2)
        right, low = left + 0.24, top + 0.55 / rows
        pane = f"{left},{top} {right},{top} {right},{low} {left},{low}"
        glass = "#fff0a8>#ffb84a" if light == "*" else "#3b4373>#2a2f59"
        drawing += f"fill {glass} {pane}\nline:0.035 #f4e3cf {pane} {left},{top}\n"
    return sheet(drawing, float(x), float(foot), float(wide), float(tall))


def sky(rng: np.random.Generator) -> Image.Image:
    """Dusk: indigo to gold, a low sun at (250, 214), clouds lit from below, three hazy mountain ranges."""
    y, x = np.mgrid[0 : HEIGHT * SUPER, 0 : WIDTH * SUPER] / SUPER
    levels = ramp("0:#18265c 70:#3b4a92 130:#8a5f9f 180:#e07f7f 218:#fbb36c 250:#ffe0a0", y)
    levels += np.exp(-np.hypot((x - 250) / 1.35, y - 214) / 62)[..., None] * np.array([150, 96, 20])
    puffs = clouds(rng, (HEIGHT * SUPER, WIDTH * SUPER), (9, 3), 5)
    lit = np.clip(0.5 - np.gradient(puffs, axis=0) * 18, 0, 1) * np.clip(0.45 + y / 240, 0, 1)
    cover = np.clip((puffs - 0.55) / 0.7, 0, 1) * np.clip((200 - y) / 60, 0, 1) * 0.85
    levels += (ramp("0:#2f3572 0.5:#9a5c8f 1:#ffb58a", lit) - levels) * cover[..., None]
    levels += np.clip(17 - np.hypot(x - 250, y - 214), 0, 1)[..., None] * (ramp("0:#fff6d8", y) - levels)
    scene = picture(levels).convert("RGBA")
    ranges = ((52, "#7d659e>#f0a987", 140), (40, "#54518c>#c98292", 100), (24, "#33406f>#7d5c86", 72))
    for k, (high, colours, gap) in enumerate(ranges):
        columns = np.linspace(0, WIDTH, 161)
        valley = 1 - 0.92 * np.exp(-(((columns - 250 - 22 * k) / gap) ** 2))
        rough = 1.25 + 0.38 * clouds(rng, (1, 161), (1, 9 + 3 * k), 5)[0]
        ridge = SEA - np.clip(high * rough * valley, 4, None)
        outline = " ".join(f"{a},{b}" for a, b in zip(columns, ridge, strict=True))
        scene.alpha_composite(sheet(f"fill {colours} 0,{SEA} {outline} {WIDTH},{SEA}"))
    return scene


def mirror(above: Image.Image, line: int, wobble: Array) -> Image.Image:
    """`above` flipped at the row `line` and shaken by `wobble`, more so further down."""
    levels = np.asarray(above)
    y, x = np.mgrid[0 : levels.shape[0], 0 : levels.shape[1]]
    depth = y - line * SUPER
    row = np.rint(line * SUPER - depth * 0.96 + wobble * (4 + 0.16 * np.abs(depth))).astype(int)
    column = np.clip(np.rint(x + wobble * (2 + 0.02 * np.abs(depth))).astype(int), 0, levels.shape[1] - 1)
    flipped = levels[np.clip(row, 0, line * SUPER), column]
    flipped[(depth < 0) | (row < 0)] = 0
    return Image.fromarray(flipped)


def water(scene: Image.Image, wobble: Array) -> Image.Image:
    """The scene with its lower part turned into its own reflection in a darkening, glittering sea."""
    seen = np.asarray(mirror(scene, SEA, wobble).convert("RGB"), dtype=np.float64)
    y, x = np.mgrid[0 : HEIGHT * SUPER, 0 : WIDTH * SUPER] / SUPER
    depth = np.clip((y - SEA) / (HEIGHT - SEA), 0, 1)
    deep = ramp("0:#d58a80 0.2:#6a5a94 0.6:#27407c 1:#132655", depth)
    sea = deep + (seen - deep) * (0.7 - 0.45 * depth)[..., None]
    sea += np.clip(wobble, -2, 2)[..., None] * (5 + 8 * depth[..., None])
    path = np.exp(-(((x - 250) / (20 + 55 * depth)) ** 2)) * np.clip((wobble - 1.1 * depth + 0.5) * 3, 0, 1)
    sea += (path * (0.9 - 0.5 * depth))[..., None] * (ramp("0:#fff0bd 0.35:#ffc27a 1:#e98a72", depth) - sea)
    return picture(np.where((y >= SEA)[..., None], sea, np.asarray(scene.convert("RGB")))).convert("RGBA")


def place(scene: Image.Image, thing: Image.Image, line: int, wobble: Array) -> None:
    """Put the sheet `thing` on the scene, over its own dim reflection at the row `line`."""
    reflection = mirror(thing, line, wobble)
    fade = Image.fromarray(np.linspace(235, 75, HEIGHT * SUPER).astype(np.uint8)[:, None]).resize(thing.size)
    dim = ImageChops.multiply(reflection.convert("RGB"), Image.new("RGB", thing.size, "#b4b8dc"))
    scene.paste(dim, mask=ImageChops.multiply(reflection.getchannel("A"), fade))
    scene.alpha_composite(thing)


def harbour(seed: int = 7) -> Image.Image:
    """A harbour at dusk with its village, lighthouse, mountains and boats; RGB, 640 x 426."""
    rng = np.random.default_rng(seed)
    scene = sky(rng)
    wobble = clouds(rng, (HEIGHT * SUPER, WIDTH * SUPER), (72, 11), 3)
    scene = water(scene, wobble)
    for shore in (SHORE, LIGHTHOUSE):
        place(scene, sheet(shore), 270, wobble)
    for row in BOATS.split("; "):
        kind, x, y, size, hull = row.split()
        drawing = {"d": DINGHY, "k": KETCH}[kind].format(hull=hull)
        place(scene, sheet(drawing, float(x), float(y), float(size), float(size)), int(y), wobble)
    light = Image.new("RGB", scene.size)
    light.paste(beams := sheet(BEAMS + "\ndisc:15 #c8b070 530,97"), mask=beams)
    flat = scene.convert("RGB")
    halo = flat.point(lambda v: max(0, v - 205) * 2).filter(ImageFilter.GaussianBlur(3.5 * SUPER))
    light = ImageChops.screen(light.filter(ImageFilter.GaussianBlur(4 * SUPER)), halo)
    return ImageChops.screen(flat, light).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def dab(paint: Array, relief: Array, at: Array, form: Array, *, hairs: Array, colours: Array) -> None:
    """One stroke on `paint` (levels) and `relief` at (x, y) px; its form: length, width, turn, 1/radius."""
    length, width, turn, bend = form
    reach = int(math.hypot(length, width) / 2) + 2
    top, left = max(0, int(at[1]) - reach), max(0, int(at[0]) - reach)
    box = (slice(top, int(at[1]) + reach), slice(left, int(at[0]) + reach))
    y, x = np.indices(relief[box].shape) + np.array([top - at[1], left - at[0]])[:, None, None]
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    radius, side = 1 / max(abs(bend), 1e-5), math.copysign(1, bend)
    out = radius - side * across
    along, across = radius * np.arctan2(along, out), side * (radius - np.hypot(along, out))
    u, v = along / length + 0.5, np.abs(across) * 2 / width
    grain = hairs[(across * 1.5).astype(int) % 512, (along * 0.5).astype(int) % 512]
    cover = np.clip((1 - v) * width / 3, 0, 1) * np.clip((u - 0.05 * grain) * length / 3, 0, 1)
    cover *= np.clip((1 - u - 0.3 * grain) * length / 4, 0, 1)
    ridge = np.exp(-(((v - 0.84) / 0.12) ** 2)) + np.exp(-(((u - 0.04) * length / width / 0.2) ** 2))
    high = (0.45 + 0.75 * grain + 0.5 * ridge) * (1.15 - 0.6 * u) * math.sqrt(width)
    mixed = colours[0] + (colours[1] - colours[0]) * np.clip(grain * 1.6 - 0.45, 0, 1)[..., None]
    paint[box] += cover[..., None] * (mixed * (0.86 + 0.24 * grain[..., None]) - paint[box])
    relief[box] += cover * (high - 0.6 * relief[box])


TONES = "0:#0c1a4a 1:#16348c 2:#1f62c4 3:#2fa7b8 4:#f6efd8 5:#f2b632 6:#d9771f 7:#c2321f 8:#5a1038 9:#0c1a4a"


def lay(rng: np.random.Generator, land: Array, widths: Sequence[tuple[int, int]]) -> tuple[Array, Array]:
    """Paint and relief of strokes along the level lines of `land`: (width in px, count), large first."""
    limit = np.array(land.shape[::-1]) - 1
    down, right = np.gradient(land)
    flow = np.arctan2(-right, down)
    hairs = np.clip(0.5 + 0.28 * clouds(rng, (512, 512), (128, 5), 3), 0, 1)
    busy = clouds(rng, (land.shape[0], land.shape[1]), (6, 8), 2)
    paint, relief = ramp(TONES, land % 9) * 0.5, np.zeros(land.shape)
    for width, count in widths:
        for at in rng.random((count, 2)) * limit:
            column, row = at.astype(int)
            if width < 30 and busy[row, column] < 0:
                continue
            turn, length = flow[row, column], width * rng.uniform(3.5, 6)
            step = np.array([math.cos(turn), math.sin(turn)]) * length / 4
            (ax, ay), (bx, by) = ((at + s * step).astype(int).clip(0, limit) for s in (1, -1))
            swing = math.remainder(flow[ay, ax] - flow[by, bx], math.tau)
            bend = min(1.8, max(-1.8, 2 * swing)) / length
            form = np.array([length, width * rng.uniform(0.75, 1.2), turn + rng.normal(0, 0.1), bend])
            tone = land[row, column] * 2.2 + rng.normal(4.2, 0.45) + np.array([0, rng.normal(0, 0.9)])
            colours = ramp(TONES, tone % 9) * rng.normal(1, 0.1)
            brush = np.roll(hairs, rng.integers(512, size=2), axis=(0, 1))
            dab(paint, relief, at, form, hairs=brush, colours=colours)
    return paint, relief


def strokes(seed: int = 3) -> Image.Image:
    """An abstract of thick, lit strokes at five scales around the hills of a random landscape; RGB."""
    rng = np.random.default_rng(seed)
    land = clouds(rng, (HEIGHT * 2, WIDTH * 2), (3, 4), 2)
    paint, relief = lay(rng, land, ((96, 220), (60, 420), (36, 700), (20, 1500), (11, 1300)))
    down, right = np.gradient(relief)
    norm = np.sqrt(right**2 + down**2 + 1)
    shade = (0.5 * right + 0.6 * down + 0.62) / norm
    shine = np.clip((0.28 * right + 0.34 * down + 0.9) / norm, 0, 1) ** 40
    lit = paint * np.clip(0.4 + 0.95 * shade, 0.25, 1.5)[..., None] + 42 * shine[..., None] - 12
    small = picture(lit).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    # Steps of four levels cannot be seen in such a texture, and save a third of the file.
    return small.point(lambda v: min(255, round(v / 4) * 4))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    harbour().save(folder / "harbour.png", optimize=True)
    strokes().save(folder / "strokes.png", optimize=True)
