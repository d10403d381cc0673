"""Folders of reports: each appears whole, by one rename, or not at all; none is ever touched again."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reportgen.errors import ArchiveError

MAKING = ".making-"
"""Start of the name of a folder that is not a report yet."""


@dataclass
class NewReport:
    """A report being made."""

    folder: Path
    """Where to write; renamed at the end."""
    id: str
    """YYYYMMDD-HHMMSS-xxxxxxxx: sorts by time; the last part is the start of its key."""
    final: Path


@contextmanager
def new_report(archive: Path, run: str, now: datetime, key: str) -> Iterator[NewReport]:
    """Yield a folder that becomes archive/run/id when the block ends well, and is removed when it does not."""
    home = archive / folder_name(run)
    while (home / (id := f"{now:%Y%m%d-%H%M%S}-{key[:8]}")).exists():
        now += timedelta(seconds=1)
    folder = home / f"{MAKING}{id}-{os.getpid()}"
    try:
        (folder / "extraction").mkdir(parents=True)
        (folder / "checkpoints").mkdir()
    except OSError as error:
        raise ArchiveError(
            "the archive cannot be written", where=str(archive), received=str(error),
            advice="choose another folder with `archive:` or --archive, or make room",
        ) from error  # fmt: skip
    report = NewReport(folder, id, home / id)
    try:
        yield report
        while True:
            try:
                folder.replace(report.final)
                break
            except OSError:
                if not report.final.exists():
                    raise
                # Somebody else filed a report of the same second meanwhile.
                now += timedelta(seconds=1)
                report.id = f"{now:%Y%m%d-%H%M%S}-{key[:8]}"
                report.final = home / report.id
    finally:
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)


def folder_name(run: str) -> str:
    """Return the name of a run as the name of a folder, on any system."""
    name = re.sub(r"[^\w.-]+", "-", run).strip("-.") or "run"
    return name[:80]


def is_report(folder: Path) -> bool:
    """Whether a folder is a finished report."""
    return (folder / "manifest.json").is_file() and not folder.name.startswith(MAKING)
