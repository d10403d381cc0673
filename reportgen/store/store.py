"""Files that cost time to make, kept once in the archive under the key of what they are made from."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any

from reportgen.disk import cannot_write, share, write_text
from reportgen.errors import ArchiveError
from reportgen.remote import have, size_there
from reportgen.store.key import Key, Reason, difference

STORE = ".store"
"""Folder of an archive."""
SCHEMA = 1
"""Version of the notes beside the files."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A file of the store."""

    path: Path
    parts: Mapping[str, str]
    """Of its key."""
    sha256: str
    size: int
    """[byte]"""
    more: dict[str, Any] = field(default_factory=dict)
    """What its maker has to say beside the file."""


class Store:
    """The files of one kind in an archive: name-key.h5 and, beside each, a note of what it was made from.

    `name` is that of what the file is mostly made from (the start of a checkpoint's sha256), so that a file that does
    not fit any more can still say why.
    """

    def __init__(self, archive: Path, kind: str) -> None:
        self.folder = archive / STORE / kind

    def get(self, name: str, key: Key) -> Entry | Reason:
        """Return the file of a key, its bytes verified, or why there is none."""
        path = self.path(name, key)
        entry = _note(path)
        if entry is not None:
            have(path)  # of an archive on another machine the notes alone are here
        if entry is None or not path.is_file():
            return self._why_not(name, key)
        try:
            with path.open("rb") as file:
                found = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return Reason("output damaged", f"{path.name} cannot be read: {error.strerror}")
        if found != entry.sha256:
            return Reason("output damaged", f"{path.name} is not what was written")
        return entry

    def has(self, name: str, key: Key) -> bool:
        """Whether there is a file of a key; its bytes are not looked at."""
        path = self.path(name, key)
        return path.with_suffix(".json").is_file() and (path.is_file() or size_there(path) is not None)

    def put(self, name: str, key: Key, made: Path, more: dict[str, Any] | None = None) -> Entry:
        """Keep a finished file, which is never changed again; raises ArchiveError where it cannot be."""
        path = self.path(name, key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with made.open("rb") as file:
                entry = Entry(path, key.parts, file_digest(file, "sha256").hexdigest(), made.stat().st_size, more or {})
            path.unlink(missing_ok=True)  # a damaged one
            share(made, path)
        except OSError as error:
            raise cannot_write(error, path) from error
        note = {
            "schema": SCHEMA, "sha256": entry.sha256, "size": entry.size, "parts": dict(key.parts), "more": entry.more,
        }  # fmt: skip
        write_text(path.with_suffix(".json"), json.dumps(note, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        return entry

    def take(self, entry: Entry, target: Path) -> bool:
        """Give a file of the store a name in a report; False where somebody has just cleaned it away."""
        try:
            share(entry.path, target)
        except ArchiveError:
            if entry.path.is_file():
                raise
            return False
        return True

    def path(self, name: str, key: Key) -> Path:
        """Return where the file of a key lies, or would."""
        return self.folder / f"{name[:16]}-{key.digest[:24]}.h5"

    def _why_not(self, name: str, key: Key) -> Reason:
        """Return what differs from the nearest of the files made from the same."""
        others = [_note(path.with_suffix(".h5")) for path in self.folder.glob(f"{name[:16]}-*.json")]
        known = [entry for entry in others if entry is not None]
        if not known:
            return Reason("missing", "never made from this")
        nearest = min(known, key=lambda e: sum(e.parts.get(p) != v for p, v in key.parts.items()))
        return difference(nearest.parts, key.parts) or Reason("missing", "its file has gone")


def entries(archive: Path) -> list[Entry]:
    """Return all that is stored in an archive; a file without a note that can be read counts with a sum of none."""
    here = {*(archive / STORE).glob("*/*.h5")}
    there = {path.with_suffix(".h5") for path in (archive / STORE).glob("*/*.json")}
    found = [(path, _note(path)) for path in sorted(here | {p for p in there if size_there(p) is not None})]
    return [note or Entry(path, {}, "", path.stat().st_size) for path, note in found]


def _note(path: Path) -> Entry | None:
    """Return what is noted beside a file; None where nothing is that can be read."""
    try:
        note = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if note["schema"] != SCHEMA:
            return None
        return Entry(path, note["parts"], note["sha256"], note["size"], note["more"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
