"""A whole report, before it is set in HTML, PDF or JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import ClassVar

from reportgen import __version__
from reportgen.config import EVIDENCE, Config, Options
from reportgen.errors import Failure
from reportgen.extraction import ExtractedRun
from reportgen.figures import with_number
from reportgen.report.changes import Changes, compare
from reportgen.report.gates import Gate, NotJudged, not_judged, unmet
from reportgen.report.look import Look
from reportgen.report.sharing import cores_for, share_out
from reportgen.sections import Check, Section, build_section
from reportgen.sections.chosen import groups
from reportgen.sections.verdicts.grade import ORDER

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done and how many there are."""

BANNERS = {"probes_changed": "PROBE SET CHANGED", "dirty": "DIRTY TREE"}
"""What provenance may know that a reader must see before any number."""


@dataclass(frozen=True)
class Moment:
    """A checkpoint as the slider knows it."""

    name: str
    file: str
    epoch: int | None
    best: bool
    """Whether it is the best of its run, or of its architecture."""


@dataclass(frozen=True)
class Report:
    """Everything a skin needs: the templates' variable `report`."""

    title: str
    run: str
    """Name of the run."""
    sections: tuple[Section, ...]
    checks: tuple[Check, ...]
    """Verdicts of all sections, the worst first."""
    failures: tuple[Failure, ...]
    banners: tuple[str, ...]
    """PARTIAL, PROBE SET CHANGED, DIRTY TREE."""
    probes: str
    """sha256 of the probe set."""
    config: Config
    not_judged: tuple[NotJudged, ...] = ()
    """Verdicts that could not be given, and why."""
    changes: Changes | None = None
    """Since the previous report of this run; None where nobody looked for one."""
    moments: tuple[Moment, ...] = ()
    """The checkpoints that some figure moves through, in training order."""
    look: Look = field(default_factory=Look)
    """Templates, logo and font of the user's."""
    version: str = __version__
    """Of reportgen."""

    template: ClassVar[str] = "report.html"
    """That sets it in HTML and PDF."""

    @property
    def unmet(self) -> tuple[Gate, ...]:
        """Gates of the configuration that are not met."""
        return tuple(unmet(self.config.gates, self.checks, self.not_judged))

    @property
    def verdict(self) -> str:
        """The worst verdict: fail, warn or pass; partial where something is missing and no verdict is worse."""
        worst = self.checks[0].status if self.checks else "pass"
        return worst if worst == "fail" or not self.failed else "partial"

    @property
    def failed(self) -> tuple[Failure, ...]:
        """What should be there and is not; what was skipped on purpose is left out."""
        return tuple(f for f in self.failures if f.status == "failed")

    def section(self, id: str) -> Section | None:
        """Return the section with this id, if the report has it."""
        return next((s for s in self.sections if s.id == id), None)


def build_report(run: ExtractedRun, options: Sequence[Options], progress: Progress) -> Report:
    """Build every configured section of a run, number the figures through and collect verdicts and failures."""
    sections: list[Section] = []
    failures = list(run.failures)
    tasks = [partial(build_section, run, *both) for both in zip(run.config.sections, options, strict=True)]
    for section, failure in share_out(tasks, lambda done: progress("sections", done, len(tasks)), cores_for(run)):
        failures += [failure] if failure else []
        sections.append(section)
    progress("sections", len(options), len(options))
    made = numbered(sections)
    gravest = list(EVIDENCE)
    checks = sorted((c for s in made for c in s.checks), key=lambda c: (ORDER[c.status], gravest.index(c.id)))
    return with_failures(
        Report(
            title=run.config.report.title or run.run.name, run=run.run.name, sections=made,
            checks=tuple(checks), failures=tuple(failures),
            banners=tuple(word for key, word in BANNERS.items() if run.provenance.get(key)), probes=run.probes.sha256,
            config=run.config, not_judged=tuple(not_judged(made)), changes=_changes(run, checks, made),
            moments=moments(run, made),
        ),
        (),
    )  # fmt: skip


def numbered(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Return the sections with their figures numbered through."""
    made, count = [], 0
    for section in sections:
        figures = tuple(with_number(figure, count + i + 1) for i, figure in enumerate(section.figures))
        count += len(figures)
        made.append(replace(section, figures=figures))
    return tuple(made)


def moments(run: ExtractedRun, sections: Sequence[Section]) -> tuple[Moment, ...]:
    """Return the checkpoints that some figure shows, best ones marked: where the slider starts."""
    shown = {moment.at for section in sections for figure in section.figures for moment in figure.moments}
    best = {group.best.extraction.name for group in groups(run)} if shown else set()
    return tuple(
        Moment(e.name, e.about.file, e.epoch, e.name in best) for e in run.extractions if e.name in shown
    )  # fmt: skip


def _changes(run: ExtractedRun, checks: Sequence[Check], sections: Sequence[Section]) -> Changes | None:
    if "previous" not in run.provenance:
        return None
    previous = run.provenance["previous"]
    if previous is None:
        return Changes("")
    content = next((s.content for s in sections if s.id == "summary"), None)
    files = {c.file: c.sha256 for c in run.run.checkpoints}
    same = not run.provenance.get("probes_changed")
    return compare(previous, checks, asdict(content) if content is not None else {}, files, same)


def with_failures(report: Report, more: Sequence[Failure]) -> Report:
    """Return the report with more failures in it, and the banner that goes with any."""
    report = replace(report, failures=(*report.failures, *more))
    if report.failed and "PARTIAL" not in report.banners:
        report = replace(report, banners=("PARTIAL", *report.banners))
    return report
