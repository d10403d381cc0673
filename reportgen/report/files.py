"""The files of a report, in an order in which each can say what became of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from reportgen.config import Options, resolved_yaml
from reportgen.disk import whole, write_text
from reportgen.errors import ArchiveError, FormatError, ReportgenError
from reportgen.extraction import ExtractedRun
from reportgen.report.html import as_checkpoint_page, as_html, without_broken
from reportgen.report.json import as_json
from reportgen.report.look import read_look
from reportgen.report.pdf import write_pdf
from reportgen.report.report import Progress, Report, build_report, with_failures
from reportgen.sections.failures import checkpoints_wanted


def write_files(
    folder: Path,
    run: ExtractedRun,
    options: Sequence[Options],
    progress: Progress,
    formats: Sequence[str] | None = None,
) -> tuple[Report, list[Path], dict[str, tuple[int, int]]]:
    """Write report.pdf, the checkpoints' pages, report.html, report.json and config.yaml into `folder`.

    The PDF comes first: where it fails, HTML and JSON say so. Returns the report, what was written and, by kind, how
    much was made of how much.
    """
    report = without_broken(replace(build_report(run, options, progress), look=read_look(folder / "look")))
    wanted = tuple(dict.fromkeys([*(formats or run.config.report.formats), "json"]))
    config = resolved_yaml(run.config)
    write_text(folder / "config.yaml", config)
    written: list[Path] = []
    if "pdf" in wanted:
        progress("pdf", 0, 1)
        attachments = {
            "report.json": (as_json(report), "Every number of this report"),
            "config.yaml": (config, "The resolved configuration"),
        }
        try:
            with whole(folder / "report.pdf") as temporary:
                write_pdf(report, temporary, attachments, _finished(run))
            written.append(folder / "report.pdf")
        except FormatError as error:
            report = with_failures(report, [error.failure("format", "pdf")])
        progress("pdf", 1, 1)
    if "html" in wanted:
        pages = {}
        for done, extraction in enumerate(run.measured):
            progress("pages", done, len(run.measured))
            page = f"checkpoints/{extraction.name}.html"
            try:
                write_text(folder / page, as_checkpoint_page(report, run, extraction))
                pages[extraction.name] = page
            except ArchiveError:
                raise  # the disk is to blame, not the page
            except ReportgenError as error:
                report = with_failures(report, [error.failure("format", page)])
        progress("pages", len(run.measured), len(run.measured))
        try:
            write_text(folder / "report.html", as_html(report, pages))
            written.append(folder / "report.html")
        except FormatError as error:
            report = with_failures(report, [error.failure("format", "html")])
    write_text(folder / "report.json", as_json(report))
    written.append(folder / "report.json")
    lost = {kind: sum(f.kind == kind for f in report.failed) for kind in ("probe", "section")}
    counts = {
        "checkpoint": (len(run.measured), checkpoints_wanted(run)),
        "probe": (len(run.probes), len(run.probes) + lost["probe"]),
        "section": (len(report.sections) - lost["section"], len(report.sections)),
        "format": (len(written), len(wanted)),
    }
    return report, written, counts


def _finished(run: ExtractedRun) -> datetime | None:
    """Return when training ended, as run.json says: the date of the PDF's attachments."""
    try:
        return datetime.fromisoformat(str(run.run.record["finished"]))
    except (KeyError, ValueError):
        return None
