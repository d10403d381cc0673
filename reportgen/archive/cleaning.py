"""What an archive keeps and no report uses any more."""

from __future__ import annotations

from pathlib import Path

from reportgen.archive.manifest import read_manifest
from reportgen.archive.store import MAKING, is_report
from reportgen.disk import cannot_write, locked
from reportgen.disk.whole import PART
from reportgen.store.store import STORE, Entry, entries


def unused(archive: Path) -> list[Entry]:
    """Return the stored files that no report has in its folder; raises ArchiveError where a manifest is unreadable.

    What a report uses cannot be known then, and nothing may be called unused.
    """
    used = {
        known["sha256"]
        for folder in archive.glob("*/*")
        if is_report(folder)
        for known in read_manifest(folder)["files"].values()
        if "sha256" in known
    }
    return [entry for entry in entries(archive) if entry.sha256 not in used]


def free(archive: Path, found: list[Entry]) -> None:
    """Remove stored files and what was half written; raises ArchiveError where that is not allowed."""
    with locked(archive, ".clean"):
        try:
            for entry in found:
                entry.path.with_suffix(".json").unlink(missing_ok=True)
                entry.path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(error, archive) from error


def unfinished(archive: Path) -> list[Path]:
    """Return the folders and files that killed processes, or those at work now, have not finished."""
    return sorted([*archive.glob(f"*/{MAKING}*"), *(archive / STORE).rglob(f"{PART}*")])
