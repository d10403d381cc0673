"""JSON texts, judged by their length, depth and number of values before they are parsed."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from reportgen.checkpoints.limits import size
from reportgen.checkpoints.text import all_storable
from reportgen.errors import CheckpointError

Json = Any
"""A value out of a JSON text: nothing is known of it yet."""

JSON_DEPTH, JSON_VALUES = 200, 2_000_000
"""Of any JSON text: what is parsed takes up to thirty times the memory of the text."""
_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
"""A string of a JSON text; one that never ends takes the rest, so that the search never begins anew inside it."""


def parse_json(data: bytes | str, what: str, limit: int) -> Json:
    """Return the value of a JSON text of at most `limit` bytes; texts in it can be stored again."""
    if len(data) > limit:
        raise CheckpointError(f"{what} is {size(len(data))} long", expected=f"at most {size(limit)}")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        if text.count(",") + text.count(":") > JSON_VALUES:
            raise CheckpointError(f"{what} holds far too many values", expected=f"at most {JSON_VALUES:,}")
        if (depth := _depth(text)) > JSON_DEPTH:
            raise CheckpointError(
                f"{what} is nested too deeply", expected=f"at most {JSON_DEPTH} levels", received=str(depth)
            )
        value = json.loads(text)
    except RecursionError:
        raise CheckpointError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise CheckpointError(
            f"{what} is no JSON", expected="JSON text as Keras writes it", received=str(error)
        ) from error
    odd = any(escape in text for escape in ("\\u0000", "\\ud", "\\uD", "\0"))
    return all_storable(value) if odd else value


def _depth(text: str) -> int:
    """Return how deep the brackets of a JSON text are nested; those inside strings are none."""
    bare = _STRINGS.sub("", text).encode("utf-8", "replace")
    steps = np.frombuffer(bare, np.uint8)
    # The codes of brackets and braces differ in bit 0x20 alone.
    opened = ((steps | 0x20) == ord("{")).astype(np.int8) - ((steps | 0x20) == ord("}"))
    return int(np.cumsum(opened, dtype=np.int32).max(initial=0))
