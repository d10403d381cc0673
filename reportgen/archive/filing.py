"""The index, written by one process at a time, and never left behind a report for good."""

from __future__ import annotations

from pathlib import Path

from reportgen.archive.find import COMPARISONS
from reportgen.archive.store import due, is_report
from reportgen.disk import cannot_write, locked
from reportgen.remote import publish, publish_rest


def bring_up_to_date(archive: Path, *, anew: bool = False) -> None:
    """Write the index where a report was filed since, or `anew` in any case; raises ArchiveError where it cannot be.

    To an archive on another machine the report is put first: one that was stopped before is not lost.
    """
    from reportgen.archive.index import write_index

    if not due(archive) and not anew:
        return
    with locked(archive, ".index"):
        notes = due(archive)  # of reports that are there before the manifests are looked at
        if not notes and not anew:
            return  # somebody else wrote it meanwhile
        reports = [folder for pattern in ("*/*", f"{COMPARISONS}/*/*") for folder in sorted(archive.glob(pattern))]
        publish(archive, filter(is_report, reports))
        try:
            write_index(archive)
            publish_rest(archive)
            for note in notes:
                note.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(error, archive) from error
