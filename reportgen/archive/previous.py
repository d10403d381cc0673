"""What the newest report of a run said, for the next one to compare itself with."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from reportgen.archive.manifest import read_manifest
from reportgen.archive.store import folder_name, is_report
from reportgen.errors import ArchiveError
from reportgen.remote import have
from reportgen.report.changes import remembered
from reportgen.report.json import SCHEMA

log = logging.getLogger(__name__)


def previous_report(archive: Path, run: str) -> dict[str, Any] | None:
    """Return verdicts, checkpoints and headline numbers of the newest readable report of a run; None without any."""
    for folder in sorted((archive / folder_name(run)).glob("*"), reverse=True):
        if not is_report(folder):
            continue
        have(folder / "report.json")
        try:
            manifest = read_manifest(folder)
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
            if report["schema"] not in range(1, SCHEMA + 1):
                raise ValueError(f"report.json has schema {report['schema']}, this reportgen reads 1 to {SCHEMA}")
            files = {file: about["sha256"] for file, about in manifest["inputs"].items()}
            return remembered(manifest["id"], report["checks"], manifest["summary"], files)
        except (ArchiveError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("the report %s cannot be compared with: %s", folder.name, error)
    return None
