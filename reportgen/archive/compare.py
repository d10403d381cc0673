"""Two reports of an archive, or two checkpoints of one, compared from what is stored there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reportgen import __version__
from reportgen.archive.filing import bring_up_to_date
from reportgen.archive.find import COMPARISONS, archive_of, comparisons_of
from reportgen.archive.manifest import NAME, read_manifest, sha256, write_manifest
from reportgen.archive.store import folder_name, new_report
from reportgen.archive.verify import verify_report
from reportgen.config.suggest import did_you_mean
from reportgen.disk import locked
from reportgen.errors import ArchiveError, ConfigError, Failure
from reportgen.extraction import ExtractedRun, Extraction, open_run
from reportgen.remote import have
from reportgen.report import Progress
from reportgen.report.alone import judge_alone
from reportgen.report.comparison import write_comparison
from reportgen.sections.chosen import best
from reportgen.sections.pairs import Pair, Side

FORMATS = ("html", "pdf", "json")


@dataclass(frozen=True)
class Chosen:
    """A report, and one of its checkpoints."""

    folder: Path
    checkpoint: str = ""
    """Name, file or epoch; empty for the best."""


@dataclass(frozen=True)
class Compared:
    """What came of it."""

    folder: Path
    files: tuple[Path, ...]
    failures: tuple[Failure, ...]
    limits: tuple[str, ...]
    """What is not compared, and why."""
    new: bool
    """Whether it was made now, and not found in the archive."""


def compare(
    a: Chosen, b: Chosen, progress: Progress, formats: Sequence[str] | None = None, *, force: bool = False,
    now: datetime | None = None,
) -> Compared:  # fmt: skip
    """Compare A with B and file the comparison in the archive of A; one that is there already is not made again."""
    for chosen in (a, b):
        have(chosen.folder)
    archive, wanted = archive_of(a.folder), tuple(dict.fromkeys([*(formats or FORMATS), "json"]))
    for chosen in (a, b):
        if not (chosen.folder / "extraction").is_dir():
            raise ConfigError(
                "there is nothing stored here that could be compared", where=str(chosen.folder),
                expected="the report of a run, with its folder extraction",
                advice="A comparison is not compared again; name the two reports it was made from.",
            )  # fmt: skip
    sides = [_opened(chosen, letter, archive) for chosen, letter in ((a, "A"), (b, "B"))]
    pair = Pair(*(side for side, _ in sides))
    if pair.one_report and pair.a.extraction.name == pair.b.extraction.name:
        raise ConfigError(
            "a checkpoint is not compared with itself", where=pair.a.id, received=pair.a.extraction.about.file,
            expected="two reports, or two checkpoints of one: A:epoch-003 A:epoch-010",
        )  # fmt: skip
    told = [_told(side, manifest, chosen.folder) for (side, manifest), chosen in zip(sides, (a, b), strict=True)]
    key = _key(told, wanted)
    if not force and (there := _there(archive, key)) is not None:
        files = tuple(p for p in (there / f"report.{kind}" for kind in ("pdf", "html", "json")) if p.exists())
        return Compared(there, files, (), pair.limits, new=False)
    if pair.one_report:  # the verdicts of a report are about its whole run
        pair = Pair(*(_judged_alone(side, place, progress) for place, side in enumerate(pair.sides)))
    started = now or datetime.now(UTC)
    name = _name(pair)
    with (
        locked(archive, f"{COMPARISONS}-{folder_name(name)}"),
        new_report(archive, name, started, key, COMPARISONS) as new,
    ):
        for empty in ("extraction", "checkpoints"):
            (new.folder / empty).rmdir()
        made, written = write_comparison(new.folder, pair, progress, wanted)
        # A comparison lies one folder deeper than a report: its inputs are named from its own folder.
        inputs = {
            f"{os.path.relpath(chosen.folder.resolve(), new.final.resolve())}/{NAME}": {
                "sha256": sha256(chosen.folder / NAME), "size": (chosen.folder / NAME).stat().st_size
            }
            for chosen in (a, b)
        }  # fmt: skip
        command = "reportgen compare " + " ".join(f"{side['id']}:{side['checkpoint']}" for side in told)
        write_manifest(
            new, made,
            {"kind": "comparison", "key": key, "sides": told, "reports": inputs, "inputs": {},
             "provenance": {"command": command, "versions": {"reportgen": __version__}},
             "started": started.isoformat(timespec="seconds")},
        )  # fmt: skip
    bring_up_to_date(archive)
    files = tuple(new.final / path.name for path in written)
    return Compared(new.final, files, made.failures, pair.limits, new=True)


def _opened(chosen: Chosen, letter: str, archive: Path) -> tuple[Side, dict[str, Any]]:
    """Open one side from its report: extraction, manifest and report.json."""
    folder = chosen.folder
    manifest = read_manifest(folder)
    try:
        said = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        checks, missing = said["checks"], {verdict["id"]: verdict["because"] for verdict in said["not_judged"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArchiveError(
            "the numbers of this report cannot be read", where=str(folder / "report.json"), received=str(error),
            advice=f"Draw it again: reportgen render {folder}",
        ) from error  # fmt: skip
    run = open_run(folder / "extraction")
    chosen_best = best(run)
    extraction = _extraction(run, chosen.checkpoint, folder) if chosen.checkpoint else (
        chosen_best.extraction if chosen_best else None
    )  # fmt: skip
    if extraction is None:
        raise ArchiveError("no checkpoint of this report could be read", where=str(folder))
    # Where a comparison will lie: archive/comparisons/pair/id.
    link = os.path.relpath(folder.resolve() / "report.html", archive.resolve() / COMPARISONS / "pair" / "id")
    page = Path(link).as_posix() if "report.html" in manifest["files"] else ""
    side = Side(
        letter, run, extraction, chosen_best is not None and extraction.name == chosen_best.extraction.name,
        str(manifest["title"]), str(manifest["id"]),
        page, str(manifest["verdict"]), checks, missing, manifest.get("provenance", {}),
    )  # fmt: skip
    return side, manifest


def _judged_alone(side: Side, place: int, progress: Progress) -> Side:
    progress("verdicts", place, 2)
    checks, missing = judge_alone(side.run, side.extraction)
    progress("verdicts", place + 1, 2)
    return replace(side, checks=checks, not_judged=missing)


def _extraction(run: ExtractedRun, word: str, folder: Path) -> Extraction:
    """Return the checkpoint that a name, a file or an epoch means."""
    found = [e for e in run.extractions if word in (e.name, e.about.file, f"{e.epoch}")]
    if len(found) == 1:
        return found[0]
    names = [e.name for e in run.extractions]
    raise ConfigError(
        f"{len(found)} checkpoints are meant" if found else "there is no such checkpoint", where=str(folder.name),
        expected=f"one of {', '.join(names[:12])}", received=word, advice=did_you_mean(word, names),
    )  # fmt: skip


def _told(side: Side, manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        "id": side.id, "run": str(manifest["run"]), "checkpoint": side.extraction.name, "best": side.best,
        "place": f"{folder.resolve().parent.name}/{folder.resolve().name}", "manifest": sha256(folder / NAME),
    }  # fmt: skip


def _key(told: list[dict[str, Any]], formats: tuple[str, ...]) -> str:
    """Return what a comparison depends on, as one hash: both manifests, both checkpoints, formats and reportgen."""
    parts = [f"{side['manifest']} {side['checkpoint']}" for side in told]
    return hashlib.sha256("\n".join([__version__, *parts, *sorted(formats)]).encode()).hexdigest()


def _there(archive: Path, key: str) -> Path | None:
    """Return the newest comparison of this key that is still whole."""
    for folder in sorted(comparisons_of(archive), key=lambda f: f.name, reverse=True):
        if not folder.name.endswith(key[:8]):
            continue
        try:
            manifest = read_manifest(folder)
        except ArchiveError:
            continue
        if manifest.get("key") == key and not manifest["failures"] and verify_report(folder).whole:
            return folder
    return None


def _name(pair: Pair) -> str:
    """Return the name of the folder of a pair."""
    a, b = (folder_name(side.run.run.name)[:36] for side in pair.sides)
    return f"{a}-{pair.a.extraction.name[:20]}-{pair.b.extraction.name[:20]}" if pair.one_report else f"{a}-and-{b}"
