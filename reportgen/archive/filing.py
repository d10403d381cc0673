"""The index, written by one process at a time, and never left behind a report for good."""

from __future__ import annotations

from pathlib import Path

from reportgen.archive.store import due
from reportgen.disk import cannot_write, locked


def bring_up_to_date(archive: Path) -> None:
    """Write the index anew where a report was filed since; raises ArchiveError where it cannot be."""
    from reportgen.archive.index import write_index

    if not due(archive):
        return
    with locked(archive, ".index"):
        notes = due(archive)  # of reports that are there before the manifests are looked at
        if not notes:
            return  # somebody else wrote it meanwhile
        try:
            write_index(archive)
            for note in notes:
                note.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(error, archive) from error
