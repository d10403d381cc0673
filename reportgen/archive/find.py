"""The reports of an archive, and which of them is meant by a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reportgen.archive.store import folder_name, is_report
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError
from reportgen.places import is_url, place
from reportgen.remote import have, is_published, pull

COMPARISONS = "comparisons"
"""Folder of an archive that holds comparisons, each a level deeper than a report: a run may have that name, too."""
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
"""Name of the folder of a report, see NewReport."""


def reports_of(archive: Path) -> Iterator[Path]:
    """Yield the folders of the finished reports of an archive, run by run, the oldest first."""
    return (folder for folder in sorted(archive.glob("*/*")) if is_report(folder) and is_published(folder))


def comparisons_of(archive: Path) -> Iterator[Path]:
    """Yield the folders of the finished comparisons of an archive."""
    found = sorted((archive / COMPARISONS).glob("*/*"))
    return (folder for folder in found if is_report(folder) and is_published(folder))


def archive_of(report: Path) -> Path:
    """Return the archive a report or a comparison lies in."""
    home = report.resolve().parent
    return home.parents[1] if home.parent.name == COMPARISONS and not is_report(home) else home.parent


def located(word: str) -> Path:
    """Return the folder that a path or URL means here; raise ConfigError, without the URL, where it is no good one."""
    try:
        return place(word)
    except ValueError as error:
        raise ConfigError(str(error), where="the URL given") from error


def find_report(word: str, archive: Path) -> Path:
    """Return the folder meant: a folder, the name of a run (its newest report), an id, or an unambiguous start of one.

    Raises ConfigError where nothing is meant, or more than one thing.
    """
    there = located(word)
    if is_url(word) and ID.fullmatch(there.name):  # of any other URL it is not known where its archive would begin
        above = there.parents
        pull(above[2] if len(above) > 2 and above[1].name == COMPARISONS else above[1])
        have(there)
    if is_report(there) and is_published(there):
        return there
    pull(archive)
    every = list(reports_of(archive)) + list(comparisons_of(archive)) if archive.is_dir() else []
    whole = [folder for folder in every if word in (folder.name, f"{folder.parent.name}/{folder.name}")]
    run = [folder for folder in every if folder.parent.name == folder_name(word) and folder.parent.parent == archive]
    begun = [folder for folder in every if word and folder.name.startswith(word)]
    if run and len(whole) != 1:
        return max(run, key=lambda folder: folder.name)
    meant = whole or begun
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise ConfigError(
            f"{len(meant)} reports are meant", where=word, expected="a folder, a run, or a start of one id",
            received=", ".join(f"{f.parent.name}/{f.name}" for f in meant[:6]), advice="Give more of the id.",
        )  # fmt: skip
    names = [*dict.fromkeys(folder.parent.name for folder in every), *(folder.name for folder in every)]
    raise ConfigError(
        "there is no such report", where=word,
        expected="a folder in the archive: reports/<run>/<date-time-key>; or an id, a start of one, or a run",
        received="a file" if there.is_file() else "a folder that is no report" if there.is_dir()
        else "nothing there",
        advice=did_you_mean(word, names) or (
            f"`reportgen list {archive}` shows what there is" if every else f"none lies in {archive}: see --archive"
        ),
    )  # fmt: skip
