"""A name for each checkpoint: unique in the run and safe as the name of a file anywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

LENGTH = 80
_SUFFIXES = re.compile(r"(\.weights)?\.(keras|h5|hdf5|ckpt|checkpoint)$", re.IGNORECASE)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices."""


def names_of(files: Sequence[str]) -> dict[str, str]:
    """Return a name for each path; the suffix is kept only where names would be the same without it."""
    short = {file: _slug(_SUFFIXES.sub("", file)) for file in files}
    taken = [name.lower() for name in short.values()]
    names = {file: name if taken.count(name.lower()) == 1 else _slug(file) for file, name in short.items()}
    used: set[str] = set()
    for file, name in names.items():
        if name.lower() in used:
            names[file] = name = f"{name[: LENGTH - 9]}-{hashlib.sha256(file.encode()).hexdigest()[:8]}"
        used.add(name.lower())
    return names


def _slug(text: str) -> str:
    """Return a text of letters, digits, dots, dashes and underscores that starts with a letter or digit."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", text.replace("/", "-")).strip("-._ ") or "checkpoint"
    if _RESERVED.fullmatch(slug):
        slug = f"file-{slug}"
    if len(slug) > LENGTH:
        slug = f"{slug[: LENGTH - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return slug
