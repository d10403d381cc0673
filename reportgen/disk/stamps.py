"""The sha256 of files, remembered for as long as the file system says that they were not changed, as git does."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from reportgen.disk.whole import write_text
from reportgen.errors import ArchiveError

SETTLED = 2 * 10**9
"""A file that was changed less than this before it was read may be changed again within the same tick of the file
system's clock, unnoticed; so may one from the future. Its sum is not remembered [ns]."""
KEPT = 20_000
"""Sums that are remembered; those not asked for the longest go."""
SCHEMA = 1


class Stamps:
    """Sums by device, inode, size and the times of the last changes [ns]: no path is written down.

    The time of the last change of the inode cannot be set by programs, so that restored times do not deceive it; a
    byte that flips on the disk does, which is what `reportgen verify` is for.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: dict[str, str] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError, AttributeError):
            content = json.loads(file.read_text(encoding="utf-8"))
            if content.get("schema") == SCHEMA:
                self._known = {str(key): str(value) for key, value in content["sums"].items()}

    def sha256(self, path: Path) -> str:
        """Return the sha256 of a file, read only where it may have changed; raises OSError where it cannot be."""
        before = os.stat(path)  # noqa: PTH116 - of what a link leads to
        key = _key(before)
        if found := self._known.pop(key, None):
            self._known[key] = found  # the last to go
            return found
        now = time.time_ns()
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            after = os.fstat(file.fileno())
        if _key(after) == key and now - max(before.st_mtime_ns, before.st_ctime_ns) > SETTLED:
            self._known[key] = found
            self._changed = True
        return found

    def save(self) -> None:
        """Remember for the next process; an archive that cannot be written only costs it time."""
        if not self._changed:
            return
        sums = dict(list(self._known.items())[-KEPT:])
        with contextlib.suppress(ArchiveError, OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.file, json.dumps({"schema": SCHEMA, "sums": sums}))
        self._changed = False


def _key(about: os.stat_result) -> str:
    return f"{about.st_dev}:{about.st_ino}:{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}"
