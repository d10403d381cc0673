"""The whole story: find, extract, render, file."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reportgen.archive import (
    NewReport,
    folder_name,
    new_report,
    previous_report,
    probe_files,
    probes_changed,
    read_manifest,
    write_index,
    write_manifest,
)
from reportgen.checkpoints.borrow import lend
from reportgen.checkpoints.discovery import find_run
from reportgen.checkpoints.formats import FORMATS
from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.reading import Reading, read_whole
from reportgen.checkpoints.run import Checkpoint, Run
from reportgen.config.load import Loaded
from reportgen.errors import ArchiveError, Failure, ReportgenError
from reportgen.extraction import About, open_run, write_extraction, write_probes, write_run
from reportgen.isolation import Children, Limits, network_limits, reading_limits
from reportgen.network import task
from reportgen.network.choose import Ways
from reportgen.network.plan import Amount, attributed, plan_for
from reportgen.probes import load_probes
from reportgen.probes.probeset import ProbeSet
from reportgen.report import Progress
from reportgen.report.files import write_files
from reportgen.report.gates import Gate
from reportgen.report.look import check_look, check_templates, store_look
from reportgen.sections import check_options
from reportgen.versions import provenance

log = logging.getLogger(__name__)

GIB = 2**30
KNOWN = 32
"""Architectures whose names are handed to the reader."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run of the pipeline."""

    folder: Path
    """The report's, in the archive."""
    files: tuple[Path, ...]
    failures: tuple[Failure, ...]
    made: dict[str, tuple[int, int]]
    """Made and expected, by kind: checkpoint, probe, section, format."""
    gates: tuple[Gate, ...] = ()
    """Gates of the configuration that are not met."""


def run(loaded: Loaded, progress: Progress, now: datetime | None = None) -> Outcome:
    """Report on every checkpoint of one training run and file the report in the archive."""
    config, base = loaded.config, loaded.base
    check_options(config.sections)  # a bad option fails here, before anything heavy
    check_look(config, base)
    started = now or datetime.now(UTC)
    progress("probes", 0, 1)
    probes = load_probes(config.probes, base)
    progress("probes", 1, 1)
    ways = Ways(config.run.model, base, config.run.trust, config.task.prediction)
    prepare = (task.prepare, (probes.given, ways, plan_for(probes, config)))
    with Children(prepare) as children, TemporaryDirectory(prefix="reportgen-") as scratch:
        return _report(loaded, probes, children, Path(scratch), progress, started)


def _report(
    loaded: Loaded, probes: ProbeSet, children: Children, scratch: Path, progress: Progress, started: datetime
) -> Outcome:
    """Find the checkpoints, measure them in the children, and file the report."""
    config, base = loaded.config, loaded.base
    # Code of the user's, or of a file the user trusts, may write files; nothing else may.
    foreign = GIB if config.run.model is not None or config.run.trust else 0
    limits = network_limits(config.limits.memory, config.limits.seconds, foreign)
    training_run = find_run(config.run, base, children.reader.call)
    if config.run.model is not None:
        training_run = _described_by_the_user(training_run, children, limits, scratch)
    inputs = [probes.sha256, config.model_dump_json(), *(c.sha256 for c in training_run.checkpoints)]
    key = sha256("\n".join(inputs).encode()).hexdigest()
    archive = base / config.archive
    with new_report(archive, training_run.name, started, key) as new:
        failures = extract_all(
            training_run, probes, new.folder / "extraction", children, limits, progress,
            attributed(training_run, config),
        )  # fmt: skip
        known = provenance(loaded) | {
            "probes_changed": probes_changed(archive, training_run.name, probes.sha256),
            "previous": previous_report(archive, training_run.name),
        }
        write_run(
            new.folder / "extraction", training_run, config.model_dump(mode="json"), known,
            (*training_run.failures, *failures),
        )  # fmt: skip
        store_look(config, base, new.folder / "look")
        more = {
            "started": started.isoformat(timespec="seconds"), "provenance": known,
            "base": os.path.relpath(base, archive), "probe_files": probe_files(config.probes, base),
        }  # fmt: skip
        outcome = _make(new, progress, None, more)
    write_index(archive)
    return outcome


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
    with new_report(archive, manifest["run"], started, key) as new:
        for source in sorted((report / "extraction").iterdir()):
            _share(source, new.folder / "extraction" / source.name)
        if (report / "look").is_dir():
            shutil.copytree(report / "look", new.folder / "look")
        if templates is not None:
            shutil.rmtree(new.folder / "look" / "templates", ignore_errors=True)
            shutil.copytree(templates, new.folder / "look" / "templates", ignore=shutil.ignore_patterns(".*"))
        kept: dict[str, Any] = {key: manifest[key] for key in ("base", "probe_files", "provenance") if key in manifest}
        more: dict[str, Any] = {"provenance": {}, **kept, "rendered_from": manifest["id"]}
        outcome = _make(new, progress, formats, {"started": started.isoformat(timespec="seconds"), **more})
    write_index(archive)
    return outcome


