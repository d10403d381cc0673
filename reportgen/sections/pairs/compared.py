"""Which two are compared, and what is the short answer?"""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.sections.pairs.pair import Pair, Side
from reportgen.sections.section import Section

TITLE = "In short"
QUESTION = "Which two are beside each other, and may they be?"


@dataclass(frozen=True)
class Compared:
    """One of the two."""

    letter: str
    title: str
    run: str
    id: str
    link: str
    checkpoint: str
    epoch: int | None
    best: bool
    verdict: str
    probes: int
    probes_sha256: str
    layers: int
    parameters: int
    architecture: str
    """Its signature; empty where it is not known."""
    output: str
    """What its answers are called; empty without any."""
    sha256: str
    """Of the checkpoint."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    sides: tuple[Compared, ...]
    same_probes: bool
    same_architecture: bool
    same_task: bool
    same_file: bool
    """Whether both are the same checkpoint, byte by byte."""
    one_report: bool
    limits: tuple[str, ...]
    """What is not compared, and why."""


def build(pair: Pair) -> Section:
    """Name the two and what they have in common."""
    a, b = (side.extraction.about.sha256 for side in pair.sides)
    return Section(
        Content(
            tuple(_compared(side) for side in pair.sides), pair.same_probes, pair.same_architecture, pair.same_task,
            a == b, pair.one_report, pair.limits,
        )
    )  # fmt: skip


def _compared(side: Side) -> Compared:
    e, task = side.extraction, side.task
    return Compared(
        side.letter, side.title, side.run.run.name, side.id, side.link, e.about.file, e.epoch, side.best, side.verdict,
        len(side.run.probes), side.run.probes.sha256, len(e.layers), sum(layer.parameters for layer in e.layers),
        e.about.architecture, task.output if task else "", e.about.sha256,
    )  # fmt: skip
