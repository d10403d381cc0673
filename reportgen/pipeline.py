"""The whole story: is it there already? Else find, measure, draw, file."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reportgen.archive import (
    NewReport,
    folder_name,
    new_report,
    probe_files,
    probes_changed,
    read_manifest,
    write_manifest,
)
from reportgen.archive.filing import bring_up_to_date
from reportgen.archive.outcome import Outcome
from reportgen.archive.previous import previous_report
from reportgen.archive.provenance import logged, write_provenance
from reportgen.archive.store import remove_leftovers
from reportgen.archive.unchanged import Look, bring, look, stamps_of
from reportgen.checkpoints.borrow import lend
from reportgen.checkpoints.discovery import find_run, run_name
from reportgen.checkpoints.run import Run
from reportgen.config.load import Loaded
from reportgen.disk import locked, share
from reportgen.errors import ArchiveError, ReportgenError
from reportgen.extracting import extract_all
from reportgen.extraction import open_run, write_run
from reportgen.isolation import Children, Limits, network_limits
from reportgen.measuring import Measuring, probes_of
from reportgen.network import task
from reportgen.network.choose import Ways
from reportgen.network.plan import attributed, plan_for
from reportgen.places import url_of
from reportgen.probes.probeset import ProbeSet
from reportgen.remote import have
from reportgen.report import Progress
from reportgen.report.files import write_files
from reportgen.report.look import check_look, check_templates, copy_look, store_look
from reportgen.sections import check_options
from reportgen.store import Reason
from reportgen.versions import provenance

log = logging.getLogger(__name__)

GIB = 2**30


def run(
    loaded: Loaded, progress: Progress, now: datetime | None = None, *, force: bool = False,
    complete: Collection[Path] | None = None,
) -> Outcome:  # fmt: skip
    """Return the report on every checkpoint of one training run: the one there is, or a new one in the archive.

    With `force` everything is made again. With `complete`, no other file of the run is opened.
    """
    config, base = loaded.config, loaded.base
    check_options(config.sections)  # a bad option fails here, before anything heavy
    check_look(config, base)
    bring(loaded)
    archive, name = base / config.archive, run_name(config.run, base)
    with locked(archive, folder_name(name)):
        known = look(loaded, name, force=force, complete=complete)
        if known.outcome is None:
            remove_leftovers(archive, name)
            outcome = _report(loaded, known, progress, now or datetime.now(UTC), force, complete)
        else:
            outcome = known.outcome
    bring_up_to_date(archive)
    return outcome


def _report(
    loaded: Loaded, known: Look, progress: Progress, started: datetime, force: bool, complete: Collection[Path] | None
) -> Outcome:
    """Prepare the probes, measure the checkpoints in the children, draw the report and file it."""
    config, base = loaded.config, loaded.base
    archive = base / config.archive
    name = run_name(config.run, base)
    stamps = stamps_of(archive, name)
    with (
        new_report(archive, name, started, known.key.digest) as new,
        logged(new.folder, loaded),
        TemporaryDirectory(prefix="reportgen-") as scratch,
    ):
        log.info("a new report (%s)", known.reason)
        progress("probes", 0, 1)
        probes, _ = probes_of(loaded, archive, stamps, new.folder / "extraction", force=force)
        progress("probes", 1, 1)
        with _children(loaded, probes) as children:
            found, limits = _found(loaded, children, Path(scratch), complete)
            failures = extract_all(
                Measuring(loaded, archive, probes, force), found, new.folder / "extraction", children, limits, progress,
                attributed(found, config),
            )  # fmt: skip
        made_from = provenance(loaded) | {
            "probes_changed": probes_changed(archive, found.name, probes.sha256),
            "previous": previous_report(archive, found.name),
        }
        made_with = config.without_engine().model_dump(mode="json")
        write_run(new.folder / "extraction", found, made_with, made_from, (*found.failures, *failures))
        store_look(config, base, new.folder / "look")
        more = {"started": started.isoformat(timespec="seconds"), "provenance": made_from, "key": known.key.digest}
        if config.privacy != "strict":
            more |= {"probe_files": probe_files(config.probes, base)}
            more |= {} if url_of(archive) else {"base": os.path.relpath(base, archive)}
        write_provenance(new.folder, new.final, loaded, known.key, str(known.reason))
        outcome = _make(new, progress, None, more)
    return outcome


def explain(loaded: Loaded, *, force: bool = False) -> list[tuple[str, Reason | None]]:
    """Return what a run would do: the report, the probes and each checkpoint with why, or None where it is kept.

    Checkpoints are looked at and hashed in the reading process; nothing is measured or written.
    """
    config, archive = loaded.config, loaded.base / loaded.config.archive
    bring(loaded)
    name = run_name(config.run, loaded.base)
    known = look(loaded, name, force=force)
    if known.outcome is not None:
        return [(known.outcome.folder.name, None)]
    probes, why = probes_of(loaded, archive, stamps_of(archive, name), None, force=force)
    rows = [("report", known.reason), ("probes", why)]
    with _children(loaded, probes) as children, TemporaryDirectory(prefix="reportgen-") as scratch:
        found, _ = _found(loaded, children, Path(scratch), None)
    measuring, amounts = Measuring(loaded, archive, probes, force), attributed(found, config)
    for checkpoint in found.checkpoints:
        stored = measuring.find(checkpoint, amounts.get(checkpoint.name, ""))
        rows.append((checkpoint.file, stored if isinstance(stored, Reason) else None))
    return rows


def _children(loaded: Loaded, probes: ProbeSet) -> Children:
    """Return the two processes; neither starts before it is asked."""
    config = loaded.config
    ways = Ways(config.run.model, loaded.base, config.run.trust, config.task.prediction)
    return Children((task.prepare, (probes.given, ways, plan_for(probes, config))))


def _found(loaded: Loaded, children: Children, scratch: Path, complete: Collection[Path] | None) -> tuple[Run, Limits]:
    """Return the run, and the limits of measuring its checkpoints."""
    config = loaded.config
    # Code of the user's, or of a file the user trusts, may write files; nothing else may.
    foreign = GIB if config.run.model is not None or config.run.trust else 0
    limits = network_limits(config.limits.memory, config.limits.seconds, foreign)
    found = find_run(config.run, loaded.base, children.reader.call, complete)
    if config.run.model is not None:
        found = _described_by_the_user(found, children, limits, scratch)
    return found, limits


def _described_by_the_user(run: Run, children: Children, limits: Limits, scratch: Path) -> Run:
    """Return a run whose checkpoints without an architecture have that of the user's own model, where it fits.

    A model of a class of the user's has no description; its network is then opened as it is. Code that fails costs
    those checkpoints alone that need it: each of them will tell.
    """
    try:
        described = children.network.open(children.network.ask(task.describe, limits=limits))
    except ReportgenError as error:
        log.warning("run.model: %s", error.problem)
        return run
    if described is None:
        return run
    path = scratch / "run.model.json"
    path.write_text(json.dumps(described), encoding="utf-8")
    return replace(run, checkpoints=lend(run.checkpoints, path, described, children.reader.call, "run.model"))


def render(
    report: Path, progress: Progress, formats: Sequence[str] | None = None, templates: Path | None = None
) -> Outcome:
    """Redraw a report from its stored extractions, as a new report beside it; the network is not needed.

    With `templates` in place of the templates it was made with.
    """
    if templates is not None:
        check_templates(templates)
    have(report)
    manifest = read_manifest(report)
    archive = report.resolve().parent.parent
    if report.resolve().parent.name != folder_name(manifest["run"]) or not (report / "extraction").is_dir():
        raise ArchiveError(
            "this report is not in an archive, or not whole", where=str(report),
            expected=f"a folder {folder_name(manifest['run'])}/{manifest['id']} with the folder extraction in it",
            advice="Put the whole report back where it was, below the folder of its run.",
        )  # fmt: skip
    started = datetime.now(UTC)
    key = sha256(f"{manifest['id']} {formats}".encode()).hexdigest()
    with locked(archive, folder_name(manifest["run"])):
        remove_leftovers(archive, manifest["run"])
        with new_report(archive, manifest["run"], started, key) as new:
            for source in sorted((report / "extraction").iterdir()):
                share(source, new.folder / "extraction" / source.name)
            copy_look(report / "look", new.folder / "look", templates)
            kept: dict[str, Any] = {
                name: manifest[name] for name in ("base", "probe_files", "provenance") if name in manifest
            }
            more: dict[str, Any] = {"provenance": {}, **kept, "rendered_from": manifest["id"]}
            outcome = _make(new, progress, formats, {"started": started.isoformat(timespec="seconds"), **more})
    bring_up_to_date(archive)
    return outcome


def _make(new: NewReport, progress: Progress, formats: Sequence[str] | None, more: dict[str, Any]) -> Outcome:
    """Draw a report from the extraction folder of a new report, and write its manifest."""
    extracted = open_run(new.folder / "extraction")
    options = check_options(extracted.config.sections)
    report, written, counts = write_files(new.folder, extracted, options, progress, formats)
    more["inputs"] = {c.file: {"sha256": c.sha256, "size": c.size} for c in extracted.run.checkpoints}
    more["made"] = counts
    write_manifest(new, report, more)
    return Outcome(new.final, tuple(new.final / path.name for path in written), report.failures, counts, report.unmet)