def extract_all(
    run: Run,
    probes: ProbeSet,
    folder: Path,
    children: Children,
    limits: Limits,
    progress: Progress,
    amounts: Mapping[str, Amount] | None = None,
) -> tuple[Failure, ...]:
    """Measure every checkpoint into its own file; each one that cannot be measured costs only itself.

    `amounts` says how much is attributed at each, by name; by default nothing.
    """
    write_probes(folder, probes)
    firsts: dict[str, Graph] = {}
    failures: list[Failure] = []
    for done, checkpoint in enumerate(run.checkpoints):
        progress("checkpoints", done, len(run.checkpoints))
        try:
            failure = _extract(
                checkpoint, probes, folder, children, limits, firsts, (amounts or {}).get(checkpoint.name, "")
            )
        except ReportgenError as error:
            failure = error.failure("checkpoint", checkpoint.file)
        if failure:
            log.warning("%s: %s", failure.name, failure.problem)
            failures.append(failure)
    progress("checkpoints", len(run.checkpoints), len(run.checkpoints))
    return tuple(failures)


def _extract(
    checkpoint: Checkpoint,
    probes: ProbeSet,
    folder: Path,
    children: Children,
    limits: Limits,
    firsts: dict[str, Graph],
    amount: Amount,
) -> Failure | None:
    """Write one checkpoint's extraction; return what is missing where its network could not be run."""
    latest = dict(list(firsts.items())[-KNOWN:])
    parcel = children.reader.ask(read_whole, checkpoint, latest, limits=reading_limits(checkpoint.size))
    reading: Reading = children.reader.open(parcel)
    if reading.graph is not None:
        firsts.setdefault(reading.signature, reading.graph)
    measurement, failure, stored = None, None, reading.shown
    try:
        asked = children.network.ask(task.measure, parcel, checkpoint, amount, limits=limits, start=parcel.end)
        measured: task.Measured = children.network.open(asked)
        measurement, stored = measured.measurement, measured.shown or stored
    except ReportgenError as error:
        failure = error.failure("checkpoint", checkpoint.file)
    about = About(
        name=checkpoint.name, file=checkpoint.file, format=FORMATS[checkpoint.format].title, epoch=checkpoint.epoch,
        size=checkpoint.size, sha256=checkpoint.sha256, keras_version=stored.keras_version, saved=stored.saved,
        optimizer=stored.optimizer, loss=stored.loss, architecture=reading.signature, probes=probes.sha256,
        problem=failure.problem if failure else "", architecture_from=checkpoint.lender, other=stored.other,
    )  # fmt: skip
    write_extraction(folder, about, stored, measurement, reading.graph)
    return failure


def _make(new: NewReport, progress: Progress, formats: Sequence[str] | None, more: dict[str, Any]) -> Outcome:
    """Draw a report from the extraction folder of a new report, and write its manifest."""
    extracted = open_run(new.folder / "extraction")
    options = check_options(extracted.config.sections)
    report, written, counts = write_files(new.folder, extracted, options, progress, formats)
    more["inputs"] = {c.file: {"sha256": c.sha256, "size": c.size} for c in extracted.run.checkpoints}
    write_manifest(new, report, more)
    return Outcome(new.final, tuple(new.final / path.name for path in written), report.failures, counts, report.unmet)


def _share(source: Path, target: Path) -> None:
    """Give a second name to a file that is never changed; copy it where the disk cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
