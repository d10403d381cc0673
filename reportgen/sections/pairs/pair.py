"""Two checkpoints, each with the report it comes from: what the sections of a comparison are built from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reportgen.errors import ReportgenError
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.task import Task, task_of


@dataclass(frozen=True)
class Side:
    """One of the two."""

    letter: str
    run: ExtractedRun
    extraction: Extraction
    """The checkpoint that is compared."""
    best: bool
    """Whether it is the best of its run."""
    title: str
    """Of its report."""
    id: str
    """Of its report."""
    link: str
    """The way to its report.html, seen from the comparison; empty where it has none."""
    verdict: str
    checks: Sequence[Mapping[str, Any]]
    """Verdicts of its report, as report.json has them."""
    not_judged: Mapping[str, str]
    """Verdicts its report could not give → why."""
    provenance: Mapping[str, Any]

    @property
    def task(self) -> Task | None:
        """What its answers mean; None where it was not measured or its configuration does not fit it."""
        if self.extraction.predictions is None:
            return None
        try:
            return task_of(self.run, self.extraction)
        except ReportgenError:
            return None

    @property
    def name(self) -> str:
        """What figures call it: letter and checkpoint."""
        return f"{self.letter}: {self.extraction.name}"


@dataclass(frozen=True)
class Pair:
    """A and B."""

    a: Side
    b: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both."""
        return self.a, self.b

    @property
    def one_report(self) -> bool:
        """Whether both are checkpoints of one report."""
        return self.a.id == self.b.id

    @property
    def same_probes(self) -> bool:
        """Whether both were asked about the same probes: ids, order and every number the network sees."""
        return self.a.run.probes.sha256 == self.b.run.probes.sha256

    @property
    def same_architecture(self) -> bool:
        """Whether layers, shapes and names are the same."""
        a, b = (side.extraction.about.architecture for side in self.sides)
        return bool(a) and a == b

    @property
    def measured(self) -> bool:
        """Whether both networks could be run, on the same probes: their numbers may be compared."""
        return self.same_probes and all(side.extraction.predictions is not None for side in self.sides)

    @property
    def same_task(self) -> bool:
        """Whether the answers of both mean the same."""
        a, b = self.a.task, self.b.task
        return a is not None and b is not None and (a.kind, a.classes, a.unit) == (b.kind, b.classes, b.unit)

    @property
    def limits(self) -> tuple[str, ...]:
        """What is not compared, and why: a sentence each."""
        return tuple(self._limits())

    def _limits(self) -> Iterator[str]:
        unmeasured = [s.letter for s in self.sides if s.extraction.predictions is None]
        if not self.same_probes:
            yield (
                "The probe sets differ: scores, predictions, feature maps and representations are not compared, for "
                "their numbers would be about other galaxies. Weights, configurations, histories and verdicts are."
            )
        elif unmeasured:
            yield f"The network of {' and '.join(unmeasured)} could not be run: nothing it says or sees is compared."
        elif not self.same_task:
            yield "The two were asked different questions: their answers are held against each other by rank alone."
        if not self.same_architecture:
            yield "The architectures differ: weights are compared in layers of the same name and shapes only."


def why_not_measured(pair: Pair) -> str:
    """Return why answers and maps are not compared; empty where they are."""
    if not pair.same_probes:
        return "The probe sets differ, so these numbers are about other galaxies and are not compared."
    lacking = [side.letter for side in pair.sides if side.extraction.predictions is None]
    return f"The network of {' and '.join(lacking)} could not be run on the probe set." if lacking else ""
