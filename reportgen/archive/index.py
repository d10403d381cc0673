"""reports/index.html: every run, report and comparison, from the manifests alone."""

from __future__ import annotations

import base64
import hashlib
import logging
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reportgen.archive.find import comparisons_of, reports_of
from reportgen.archive.manifest import read_manifest
from reportgen.disk import write_text
from reportgen.errors import ArchiveError
from reportgen.templating import environment, resource_folder

NOTHING = {"measured": None, "checkpoints": None, "monitor": "", "value": None, "best_epoch": None, "best": ""}
"""What the index says of a report without a summary."""
FORMATS = ("report.html", "report.pdf", "report.json")
WIDE, HIGH = 132.0, 34.0
"""Of a sparkline [CSS pixel]."""

log = logging.getLogger(__name__)


def write_index(archive: Path) -> Path:
    """Write the index of an archive, the newest report first; a manifest that cannot be read gets its own line."""
    rows, broken = listed(archive)
    pictures: dict[str, str] = {}
    for row in rows:
        if row["thumbnail"]:
            row["picture"] = pictures.setdefault(row["thumbnail"], f"p{len(pictures)}")
    found = (_comparison(archive, folder) for folder in comparisons_of(archive))
    comparisons = sorted((row for row in found if row is not None), key=lambda row: str(row["id"]), reverse=True)
    script = (resource_folder("templates") / "script" / "index.js").read_text(encoding="utf-8")
    html = environment(skin="html", src=None).get_template("index.html").render(
        rows=rows, broken=broken, comparisons=comparisons, pictures=pictures,
        runs=sorted({row["run"] for row in rows}), archive=archive.resolve().name,
        option=_option(archive.resolve().name),
        script=Markup(script), script_hash=script_hash(script),  # noqa: S704 - our own file
    )  # fmt: skip
    write_text(archive / "index.html", html)
    return archive / "index.html"


def _option(name: str) -> str:
    """Return how a command names this archive, typed in the folder it lies in; nothing for the usual name."""
    return "" if name == "reports" else f" --archive {shlex.quote(name)}"


def listed(archive: Path) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Return what the manifests of an archive's reports say, the newest first, and folders without one, with why."""
    rows: list[dict[str, Any]] = []
    broken: list[tuple[str, str]] = []
    for folder in reports_of(archive):
        place = folder.relative_to(archive).as_posix()
        try:
            rows.append(_row(place, read_manifest(folder)))
        except ArchiveError as error:
            broken.append((place, error.problem))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            broken.append((place, f"the manifest is not complete: {type(error).__name__} {error}"))
    rows.sort(key=lambda row: (row["id"], row["run"]), reverse=True)
    seen: set[str] = set()
    for row in rows:
        row["newest"] = row["run"] not in seen
        seen.add(row["run"])
    return rows, broken


def script_hash(script: str) -> str:
    """Return what the content security policy calls a script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _row(place: str, manifest: dict[str, Any]) -> dict[str, Any]:
    summary = NOTHING | manifest["summary"]
    score, table = summary.get("score"), summary.get("confusion")
    return {
        "place": place, "id": str(manifest["id"]), "run": str(manifest["run"]),
        "title": str(manifest.get("title", manifest["run"])), "verdict": manifest["verdict"],
        "banners": manifest["banners"], "summary": summary, "probes": str(manifest.get("probes", "")),
        "failures": len(manifest["failures"]), "made": str(manifest.get("started", "")),
        "rendered_from": str(manifest.get("rendered_from", "")),
        "accuracy": table["accuracy"] if table else None, "scored": table["n"] if table else None,
        "difference": score["mean_absolute_difference"] if score else None,
        "files": [name for name in FORMATS if name in manifest["files"]],
        "line": sparkline(manifest.get("course") or {}, summary["best_epoch"]),
        "thumbnail": manifest.get("thumbnail", ""), "picture": "",
    }  # fmt: skip


def _comparison(archive: Path, folder: Path) -> dict[str, Any] | None:
    try:
        manifest = read_manifest(folder)
        return {
            "place": folder.relative_to(archive).as_posix(), "id": manifest["id"], "title": manifest["title"],
            "of": [str(side["id"]) for side in manifest["sides"]], "best": all(s["best"] for s in manifest["sides"]),
            "files": [name for name in FORMATS if name in manifest["files"]],
        }  # fmt: skip
    except (ArchiveError, KeyError, TypeError) as error:
        log.warning("the comparison %s is not in the index: %s", folder.name, error)
        return None


def sparkline(course: dict[str, Any], best: int | None) -> dict[str, Any] | None:
    """Return a line over epochs as an SVG path, gaps where a value is missing, and the place of the best epoch."""
    values, epochs = course.get("values", []), course.get("epochs", [])
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    across = (WIDE - 6) / max(1, len(values) - 1)
    places = [
        None if v is None else (3 + i * across, 3 + (HIGH - 6) * ((high - v) / (high - low) if high > low else 0.5))
        for i, v in enumerate(values)
    ]
    dot = next((p for p, epoch in zip(places, epochs, strict=False) if epoch == best), None)
    return {"path": "".join(_strokes(places)), "dot": dot, "name": course["name"], "low": low, "high": high}


def _strokes(places: list[tuple[float, float] | None]) -> Iterator[str]:
    drawing = False
    for place in places:
        if place is not None:
            yield f"{'L' if drawing else 'M'}{place[0]:.0f} {place[1]:.1f}"
        drawing = place is not None
