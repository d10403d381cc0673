"""Did it go well, and can this report be trusted?"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.scores import Confusion, RegressionScore
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure
from reportgen.sections.active import Silent, silent
from reportgen.sections.chosen import Group, best, groups
from reportgen.sections.failures import checkpoints_wanted
from reportgen.sections.scoring import Scored, score
from reportgen.sections.section import Section
from reportgen.sections.thumbnails import contact_sheet, thumbnails
from reportgen.templating import fixed

TITLE = "Summary"
QUESTION = "Did it go well, and can I trust this report?"


class SectionOptions(Options):
    """Options of the summary."""

    pictures: PositiveInt = 8
    """Probes shown on the first page, with what the best checkpoint says of them."""


@dataclass(frozen=True)
class Network:
    """One architecture of the run, where there are several."""

    letter: str
    checkpoint: str
    """Its best checkpoint."""
    epoch: int | None
    parameters: int
    score: RegressionScore | None
    confusion: Confusion | None
    dead: int
    channels: int
    """Of rectified layers with maps."""
    dead_units: int
    units: int
    """Of rectified layers that give vectors."""


@dataclass(frozen=True)
class Content:
    """What the template shows, beside the report's own checks and failures."""

    checkpoints: int
    """All that were meant to be checkpoints, those that could not be read included."""
    measured: int
    """Those whose network could be run."""
    first_epoch: int | None
    last_epoch: int | None
    probes: int
    architectures: int
    parameters: int | None
    """Of the best checkpoint's network."""
    best: str
    """File of the best checkpoint; empty without any."""
    best_epoch: int | None
    monitor: str
    value: float | None
    overall_best_epoch: int | None
    kind: str
    """regression, binary or classes; empty where nothing could be run."""
    output: str
    score: RegressionScore | None
    confusion: Confusion | None
    dead: int
    channels: int
    """Of rectified layers with maps."""
    dead_units: int
    units: int
    """Of rectified layers that give vectors."""
    notes: str
    """The user's paragraph in the configuration."""
    networks: tuple[Network, ...]
    """One a line, where the run has several architectures."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Say in a page what the rest says in detail."""
    chosen = best(run)
    if chosen is None:
        return Section(None, absent="No checkpoint of this run could be read.")
    e = chosen.extraction
    epochs = [x.epoch for x in run.extractions if x.epoch is not None]
    said = score(run, e) if e.predictions is not None else None
    quiet = silent(e) if said else None
    several = groups(run)
    content = Content(
        checkpoints=checkpoints_wanted(run), measured=len(run.measured),
        first_epoch=min(epochs, default=None), last_epoch=max(epochs, default=None), probes=len(run.probes),
        architectures=len([a for a in run.architectures if a]),
        parameters=sum(layer.parameters for layer in e.layers) if e.layers else None,
        best=e.about.file, best_epoch=e.epoch, monitor=chosen.monitor, value=chosen.value,
        overall_best_epoch=chosen.epoch, kind=said.task.kind if said else "", output=said.task.output if said else "",
        score=said.score if said else None, confusion=said.confusion if said else None,
        dead=quiet.dead if quiet else 0, channels=quiet.of if quiet else 0,
        dead_units=quiet.dead_units if quiet else 0, units=quiet.units if quiet else 0, notes=run.config.report.notes,
        networks=tuple(_network(run, group) for group in several) if len(several) > 1 else (),
    )  # fmt: skip
    return Section(content, (_strip(run, e, said, options.pictures),) if said else ())


def _network(run: ExtractedRun, group: Group) -> Network:
    e = group.best.extraction
    said = score(run, e) if e.predictions is not None else None
    parameters = sum(layer.parameters for layer in e.layers)
    quiet = silent(e) if said else Silent(0, 0, 0, 0)
    return Network(
        group.letter, e.about.file, e.epoch, parameters, said.score if said else None, said.confusion if said else None,
        quiet.dead, quiet.of, quiet.dead_units, quiet.units,
    )  # fmt: skip


def _strip(run: ExtractedRun, extraction: Extraction, said: Scored, most: int) -> Figure:
    task, answers, picked = said.task, said.answers, said.chosen
    count = min(most, len(run.probes))
    # Evenly through the set, so that every group of it has a chance to be seen.
    indices = [round(i * (len(run.probes) - 1) / max(1, count - 1)) for i in range(count)]
    lines: list[tuple[str, ...]] = []
    for i in indices:
        probe = run.probes.probes[i]
        if task.kind == "regression":
            known = (f"actual {fixed(probe.target)}",) if probe.target is not None else ()
            lines.append((f"{i}  {probe.id}", f"says {fixed(answers[i])}", *known))
        else:
            c = picked[i]
            name = task.classes[c] if c is not None else "none"
            label = said.labels[i]
            known = (f"{'✓' if name == label else '×'} is {label}",) if label is not None and c is not None else ()
            words = f"says {fixed(answers[i])} {'' if task.kind == 'binary' else name}".strip()
            lines.append((f"{i}  {probe.id}", words, *known))
    pictures = thumbnails(run.probes, run.config.probes.display, indices)
    width, height, placed, labels = contact_sheet(pictures, lines)
    facts = {
        "shown": count, "of": len(run.probes), "output": task.output, "checkpoint": extraction.about.file,
        "epoch": extraction.epoch, "display": run.probes.display,
        "positive": task.classes[1] if task.kind == "binary" else "",
        "marked": any(line[2:] and task.classes for line in lines),
    }  # fmt: skip
    return Figure("summary-probes", facts, width, height, placed, labels)
