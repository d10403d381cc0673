"""manifest.json: what a report is made of, and from what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reportgen.archive.glance import course, thumbnail
from reportgen.archive.store import NewReport, folder_name, is_report
from reportgen.archive.whole import write_whole
from reportgen.errors import ArchiveError
from reportgen.report import Report
from reportgen.report.json import dump

SCHEMA = 1
"""Version of manifest.json."""
NAME = "manifest.json"


def write_manifest(new: NewReport, report: Report, more: dict[str, Any]) -> None:
    """Write manifest.json with the sha256 of every file of the report; `more` adds times, command, versions, inputs."""
    files = {
        path.relative_to(new.folder).as_posix(): {"sha256": sha256(path), "size": path.stat().st_size}
        for path in _files(new.folder)
    }
    summary = report.section("summary")
    said = asdict(summary.content) if summary and summary.content is not None else {}
    content = {
        "schema": SCHEMA,
        "id": new.id,
        "run": report.run,
        "title": report.title,
        "verdict": report.verdict,
        "banners": report.banners,
        "probes": report.probes,
        "summary": said,
        "course": course(new.folder / "extraction", str(said.get("monitor") or "")),
        "thumbnail": thumbnail(report),
        "failures": [asdict(failure) for failure in report.failures],
        "files": files,
        **more,
    }
    write_whole(new.folder / NAME, dump(content))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a report; raise ArchiveError where there is none that can be read."""
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArchiveError(
            "this is not the folder of a report", where=str(folder), expected=f"a readable {NAME} in it",
            received=str(error), advice="give a folder like reports/my-run/20260131-120000-0123abcd",
        ) from error  # fmt: skip
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        schema = content.get("schema") if isinstance(content, dict) else None
        raise ArchiveError(
            "the manifest has another schema", where=str(path), expected=f"schema {SCHEMA}", received=str(schema),
            advice="open it with the version of reportgen that wrote it, or a newer one",
        )  # fmt: skip
    return content


def probes_changed(archive: Path, run: str, probes: str) -> bool:
    """Whether the newest report of a run was made on another probe set: numbers of the two cannot be compared."""
    earlier = [folder for folder in sorted((archive / folder_name(run)).glob("*")) if is_report(folder)]
    for folder in reversed(earlier):
        try:
            return bool(read_manifest(folder)["probes"] != probes)
        except ArchiveError:
            continue
    return False


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != NAME)
