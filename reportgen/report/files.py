"""The files of a report, in an order in which each can say what became of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from reportgen.config import Options, resolved_yaml
from reportgen.disk import whole, write_text
from reportgen.errors import ArchiveError, Failure, FormatError, ReportgenError
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.report.html import as_checkpoint_page, as_html, without_broken
from reportgen.report.json import as_json
from reportgen.report.look import read_look
from reportgen.report.pdf import write_pdf
from reportgen.report.report import Progress, Report, build_report, with_failures
from reportgen.report.sharing import cores_for, share_out
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
    paper = ["report.pdf"] if "pdf" in wanted else []  # as much work as many pages: it goes first
    made = dict.fromkeys(paper) | ({_page(e): e for e in run.measured} if "html" in wanted else {})
    tasks = [partial(_write, folder / name, report, run, e, config) for name, e in made.items()]
    if paper:
        progress("pdf", 0, 1)

    def begun(number: int) -> None:
        if number >= len(paper):
            progress("pages", number - len(paper), len(run.measured))

    for name, failure in zip(made, share_out(tasks, begun, cores_for(run)), strict=True):
        if failure is not None:
            report = with_failures(report, [failure])
        elif name in paper:
            written.append(folder / name)
    if "html" in wanted:
        progress("pages", len(run.measured), len(run.measured))
        pages = {e.name: _page(e) for e in run.measured if (folder / _page(e)).is_file()}
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


def _page(extraction: Extraction) -> str:
    return f"checkpoints/{extraction.name}.html"


def _write(path: Path, report: Report, run: ExtractedRun, extraction: Extraction | None, config: str) -> Failure | None:
    """Write the page of an extraction, or the PDF; return why that could not be done."""
    try:
        if extraction is not None:
            write_text(path, as_checkpoint_page(report, run, extraction))
            return None
        attachments = {
            "report.json": (as_json(report), "Every number of this report"),
            "config.yaml": (config, "The resolved configuration"),
        }
        with whole(path) as temporary:
            write_pdf(report, temporary, attachments, _finished(run))
        return None
    except ArchiveError:
        raise  # the disk is to blame, not the page
    except ReportgenError as error:
        return error.failure("format", _page(extraction) if extraction is not None else "pdf")


def _finished(run: ExtractedRun) -> datetime | None:
    """Return when training ended, as run.json says: the date of the PDF's attachments."""
    try:
        return datetime.fromisoformat(str(run.run.record["finished"]))
    except (KeyError, ValueError):
        return None
