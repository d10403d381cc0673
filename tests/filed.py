"""Small reports filed in an archive by code, as the pipeline files them, without any network."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from extractions import write_folder
from reportgen.archive import new_report, write_index, write_manifest
from reportgen.archive.inputs import probe_files
from reportgen.archive.manifest import sha256
from reportgen.extraction import open_run
from reportgen.report.files import write_files
from reportgen.sections import check_options

QUIET = ("summary", "run", "activations", "predictions", "weight_health", "failures")


def quiet(what: str, done: int, total: int) -> None:
    """Show no progress."""


def file_report(base: Path, run: str, minute: int = 0, formats: tuple[str, ...] = ("html",), **options) -> Path:
    """File a report on a small extraction, with its checkpoints and probes beside the archive `base/reports`."""
    config = {
        "run": {"path": f"runs/{run}", "name": run}, "probes": {"images": f"{run}.npy"}, "sections": list(QUIET),
        "task": {"classes": ["isolated", "merger"]}, "report": {"title": f"On {run}"},
    } | options.pop("config", {})  # fmt: skip
    home = base / "runs" / run
    home.mkdir(parents=True, exist_ok=True)
    (base / f"{run}.npy").write_bytes(b"\x93NUMPY" + run.encode())
    with new_report(base / "reports", run, datetime(2026, 1, 31, 12, minute, tzinfo=UTC), f"{minute:08x}") as new:
        folder = write_folder(new.folder / "extraction", config=config, **options)
        record = json.loads((folder / "_run.json").read_text())
        for checkpoint in record["checkpoints"]:
            file = home / checkpoint["file"]
            file.write_bytes(f"{run} {checkpoint['file']}".encode())
            checkpoint |= {"sha256": sha256(file), "size": file.stat().st_size}
        (folder / "_run.json").write_text(json.dumps(record | {"name": run}))
        extracted = open_run(folder)
        report, _, _ = write_files(new.folder, extracted, check_options(extracted.config.sections), quiet, formats)
        write_manifest(
            new, report,
            {"inputs": {c.file: {"sha256": c.sha256, "size": c.size} for c in extracted.run.checkpoints},
             "base": "..", "probe_files": probe_files(extracted.config.probes, base),
             "started": "2026-01-31T12:00:00+00:00", "provenance": extracted.provenance},
        )  # fmt: skip
    write_index(base / "reports")
    return new.final
