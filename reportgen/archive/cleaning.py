"""What an archive keeps and no report uses any more."""

from __future__ import annotations

from pathlib import Path

from reportgen.archive.manifest import read_manifest
from reportgen.archive.store import is_report
from reportgen.disk import cannot_write, locked
from reportgen.disk.whole import PART, remove_parts
from reportgen.remote import abandoned, remove
from reportgen.store.store import STORE, Entry, entries


def unused(archive: Path) -> list[Entry]:
    """Return the stored files that no report has in its folder, and what uploads left that nobody goes on with.

    Raises ArchiveError where a manifest is unreadable: what a report uses cannot be known then, and nothing may be
    called unused.
    """
    used = {
        known["sha256"]
        for folder in archive.glob("*/*")
        if is_report(folder)
        for known in read_manifest(folder)["files"].values()
        if "sha256" in known
    }
    left = [Entry(path, {}, "", size) for path, size in abandoned(archive).items()]
    return left + [entry for entry in entries(archive) if entry.sha256 not in used]


def free(archive: Path, found: list[Entry]) -> None:
    """Remove stored files, and what killed processes left half written; raises ArchiveError where it may not be."""
    with locked(archive, ".clean"):
        for folder in {archive, *(path.parent for path in (archive / STORE).rglob(f"{PART}*"))}:
            remove_parts(folder)
        try:
            remove(archive, [p for entry in found for p in (entry.path.with_suffix(".json"), entry.path)])
            for entry in found:
                entry.path.with_suffix(".json").unlink(missing_ok=True)
                entry.path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(error, archive) from error
