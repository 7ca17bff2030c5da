"""The log as its settings say: JSON or text, as much as is asked for; no secret in either."""

from __future__ import annotations

import io
import json
import logging
from typing import Literal

import pytest
import structlog

from engine.process.logs import log_to
from engine.process.redaction import hide


def written(level: str, style: Literal["json", "text"]) -> str:
    """What a few events of the program and of a library become."""
    file = io.StringIO()
    log_to(file, level, style)
    hide("5ec4e75ec4e7")
    log = structlog.get_logger("loud")
    log.info("accepted", job="1234")
    try:
        raise OSError("no way to 5ec4e75ec4e7")
    except OSError:
        log.exception("it broke off")
    logging.getLogger("a.library").warning("careful with 5ec4e75ec4e7")
    return file.getvalue()


def test_json_is_an_object_a_line() -> None:
    said = written("info", "json")
    assert [json.loads(line)["level"] for line in said.splitlines()] == ["info", "error", "warning"]


def test_text_is_for_people_with_the_traceback_as_it_is() -> None:
    said = written("info", "text")
    assert "accepted" in said
    assert "job=1234" in said
    assert "\nOSError: no way to [secret]\n" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_level_leaves_out_what_is_below_it_and_secrets_are_cut_out_of_both(style: Literal["json", "text"]) -> None:
    said = written("error", style)
    assert "it broke off" in said
    assert "accepted" not in said
    assert "5ec4e75ec4e7" not in said + written("debug", style)
