"""The report as one HTML file that asks for nothing, and one page a checkpoint beside it."""

from __future__ import annotations

import base64
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from reportgen.errors import Failure, FormatError, printable
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, Picture, with_number
from reportgen.report.report import Report, with_failures
from reportgen.sections.activations import SectionOptions, dead_channels, feature_maps
from reportgen.templating import environment

log = logging.getLogger(__name__)


def as_html(report: Report, pages: dict[str, str]) -> str:
    """Return report.html; `pages` maps names of checkpoints to the pages beside it."""
    figures = [figure for section in report.sections for figure in section.figures]
    best = [i for i, moment in enumerate(report.moments) if moment.best]
    start = best[-1] if best else len(report.moments) - 1
    html = _page(report, report.template, figures, {"pages": pages, "start": start})
    size = len(html.encode())
    if size > report.config.report.megabytes * 1e6:
        log.warning(
            "report.html has %.1f MB, more than report.megabytes: %g. Fewer probes (`show` of activations), channels"
            " or checkpoints make it smaller", size / 1e6, report.config.report.megabytes,
        )  # fmt: skip
    return html


def without_broken(report: Report) -> Report:
    """Return the report with every section whose template fails replaced by one line, and the failure named."""
    made = environment(report.look.templates, skin="html", src=lambda picture: "")
    for section in report.sections:
        try:
            made.get_template("section.html").render(report=report, section=section, pages={})
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
    """Return the page of one checkpoint: every feature map of every probe that is shown."""
    options = SectionOptions(channels=100_000)
    figures, seen = feature_maps(run, extraction, extraction.shown, options)
    place = {figure.id: with_number(figure, i) for i, figure in enumerate(figures, start=1)}
    names = [e.name for e in run.measured]
    at = names.index(extraction.name)
    content = {
        "about": extraction.about, "seen": seen, "of": len(run.probes), "figures": place,
        "dead": dead_channels(extraction),
        "before": names[at - 1] if at else "", "after": names[at + 1] if at + 1 < len(names) else "",
    }  # fmt: skip
    return _page(report, "checkpoint.html", figures, content)


def shared_pictures(figures: Iterable[Figure]) -> dict[str, Picture]:
    """Return the pictures, by name, that stand on canvases more than once: the page holds each of them once."""
    counts: Counter[str] = Counter()
    found: dict[str, Picture] = {}
    for picture in _pictures(figures):
        counts[picture.name] += 1
        found[picture.name] = picture
    return {name: picture for name, picture in found.items() if counts[name] > 1}


def _pictures(figures: Iterable[Figure]) -> Iterator[Picture]:
    for figure in figures:
        for moment in figure.moments or (figure,):
            yield from (placed.picture for placed in moment.placed if not moment.plain)
            if moment.bar:
                yield moment.bar.picture


def _page(report: Report, name: str, figures: Iterable[Figure], content: dict[str, Any]) -> str:
    """Render a page in the report's looks; an own template that fails is a FormatError that names it."""
    look, theme = report.look, report.config.theme
    made = environment(
        look.templates, skin="html", src=data_uri, SHARED=shared_pictures(figures), logo=look.logo, theme=theme,
        font=f"data:font/ttf;base64,{base64.b64encode(look.font).decode()}" if look.font else "",
    )  # fmt: skip
    try:
        return made.get_template(name).render(report=report, **content)
    except Exception as error:
        if look.templates is None:
            raise
        raise FormatError(
            f"{name} could not be set with the templates of the configuration", where=f"templates/{name}",
            received=f"{type(error).__name__}: {printable(error)}", advice="mend the template, and render again",
        ) from error  # fmt: skip


def data_uri(picture: Picture) -> str:
    """Return the picture itself as an address."""
    return f"data:{picture.media};base64,{base64.b64encode(picture.data).decode()}"
