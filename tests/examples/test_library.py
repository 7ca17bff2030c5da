"""The paint floor as a library: the example in `examples/` runs, on torch alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).parents[2]
RUN = "import runpy, sys; runpy.run_path('examples/library.py'); print(*sys.modules)"


def test_the_example_paints_a_picture_without_queue_bot_or_worker(tmp_path: Path) -> None:
    result = tmp_path / "painting.png"
    command = [sys.executable, "-c", RUN, "examples/harbour.png", "examples/strokes.png", str(result), "32", "4"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "4 of 4" in done.stdout
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert {"torch", "engine"} <= loaded
    assert not loaded & {"redis", "arq", "discord", "pydantic", "obstore", "structlog", "bot"}
    painting = Image.open(result)
    assert max(painting.size) == 32
    content = Image.open(ROOT / "examples/harbour.png").convert("RGB").resize(painting.size)
    assert ImageChops.difference(painting, content).getbbox() is not None
