"""The files and model folders of a training run; links are not followed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
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
    wanted = matching(patterns)
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


def matching(patterns: Sequence[str]) -> re.Pattern[str]:
    """Return an expression for the names in a run folder that match one of the patterns."""
    return re.compile("|".join(f"(?:{_expression(pattern)})" for pattern in patterns))


def model_folders(names: Collection[str]) -> set[str]:
    """Return the folders, with a slash at the end, that are saved models, given the names of all files; "" is the root.

    A folder in one is part of it.
    """
    inside: dict[str, set[str]] = {}
    for name in names:
        parts = name.split("/")
        for i, part in enumerate(parts):
            inside.setdefault("".join(f"{p}/" for p in parts[:i]), set()).add(part)
    return {
        folder for folder, held in inside.items()
        if any(set(marks) <= held for marks in _KINDS) or PurePosixPath(folder).suffix in _SUFFIXES
    }  # fmt: skip


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
    return Found(path, file, "model folder", size_of_folder(path))


def size_of_folder(path: Path) -> int:
    """Return how much a folder holds [byte]; what vanishes meanwhile, as it does in training, counts nothing."""
    total = 0
    with suppress(OSError):
        for entry in islice(path.rglob("*"), ENTRY_LIMIT):
            with suppress(OSError):
                about = entry.lstat()
                total += 0 if stat.S_ISDIR(about.st_mode) else about.st_size
    return total


def size_with_parts(found: Found) -> int:
    """Return the size of an entry [byte]; of an index or list with that of the files beside it under the same stem."""
    name = found.path.name
    stem = next((name.removesuffix(end) for end in _LISTS if name.endswith(end)), None)
    if found.kind != "file" or stem is None:
        return found.size
    total = found.size
    with suppress(OSError), os.scandir(found.path.parent) as listing:
        for entry in islice(listing, ENTRY_LIMIT):
            if entry.name != name and entry.name.startswith((f"{stem}.", f"{stem}_")):
                with suppress(OSError):
                    about = entry.stat(follow_symlinks=False)
                    total += about.st_size if stat.S_ISREG(about.st_mode) else 0
    return total


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
_LISTS = (".index", ".weights.json", ".json")
"""Ends of files that say what is in others, which bear the same name before it."""


def _expression(pattern: str) -> str:
    """Return a glob pattern as a regular expression: ** for any folders, * and ? inside a name."""
    pattern = pattern.removeprefix("./")
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern))
