"""Screenshots of a page, through whatever Chromium this machine has."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--no-first-run")
_PATIENCE = 120  # seconds, for a machine that is busy with other things too
# The window's height plus whatever is hidden below or above its edge: in a window that high nothing scrolls.
_MEASURE = """<script>addEventListener("load", () => {
  const scrolls = e => e === document.documentElement || ["auto", "scroll"].includes(getComputedStyle(e).overflowY);
  const hidden = [...document.querySelectorAll("*")].filter(scrolls).map(e => e.scrollHeight - e.clientHeight);
  document.title = `height ${innerHeight + Math.max(...hidden)}`;
});</script>"""


class NoBrowser(RuntimeError):
    """This machine has no Chromium to look at pages with."""


def shoot(html: str, path: Path, width: int = 1280, height: int | None = None, scale: float = 1.5) -> None:
    """Write a PNG of the page as it looks in a window of `width` by `height` px, with `scale` dots to the px.

    Without a height the window is as high as it takes for everything to be seen without scrolling. Raises
    `NoBrowser`, `RuntimeError` where Chromium does not get through with it, and `subprocess.TimeoutExpired`.
    """
    with tempfile.TemporaryDirectory(prefix="shoot-", ignore_cleanup_errors=True) as folder:
        page = Path(folder, "page.html")
        if height is None:
            page.write_text(html + _MEASURE, encoding="utf-8")
            height = _height(_chromium(page, "--dump-dom", f"--window-size={width},300"))
        page.write_text(html, encoding="utf-8")
        shot = Path(folder, "shot.png")
        size = (f"--window-size={width},{height}", f"--force-device-scale-factor={scale}")
        told = _chromium(page, f"--screenshot={shot}", *size)
        if not shot.is_file():
            raise RuntimeError(f"Chromium took no picture of the page: {told.strip() or 'it said nothing'}")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(shot, path)


def _height(page: str) -> int:
    found = re.search(r"<title>height (\d+)</title>", page)
    if found is None:
        raise RuntimeError("Chromium did not tell how high the page is.")
    return int(found[1])


def _chromium(page: Path, *arguments: str) -> str:
    """What Chromium says of the page, with a profile of its own beside the page."""
    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None:
        raise NoBrowser(f"No Chromium to take a screenshot with: none of {', '.join(_NAMES)} is on the PATH.")
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [browser, *_FLAGS, profile, *arguments, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    return done.stdout
