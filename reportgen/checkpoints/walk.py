"""The files and model folders of a training run; links are not followed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from reportgen.errors import ConfigError

ENTRY_LIMIT = 200_000
DEPTH_LIMIT = 16


@dataclass(frozen=True)
class Found:
    """One entry of a run folder."""

    path: Path
    file: str
    """Relative to the run folder, with slashes; a byte that is no UTF-8 stands as \\xff."""
    kind: Literal["file", "model folder", "link", "other"]
    """other: a pipe, a socket, a device."""
    size: int = 0
    """[byte]"""


def walk(folder: Path, patterns: Sequence[str]) -> Iterator[Found]:
    """Yield what lies in a folder and matches one of the patterns, sorted by name.

    A folder that is itself a saved model is one entry. Hidden entries are passed over. Raises ConfigError where there
    are far too many.
    """
    wanted = re.compile("|".join(f"(?:{_expression(pattern)})" for pattern in patterns))
    pending = [("", folder, 0)]
    seen = 0
    while pending:
        prefix, place, depth = pending.pop()
        try:
            with os.scandir(place) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:  # a folder that may not be opened holds nothing for us
            continue
        seen += len(entries)
        if seen > ENTRY_LIMIT:
            raise ConfigError(
                "the run folder holds far too many files",
                where=str(folder),
                expected=f"at most {ENTRY_LIMIT:,}",
                advice="Give the folder of one training run as run.path.",
            )
        folders = []
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            name = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            found = _look(Path(entry.path), name)
            if found is None:
                if depth < DEPTH_LIMIT:
                    folders.append((f"{name}/", Path(entry.path), depth + 1))
            elif wanted.fullmatch(found.file):
                yield found
        pending.extend(reversed(folders))


def _look(path: Path, file: str) -> Found | None:
    """Return what an entry is, or None for a folder to look into."""
    try:
        about = path.lstat()
    except OSError:
        return Found(path, file, "other")
    if stat.S_ISLNK(about.st_mode):
        return Found(path, file, "link")
    if stat.S_ISREG(about.st_mode):
        return Found(path, file, "file", about.st_size)
    if not stat.S_ISDIR(about.st_mode):
        return Found(path, file, "other")
    if not folder_kind(path):
        return None
    inside = (entry.lstat() for entry in path.rglob("*") if not entry.is_dir())
    return Found(path, file, "model folder", sum(entry.st_size for entry in islice(inside, ENTRY_LIMIT)))


def is_saved_model(path: Path) -> bool:
    """Return whether a path is a folder that is itself a model, by what it holds."""
    return path.is_dir() and folder_kind(path) in _KINDS.values()


def folder_kind(path: Path) -> str:
    """Return what kind of saved model a folder is, or nothing."""
    for marks, kind in _KINDS.items():
        if all(os.path.lexists(path / mark) for mark in marks):
            return kind
    return "a folder with the name of a file" if path.suffix in _SUFFIXES else ""


_KINDS = {
    ("saved_model.pb",): "a SavedModel folder of TensorFlow",
    ("config.json", "model.weights.h5"): "an unzipped .keras folder",
    ("config.json", "model.weights.npz"): "an unzipped .keras folder",
    ("_CHECKPOINT_METADATA",): "an Orbax folder",
}
"""Files that together make a folder a model."""
_SUFFIXES = {".keras", ".h5", ".hdf5"}


def _expression(pattern: str) -> str:
    """Return a glob pattern as a regular expression: ** for any folders, * and ? inside a name."""
    pattern = pattern.removeprefix("./")
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern))
