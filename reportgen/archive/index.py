"""reports/index.html: every run and report, from the manifests alone."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from reportgen.archive.manifest import read_manifest
from reportgen.archive.store import is_report
from reportgen.errors import ArchiveError
from reportgen.templating import environment

NOTHING = {"measured": None, "checkpoints": None, "monitor": "", "value": None, "best_epoch": None}
"""What the index says of a report without a summary."""

log = logging.getLogger(__name__)


def write_index(archive: Path) -> Path:
    """Write the index of an archive, the newest report first; a manifest that cannot be read gets its own line."""
    rows: list[dict[str, Any]] = []
    broken: list[tuple[str, str]] = []
    for folder in sorted(archive.glob("*/*")):
        if not is_report(folder):
            continue
        place = folder.relative_to(archive).as_posix()
        try:
            manifest = read_manifest(folder)
        except ArchiveError as error:
            broken.append((place, error.problem))
            continue
        rows.append(
            {
                "place": place, "id": manifest["id"], "run": manifest["run"], "verdict": manifest["verdict"],
                "banners": manifest["banners"], "summary": NOTHING | manifest["summary"],
                "failures": len(manifest["failures"]), "made": manifest.get("started", ""),
                "files": [name for name in ("report.html", "report.pdf", "report.json") if name in manifest["files"]],
            }
        )  # fmt: skip
    rows.sort(key=lambda row: (row["id"], row["run"]), reverse=True)
    html = environment(skin="html", src=None).get_template("index.html").render(rows=rows, broken=broken)
    target = archive / "index.html"
    temporary = archive / f".index-{os.getpid()}.tmp"
    temporary.write_text(html, encoding="utf-8")
    temporary.replace(target)
    return target
