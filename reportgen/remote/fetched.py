"""What a report is made from, fetched: a training run, the files of a pattern, or one file; again where it changed."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from reportgen.places import url_of
from reportgen.remote.mirror import Choice, Mirror


def fetch_run(path: Path, choose: Choice) -> None:
    """Have the files of a training run here: a folder, one file, or the common start of the files of one checkpoint."""
    if not _refreshed(path, lambda names: choose([name for name in names if name]), deep=True):
        stem = path.name.removesuffix(".index")
        _refreshed(path.parent, lambda names: {n for n in names if n.startswith(stem)} | set(choose(names)), deep=False)


def fetch_files(*paths: Path) -> None:
    """Have single files here."""
    for path in paths:
        _refreshed(path, lambda names: {""} & set(names), deep=False)


def fetch_pattern(pattern: str) -> None:
    """Have the files here that an image pattern stands for: a file, those of a folder, or what a glob matches."""
    parts = Path(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    rest = parts[fixed:] or ("*",)
    deep = len(rest) > 1 or "**" in rest
    _refreshed(
        Path(*parts[:fixed]), lambda names: [n for n in names if not n or _matches(n.split("/"), rest)], deep=deep
    )


def list_again(folder: Path, *, deep: bool) -> dict[Path, int]:
    """Return size [byte] of what lies in a mirrored folder; what has changed or gone is not here any more.

    Nothing is fetched.
    """
    mirror = Mirror(folder, url_of(folder) or "", deep=deep)
    _refreshed(folder, lambda names: (), deep=deep)
    return {mirror.at(name): about.size for name, about in mirror.listed.items()}


def _refreshed(folder: Path, choose: Choice, *, deep: bool) -> bool:
    """Have the chosen files of a mirrored folder here; False where it is a single file, or nothing at all."""
    url = url_of(folder)
    if url is None:
        return True
    mirror = Mirror(folder, url, deep=deep)
    folder.parent.mkdir(parents=True, exist_ok=True)  # a place that holds nothing yet can be looked at all the same
    with mirror.held():
        mirror.refresh(choose)
    return bool(set(mirror.listed) - {""})


def _matches(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the parts of a name match those of a pattern, ** any number of folders."""
    if not parts:
        return not names
    if parts[0] == "**":
        return any(_matches(names[i:], parts[1:]) for i in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], parts[0]) and _matches(names[1:], parts[1:])
