"""An archive on another machine: worked on in a folder here, its desk, and put there, each report's manifest last.

Stores of objects have no locks and no renames. What stands in for them: nothing that is there is written over but
the index and notes; a report without manifest.json is none; and who makes a report claims its id before.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from reportgen.disk.whole import PART
from reportgen.errors import RemoteError
from reportgen.places import url_of
from reportgen.remote.mirror import Mirror, mirror_of

MANIFEST = "manifest.json"
CLAIMS = ".store/claims"
"""Folder of an archive with an empty file for each report being made."""
ABANDONED = 24 * 3600.0
"""Files of a report without a manifest that are this old are of an upload that nobody goes on with [s]."""
_EARLY = re.compile(rf"(comparisons/)?[^/.][^/]*/[^/.][^/]*/{re.escape(MANIFEST)}|\.store/\w+/[^/]+\.json")
"""What is needed of every report and stored file: manifests and notes."""
_REPORT = re.compile(r"((?:comparisons/)?[^/.][^/]*/\d{8}-\d{6}-[0-9a-f]{8})/.+")

log = logging.getLogger(__name__)


def pull(archive: Path) -> None:
    """List an archive on another machine and have its manifests and notes here; nothing for one of this machine."""
    if (url := url_of(archive)) is not None:
        desk = Mirror(archive, url)
        with desk.held():
            desk.refresh(lambda names: [name for name in names if _EARLY.fullmatch(name)], ours=True)


def have(path: Path) -> None:
    """Have a file, or all that is below a folder, of a place that was listed here; nothing for this machine's own."""
    mirror = mirror_of(path)
    if mirror is None:
        return
    name = "" if path == mirror.folder else path.relative_to(mirror.folder).as_posix()
    below = [found for found in mirror.listed if not name or found == name or found.startswith(f"{name}/")]
    if below:
        with mirror.held():
            mirror.have(below)


def size_there(path: Path) -> int | None:
    """Return the size of a file where it was last listed [byte]; None where it was not, or is of this machine."""
    mirror = mirror_of(path)
    found = mirror.listed.get(path.relative_to(mirror.folder).as_posix()) if mirror else None
    return found.size if found else None


def is_published(report: Path) -> bool:
    """Whether a report is in its archive for all to see; one of this machine's is when it has its name."""
    return url_of(report) is None or size_there(report / MANIFEST) is not None


def claim(report: Path) -> bool:
    """Say that a report of this name is being made; False where somebody else does, or there is one already.

    Two that claim a name at once may both be refused, but never both be granted: each lists after it has written.
    """
    mirror = mirror_of(report)
    if mirror is None:
        return True
    name = report.relative_to(mirror.folder).as_posix()
    mine = f"{_claims(name)}/{uuid4().hex}"
    mirror.storage.mark(mine)
    if set(mirror.storage.list(_claims(name))) <= {mine} and not mirror.storage.list(name):
        return True
    mirror.storage.remove([mine])
    return False


def publish(archive: Path, reports: Iterable[Path]) -> None:
    """Put reports that are not there yet, the manifest of each after all its files; what is there is not put again.

    Raises RemoteError where that fails: no half report is visible then, and the next call goes on.
    """
    url = url_of(archive)
    if url is None:
        return
    mirror = Mirror(archive, url)
    for report in reports:
        if not is_published(report):
            name = report.relative_to(archive).as_posix()
            try:
                _put(mirror, name)
            except RemoteError as error:
                raise RemoteError(
                    f"the report is finished, and not where it belongs yet: {error.problem}",
                    where=f"{url}/{name}", expected=error.expected, received=error.received,
                    advice=f"It is kept here, and no half of it is visible there. {error.advice}",
                ) from error  # fmt: skip
    pull(archive)


def _put(mirror: Mirror, name: str) -> None:
    """Put what is missing of a report, and when all of it is there its manifest."""
    files = [path for path in mirror.at(name).rglob("*") if path.is_file() and not path.name.startswith(PART)]
    sizes = {path.relative_to(mirror.folder).as_posix(): path.stat().st_size for path in sorted(files)}
    del sizes[f"{name}/{MANIFEST}"]
    there = mirror.storage.list(name)
    mirror.storage.remove([file for file in there if file.rpartition("/")[2].startswith(PART)])
    missing = [file for file, size in sizes.items() if file not in there or there[file].size != size]
    log.info("putting %d of %d files to %s/%s", len(missing) + 1, len(sizes) + 1, mirror.storage.url, name)
    mirror.put(missing)
    found = {file: about.size for file, about in mirror.storage.list(name).items()}
    if found != sizes:  # somebody tidied up meanwhile, or it was not kept
        odd = sorted(file for file in found.keys() | sizes.keys() if found.get(file) != sizes.get(file))
        raise RemoteError(
            "not all of it arrived", where=f"{mirror.storage.url}/{name}", received=", ".join(odd[:5]),
            expected=f"{len(sizes)} files", advice="Type the same command again.",
        )  # fmt: skip
    mirror.put([f"{name}/{MANIFEST}"])
    mirror.storage.remove(list(mirror.storage.list(_claims(name))))


def publish_rest(archive: Path) -> None:
    """Put the index, and stored files that are not there yet, each before its note."""
    url = url_of(archive)
    if url is None:
        return
    mirror = Mirror(archive, url)
    notes = [path for path in archive.glob(".store/*/*.json") if path.with_suffix(".h5").is_file()]
    names = [note.relative_to(archive).as_posix() for note in notes]
    missing = [name for name in names if name not in mirror.listed]
    mirror.put(f"{name.removesuffix('.json')}.h5" for name in missing)
    mirror.put([*missing, "index.html"])
    pull(archive)


def remove(archive: Path, paths: Iterable[Path]) -> None:
    """Remove files of an archive where it lies; nothing for one of this machine."""
    if (mirror := mirror_of(archive)) is not None:
        mirror.storage.remove([path.relative_to(archive).as_posix() for path in paths])
        pull(archive)


def abandoned(archive: Path, run: str = "", now: float | None = None) -> dict[Path, int]:
    """Return path and size [byte] of files that uploads left which nobody goes on with; of one run, or of all."""
    mirror = mirror_of(archive)
    if mirror is None:
        return {}
    listed, old = mirror.listed, (time.time() if now is None else now) - ABANDONED
    reports: dict[str, list[str]] = {}
    for name in listed:
        found = _REPORT.fullmatch(name)
        if name.startswith(f"{CLAIMS}/"):
            reports.setdefault(name, []).append(name)
        elif found and (not run or name.startswith(f"{run}/")):
            reports.setdefault(found[1], []).append(name)
    return {
        archive / name: listed[name].size
        for report, names in reports.items()
        if f"{report}/{MANIFEST}" not in listed and not (archive / report / MANIFEST).is_file()
        and all(0 < listed[name].changed < old for name in names)
        for name in names
    }  # fmt: skip


def _claims(name: str) -> str:
    return f"{CLAIMS}/{name.replace('/', '--')}"
