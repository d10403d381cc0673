"""Folders of reports: each appears whole, by one rename, or not at all; none is ever touched again."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reportgen.disk import cannot_write, sync_folder, write_text
from reportgen.disk.whole import host
from reportgen.remote import abandoned, claim, remove

MAKING = ".making-"
"""Start of the name of a folder that is not a report yet."""
DUE = ".store/due"
"""Folder of an archive with a file for each report that its index may lack."""

log = logging.getLogger(__name__)


@dataclass
class NewReport:
    """A report being made."""

    folder: Path
    """Where to write; renamed at the end."""
    id: str
    """YYYYMMDD-HHMMSS-xxxxxxxx: sorts by time; the last part is the start of its key."""
    final: Path


@contextmanager
def new_report(archive: Path, run: str, now: datetime, key: str, below: str = "") -> Iterator[NewReport]:
    """Yield a folder that becomes archive/below/run/id when the block ends well, and is removed when it does not.

    A clock that was set back does not file it before the reports there are. Raises ArchiveError where it cannot be
    written.
    """
    home = archive / below / folder_name(run)
    now = _behind_the_newest(home, now)
    while (home / (id := f"{now:%Y%m%d-%H%M%S}-{key[:8]}")).exists() or not claim(home / id):
        now += timedelta(seconds=1)
    folder = home / f"{MAKING}{id}-{host()}-{os.getpid()}"
    try:
        (folder / "extraction").mkdir(parents=True)
        (folder / "checkpoints").mkdir()
    except OSError as error:
        raise cannot_write(error, archive) from error
    report = NewReport(folder, id, home / id)
    try:
        yield report
        for inner in (folder / "checkpoints", folder / "extraction", folder):
            sync_folder(inner)
        while True:
            try:
                _due(archive, report.final)
                folder.replace(report.final)
                break
            except OSError as error:
                if not report.final.exists():
                    raise cannot_write(error, report.final) from error
                # Somebody else filed a report of the same second meanwhile.
                now += timedelta(seconds=1)
                report.id = f"{now:%Y%m%d-%H%M%S}-{key[:8]}"
                report.final = home / report.id
        sync_folder(home)
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


def remove_leftovers(archive: Path, run: str) -> None:
    """Remove what killed processes left of reports of a run; whoever holds its lock knows that nobody makes one."""
    for folder in (archive / folder_name(run)).glob(f"{MAKING}*"):
        log.info("removing what an interrupted process left: %s", folder.name)
        shutil.rmtree(folder, ignore_errors=True)
    if left := abandoned(archive, folder_name(run)):
        log.info("removing what an interrupted upload left: %d files", len(left))
        remove(archive, left)


def due(archive: Path) -> list[Path]:
    """Return the notes of the reports that the index may lack: whoever filed them was stopped before it wrote it."""
    return sorted((archive / DUE).glob("*"))


def _due(archive: Path, final: Path) -> None:
    """Note that the index will lack a report until it is written anew."""
    folder = archive / DUE
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{final.parent.name}--{final.name}", "")


def _behind_the_newest(home: Path, now: datetime) -> datetime:
    """Return the time, or that of the newest report of the run and a second where it is later."""
    newest = max((path.name[:15] for path in home.glob("*") if is_report(path)), default="")
    try:
        last = datetime.strptime(newest, "%Y%m%d-%H%M%S").replace(tzinfo=now.tzinfo)
    except ValueError:
        return now
    if last <= now:
        return now
    log.warning("the clock is behind the newest report, %s: the next is filed a second after that", newest)
    return last + timedelta(seconds=1)
