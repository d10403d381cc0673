"""manifest.json: what a report is made of, and from what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.archive.store import NewReport, folder_name, is_report
from reportgen.disk import write_text
from reportgen.errors import ArchiveError

if TYPE_CHECKING:
    from reportgen.report import Report

SCHEMA = 2
"""Version of manifest.json. 2 added key, made and gates, by which a report is found unchanged."""
ADDED: dict[str, Any] = {"key": "", "made": {}, "gates": [], "made_by": {}}
"""What manifests of schema 1 lack, and how it is read there."""
NAME = "manifest.json"


def write_manifest(new: NewReport, report: Report, more: dict[str, Any]) -> None:
    """Write manifest.json with the sha256 of every file of the report; `more` adds times, command, versions, inputs.

    It comes last: a folder without it is no report.
    """
    from reportgen.archive.glance import course, thumbnail
    from reportgen.report.json import dump  # a large import, for those who write

    files = {
        path.relative_to(new.folder).as_posix(): {"sha256": sha256(path), "size": path.stat().st_size}
        for path in _files(new.folder)
    }
    summary = report.section("summary")
    said = asdict(summary.content) if summary and summary.content is not None else {}
    content = ADDED | {
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
        "gates": [asdict(gate) for gate in report.unmet],
        "files": files,
        **more,
    }
    write_text(new.folder / NAME, dump(content))


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
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema not in range(1, SCHEMA + 1):
        newer = isinstance(schema, int) and schema > SCHEMA
        raise ArchiveError(
            f"the manifest has another schema{', of a newer reportgen' if newer else ''}", where=str(path),
            expected=f"schema 1 to {SCHEMA}", received=f"schema {schema}",
            advice="update reportgen" if newer else "is it a manifest of reportgen's at all?",
        )  # fmt: skip
    return {**ADDED, **content}


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
