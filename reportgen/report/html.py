"""The report as one HTML file that asks for nothing, and one page a checkpoint beside it."""

from __future__ import annotations

import base64
import logging
from dataclasses import replace

from reportgen.errors import Failure, printable
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Picture
from reportgen.report.report import Report, with_failures
from reportgen.sections.activations import SectionOptions, dead_channels, feature_maps
from reportgen.templating import environment

log = logging.getLogger(__name__)


def as_html(report: Report, pages: dict[str, str]) -> str:
    """Return report.html; `pages` maps names of checkpoints to the pages beside it."""
    made = environment(skin="html", src=data_uri)
    return made.get_template(report.template).render(report=report, pages=pages)


def without_broken(report: Report) -> Report:
    """Return the report with every section whose template fails replaced by one line, and the failure named."""
    template = environment(skin="html", src=lambda picture: "").get_template("section.html")
    for section in report.sections:
        try:
            template.render(report=report, section=section, pages={})
        except Exception as error:
            log.exception("template of section %s", section.id)
            failure = Failure(
                "section", section.id, f"its template fails: {type(error).__name__}: {printable(error)}",
                expected=f"templates/sections/{section.id}.html that renders", received="an error in it",
                advice="mend the template and render the report again; its numbers are in report.json",
            )  # fmt: skip
            absent = f"This section could not be set: {failure.problem}"
            sections = tuple(replace(s, absent=absent) if s.id == section.id else s for s in report.sections)
            report = with_failures(replace(report, sections=sections), [failure])
    return report


def as_checkpoint_page(report: Report, run: ExtractedRun, extraction: Extraction) -> str:
    """Return the page of one checkpoint: every feature map of every probe."""
    options = SectionOptions(channels=100_000)
    figures, seen = feature_maps(run, extraction, range(len(run.probes)), options)
    place = {figure.id: replace(figure, number=i) for i, figure in enumerate(figures, start=1)}
    names = [e.name for e in run.measured]
    at = names.index(extraction.name)
    made = environment(skin="html", src=data_uri)
    return made.get_template("checkpoint.html").render(
        report=report, about=extraction.about, seen=seen, figures=place, dead=dead_channels(extraction),
        before=names[at - 1] if at else "", after=names[at + 1] if at + 1 < len(names) else "",
    )  # fmt: skip


def data_uri(picture: Picture) -> str:
    """Return the picture itself as an address."""
    return f"data:{picture.media};base64,{base64.b64encode(picture.data).decode()}"
