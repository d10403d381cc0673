"""What is missing?"""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.extraction import ExtractedRun
from reportgen.sections.section import NoOptions, Section

TITLE = "What is missing"
QUESTION = "What is missing from this report, and why?"
SectionOptions = NoOptions


@dataclass(frozen=True)
class Count:
    """How much of one kind was made."""

    kind: str
    made: int
    expected: int


@dataclass(frozen=True)
class Content:
    """What the template shows, beside the report's own list of failures, to which sections and formats add theirs."""

    counts: tuple[Count, ...]


def build(run: ExtractedRun, options: NoOptions) -> Section:
    """Count what was expected and what was made."""
    failed = {kind: sum(f.kind == kind for f in run.failures) for kind in ("checkpoint", "probe")}
    never_read = failed["checkpoint"] - (len(run.run.checkpoints) - len(run.measured))
    return Section(
        Content(
            (
                Count("checkpoint", len(run.measured), len(run.run.checkpoints) + max(0, never_read)),
                Count("probe", len(run.probes), len(run.probes) + failed["probe"]),
            )
        )
    )
