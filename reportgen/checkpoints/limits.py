"""How large, how many and how deep what is read from a file may be; more is refused before it is read."""

from __future__ import annotations

import stat
from pathlib import Path

from reportgen.errors import CheckpointError

MIB, GIB = 2**20, 2**30
FILE_LIMIT = 4 * GIB
CONFIG_LIMIT = 16 * MIB
METADATA_LIMIT = MIB
TENSOR_LIMIT = 2 * GIB
TOTAL_LIMIT = 6 * GIB
RATIO_LIMIT = 100
"""Declared size over stored size; not looked at below 1 MiB."""
ROOM, SWELL = 256 * MIB, 4
"""Arrays take at most ROOM, or SWELL times their file: weights hardly shrink when they are packed."""
MEMBER_ROOM, MEMBER_SWELL = 64 * MIB, 10
"""The same for a member of a zip file."""
MEMBER_LIMIT, DIRECTORY_LIMIT = 10_000, 4 * MIB
"""Members of a zip file or a folder; and what the list of a zip file's takes."""


def size(number: int) -> str:
    """Return a number of bytes in words: 3.4 MiB."""
    if number >= 2**70:
        return "far more than any disk holds"
    for unit, step in (("GiB", GIB), ("MiB", MIB), ("KiB", 1024)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number} byte"


def room(stored: int) -> int:
    """Return how much the arrays of a file of `stored` bytes may take together [byte]."""
    return min(TOTAL_LIMIT, max(ROOM, SWELL * stored))


def regular(path: Path) -> int:
    """Return the size of a regular file [byte]; refuse links, pipes and devices before they are opened."""
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise CheckpointError(
            f"{path.name} is {'a link' if stat.S_ISLNK(about.st_mode) else 'no regular file'}",
            expected="a file of its own",
            advice="Copy the file itself to where the link is.",
        )
    return about.st_size
