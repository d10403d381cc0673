"""Text out of files that can be stored again: no NUL, no half of a character."""

from __future__ import annotations

from typing import Any


def storable(text: str) -> str:
    """Return a text with a question mark for each character that neither UTF-8 nor HDF5 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def all_storable(value: Any) -> Any:
    """Return a JSON value with all its texts and keys storable; for values that are not nested deeply."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [all_storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): all_storable(item) for key, item in value.items()}
    return value
