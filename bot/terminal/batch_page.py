"""The page of a batch: a table with a row for each content and a column for each style, which links to their pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Paintings · Impasto</title>
<style>
body {{ margin: 2rem; font: 16px/1.5 system-ui, "Segoe UI", sans-serif; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }}
th {{ font-weight: 600; }}
td {{ width: 240px; min-width: 160px; }}
img {{ display: block; width: 100%; border-radius: 4px; }}
p {{ margin: .3rem 0; }}
</style>
</head>
<body>
<h1>{done} of {count} painted</h1>
<div class="scroll"><table>
<tr><th></th>{head}</tr>
{rows}
</table></div>
</body>
</html>
"""
_WAITS = {"waiting": "not begun yet", "begun": "begun"}


class Row(Protocol):
    """What is shown of a painting."""

    content: Path
    style: Path
    folder: str
    reason: str

    @property
    def status(self) -> str:
        """`waiting`, `begun`, `done` or `failed`."""


def render_batch_page(pairs: Sequence[Row]) -> str:
    """The page, to lie beside the folders; its pictures are theirs."""
    styles = list(dict.fromkeys(pair.style for pair in pairs))
    rows: dict[Path, str] = {}
    for pair in pairs:
        rows.setdefault(pair.content, f'<tr><th scope="row">{escape(pair.content.name)}</th>')
        rows[pair.content] += f"<td>{_cell(pair)}</td>"
    return _PAGE.format(
        done=sum(pair.status == "done" for pair in pairs),
        count=len(pairs),
        head="".join(f'<th scope="col">{escape(style.name)}</th>' for style in styles),
        rows="\n".join(f"{row}</tr>" for row in rows.values()),
    )


def _cell(pair: Row) -> str:
    title = escape(f"{pair.content.stem} in the style of {pair.style.stem}")
    if pair.status == "done":
        folder = quote(pair.folder)
        return f'<a href="{folder}/index.html"><img loading="lazy" src="{folder}/final.png" alt="{title}"></a>'
    return f"<p>{escape(pair.reason or _WAITS.get(pair.status, pair.status))}</p>"
