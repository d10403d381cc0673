"""Types of options that say where something lies: a path, or a URL on another machine."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from reportgen.places import cache, is_url, named, place, told, url_of


def _placed(value: Any) -> Any:
    """Return where a URL's files lie here; raises ValueError without repeating one that holds a password."""
    return place(value) if is_url(value) else value


def _pattern(text: str) -> str:
    if not is_url(text):
        return text
    there = place(text)
    if url_of(there) and glob.has_magic(str(cache())):
        raise ValueError("the folder of the cache has *, ? or [ in its name: set XDG_CACHE_HOME to another")
    return str(there)


Place = Annotated[Path, BeforeValidator(_placed), PlainSerializer(named, return_type=str, when_used="json")]
"""A path; of a URL that of its files here, written out as the URL."""
Pattern = Annotated[str, AfterValidator(_pattern), PlainSerializer(told, return_type=str, when_used="json")]
"""A file, a folder or a pattern, in the same way."""
