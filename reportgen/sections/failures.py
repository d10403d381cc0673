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
    lost = sum(f.kind == "probe" for f in run.failures)
    return Section(
        Content(
            (
                Count("checkpoint", len(run.measured), checkpoints_wanted(run)),
                Count("probe", len(run.probes), len(run.probes) + lost),
            )
        )
    )


def checkpoints_wanted(run: ExtractedRun) -> int:
    """Return how many files were meant to be checkpoints: those found, and those that could not be used at all."""
    failed = sum(f.kind == "checkpoint" for f in run.failures)
    return max(len(run.run.checkpoints), len(run.measured) + failed)
