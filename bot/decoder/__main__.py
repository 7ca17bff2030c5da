"""One picture: bytes on standard input, an answer on standard output.

Arguments: the `Limits`, as JSON; what is wanted, `picture`, `mask` or `alpha` (how opaque it is); and `heif`, where it
may be HEIF. The answer: one line of JSON, then, if that line holds no "refusal", the clean picture as an RGB PNG
without metadata; animated, where an animation is asked for and is one.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from bot.decoder.decode import answer_for
from bot.decoder.formats import prepare
from bot.decoder.sandbox import give_up_rights

if TYPE_CHECKING:
    from bot.decoder.picture_limits import Limits


def main() -> None:
    """Answer for the picture on standard input; the process ends well whatever that picture is."""
    limits = cast("Limits", SimpleNamespace(**json.loads(sys.argv[1])))
    heif = "heif" in sys.argv[3:]
    prepare(limits, heif=heif)
    give_up_rights(limits, threads=heif)
    answer, png = answer_for(sys.stdin.buffer.read(), limits, sys.argv[2])
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + png)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
