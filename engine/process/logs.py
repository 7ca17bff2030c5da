"""A line for each event, JSON or text: time, level, event, the job's id wherever there is one; no secrets in any."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO, cast

import structlog

from engine.process.redaction import redact


def log_to(file: TextIO, level: int | str = logging.INFO, style: Literal["json", "text"] = "json") -> None:
    """Send the program's log there, what libraries have to warn of, and what nobody catches."""
    level = logging.getLevelName(level.upper()) if isinstance(level, str) else level
    last = _LAST[style]
    out = cast("TextIO", _Lossy(file))
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        *([structlog.processors.format_exc_info] if style == "json" else []),
    ]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[*shared, *last],
        logger_factory=structlog.PrintLoggerFactory(out),
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught


def size_of(log: Path) -> int:
    """How long the log is, in bytes; nothing where there is none."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def last_line(log: Path, since: int) -> str:
    """The last line after so many bytes of a log that says anything; empty where there is none."""
    try:
        lines = log.read_bytes()[since:].decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


class _Lossy:
    """A file whose disk may be full: the line is lost, and what would have told it goes on."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()


def _scrub(_logger: Any, _name: str, line: str) -> str:
    """The whole line at last: libraries put addresses into the texts of their errors, and tracebacks repeat those."""
    return redact(line)


_LAST: dict[str, list[structlog.typing.Processor]] = {
    "json": [structlog.processors.JSONRenderer(), _scrub],  # type: ignore[list-item]
    "text": [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback), _scrub],  # type: ignore[list-item]
}


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    structlog.get_logger(__name__).critical("the program broke off", exc_info=(kind, error, trace))
