"""What Keras and TensorFlow say of a network, without what is of use only to somebody who calls them."""

from __future__ import annotations

import re

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CALL = re.compile(r"^Exception encountered when calling [^\n]*?(\(\)|\))\.\s*")
_ARGUMENTS = re.compile(r"\s*Arguments received by .*", re.DOTALL)


def in_words(error: BaseException) -> str:
    """Return an error's own sentence: no colours, no list of the arguments it was called with."""
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "it asks for more memory than it may take"
    text = _COLOUR.sub("", str(error))
    return _ARGUMENTS.sub("", _CALL.sub("", text)) or type(error).__name__
