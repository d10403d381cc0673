"""Two checkpoints beside each other, as a report in the same looks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from reportgen.errors import FormatError
from reportgen.report.html import as_html, without_broken
from reportgen.report.json import as_json
from reportgen.report.pdf import write_pdf
from reportgen.report.report import Progress, Report, numbered, with_failures
from reportgen.sections.pairs import SECTIONS, Pair, build_pair_section


@dataclass(frozen=True)
class Comparison(Report):
    """A report whose sections are about a pair; it gives no verdict of its own."""

    template: ClassVar[str] = "comparison.html"

    @property
    def verdict(self) -> str:
        """Partial where something is missing; else none, which is empty."""
        return "partial" if self.failed else ""


def build_comparison(pair: Pair, progress: Progress) -> Report:
    """Build every section of a comparison and number its figures through."""
    sections, failures = [], []
    for done, id in enumerate(SECTIONS):
        progress("sections", done, len(SECTIONS))
        section, failure = build_pair_section(pair, id)
        sections.append(section)
        failures += [failure] if failure else []
    progress("sections", len(SECTIONS), len(SECTIONS))
    a, b = pair.sides
    made = Comparison(
        title=title_of(pair), run=f"{a.run.run.name} and {b.run.run.name}", sections=numbered(sections), checks=(),
        failures=tuple(failures), banners=() if pair.same_probes else ("PROBE SETS DIFFER",),
        probes=a.run.probes.sha256, config=a.run.config.model_copy(update={"gates": {}}),
    )  # fmt: skip
    return with_failures(made, ())


def title_of(pair: Pair) -> str:
    """Return what is beside what; of two reports of one title, with their ids."""
    a, b = pair.sides
    if pair.one_report:
        return f"{a.title} — {a.extraction.name} and {b.extraction.name}"
    if a.title == b.title:
        same = a.run.run.name == b.run.run.name
        return f"{a.title} — {a.id if same else a.run.run.name} and {b.id if same else b.run.run.name}"
    return f"{a.title} and {b.title}"


def write_comparison(
    folder: Path, pair: Pair, progress: Progress, formats: tuple[str, ...]
) -> tuple[Report, list[Path]]:
    """Write report.pdf, report.html and report.json of a comparison; where the PDF fails the others say so."""
    made: Report = without_broken(build_comparison(pair, progress))
    written: list[Path] = []
    if "pdf" in formats:
        progress("pdf", 0, 1)
        try:
            attached = {"report.json": (as_json(made), "Every number of this comparison")}
            write_pdf(made, folder / "report.pdf", attached, None)
            written.append(folder / "report.pdf")
        except FormatError as error:
            made = with_failures(made, [error.failure("format", "pdf")])
        progress("pdf", 1, 1)
    texts = {"report.html": as_html(made, {})} if "html" in formats else {}
    for name, text in (texts | {"report.json": as_json(made)}).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        written.append(folder / name)
    return made, written
