"""What is missing?"""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.extraction import ExtractedRun
from reportgen.sections.attributed import CAMS, NAMES
from reportgen.sections.chosen import measured_groups
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
class Skipped:
    """What could have been here and is not, by a rule and not by a failure."""

    what: str
    because: str


@dataclass(frozen=True)
class Content:
    """What the template shows, beside the report's own list of failures, to which sections and formats add theirs."""

    counts: tuple[Count, ...]
    skipped: tuple[Skipped, ...]


def build(run: ExtractedRun, options: NoOptions) -> Section:
    """Count what was expected and what was made."""
    lost = sum(f.kind == "probe" for f in run.failures)
    return Section(
        Content(
            (
                Count("checkpoint", len(run.measured), checkpoints_wanted(run)),
                Count("probe", len(run.probes), len(run.probes) + lost),
            ),
            (*_copies(run), *_methods(run)),
        )
    )


def _copies(run: ExtractedRun) -> list[Skipped]:
    """Return the files that repeat a checkpoint of the report."""
    copies = run.run.record.get("copies")
    pairs = copies.items() if isinstance(copies, dict) else ()
    return [
        Skipped(f"file {file}", f"it repeats {original}, and its weights are shown once") for file, original in pairs
    ]


def _methods(run: ExtractedRun) -> list[Skipped]:
    """Return the methods of attribution that best checkpoints lack, and the checkpoints without any."""
    found = []
    depth = run.config.depth
    for group in measured_groups(run):
        network = f" of network {group.letter}" if group.letter else ""
        here = group.best.extraction.attribution()
        if here is not None and not here.absent:
            names = [NAMES[m] for m in ("smooth_grad", "integrated", "occlusion") if m not in here.maps]
            light = "integrated" in here.maps
            rule = f"at depth: {depth} only the best and the last checkpoint of a run get them; depth: full gives all"
            if names:
                because = rule if light else "they take too long for limits.seconds"
                found.append(Skipped(f"{', '.join(names)}{network} at {group.best.extraction.about.file}", because))
            if not any(m in here.maps for m in CAMS):
                because = "no convolution of the network gives a map"
                found.append(Skipped(f"{' and '.join(NAMES[m] for m in CAMS)}{network}", because))
        without = sum(e.attribution() is None for e in group.members)
        if without:
            because = "no probe is explained at depth: quick" if depth == "quick" else (
                f"at depth: {depth} the best, the last, and the first, second, fourth, eighth … are explained"
            )  # fmt: skip
            found.append(Skipped(f"attributions{network} at {without} of {len(group.members)} checkpoints", because))
    return found


def checkpoints_wanted(run: ExtractedRun) -> int:
    """Return how many files were meant to be checkpoints: those found, and those that could not be used at all."""
    failed = sum(f.kind == "checkpoint" for f in run.failures)
    return max(len(run.run.checkpoints), len(run.measured) + failed)
