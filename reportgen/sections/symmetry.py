"""Does it know physics?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.symmetry import Response, respond, spread
from reportgen.diagnostics.transforms import ORIENTATIONS
from reportgen.extraction import ExtractedRun, Extraction, Stress
from reportgen.figures import Figure, chart_figure, png
from reportgen.figures.charts import lines
from reportgen.figures.overlay import Panel, gallery
from reportgen.figures.stretch import display_rgb, shrink
from reportgen.sections.changed import OWED, followed, of_stress
from reportgen.sections.chosen import Group, measured_groups
from reportgen.sections.probes import squeezed
from reportgen.sections.section import Judged, Section, Unjudged, of_network, told
from reportgen.sections.task import Task, task_of
from reportgen.sections.thumbnails import as_displayed, framed
from reportgen.templating import fixed

TITLE = "Symmetry and stress"
QUESTION = "Does it know physics: that a galaxy has no preferred orientation, and that the sky is not the galaxy?"


class SectionOptions(Options):
    """Options of the symmetry section."""

    worst: PositiveInt = 2
    """Probes drawn in all orientations: those whose answer depends on it most."""
    rows: PositiveInt = 10
    """Probes in the table on paper; the HTML report has all."""


@dataclass(frozen=True)
class Turned:
    """One probe in all orientations."""

    probe: str
    label: str
    answer: float
    """As it is."""
    lowest: float
    highest: float
    spread: float
    """highest − lowest."""
    classes: tuple[str, ...]
    """Classes it is given, the first as it is; one where all orientations agree; empty for a regression."""


@dataclass(frozen=True)
class At:
    """One checkpoint."""

    checkpoint: str
    epoch: int | None
    role: str
    """first, best, last; empty for those between."""
    n: int
    orientations: int
    median: float
    """Median over probes of the spread under rotation and reflection."""
    largest: float
    flips: int | None
    """Probes whose class depends on the orientation; None for a regression."""
    responses: tuple[Response, ...]


@dataclass(frozen=True)
class Network:
    """One architecture."""

    letter: str
    checkpoint: str
    """The best one: that of the tables."""
    epoch: int | None
    absent: str
    kind: str
    output: str
    unit: str
    n: int
    of: int
    orientations: int
    over: tuple[At, ...]
    """Every checkpoint, in training order."""
    shown: tuple[At, ...]
    """First, best and last: columns of the table."""
    probes: tuple[Turned, ...]
    """At the best checkpoint, the worst first."""
    quiet: int
    """Probes whose sky has no noise."""
    unfound: int
    """Probes in which no galaxy was found."""
    sky: Response | None
    """Answers at the best checkpoint with the sky of another probe; None where it was not tried."""
    strongest: tuple[Response, ...]
    """Of each other kind of change but turning and taking the galaxy away the one that changes the answers most, the
    largest median first."""
    figures: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    rows: int
    """Probes in the table on paper."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Set the answers to changed pictures against those to the pictures themselves."""
    measured = measured_groups(run)
    if not measured:
        return Section(None, absent="No network of this run could be run on the probe set.")
    networks: list[Network] = []
    figures: list[Figure] = []
    judged: list[Judged] = []
    for group in measured:
        e = group.best.extraction
        own = [(x, s) for x in run.of_architecture(e.about.architecture) if (s := x.stress()) is not None]
        here = next((s for x, s in own if x.name == e.name), None)
        if here is None:
            judged += of_network(
                (Unjudged(id, "no answers to changed probes were measured") for id in OWED), group.letter
            )
            continue
        task = task_of(run, e)
        judged += of_network(of_stress(here, task, run.config.verdicts), group.letter)
        over: list[At] = []
        probes: list[Turned] = []
        drawn: list[Figure] = []
        if not here.absent:
            over = [_at(x, s, task, group) for x, s in own if not s.absent]
            probes, order = _turned(run, here, task)
            drawn = [*_course(e, over), *(_orientations(run, e, here, task, k) for k in order[: options.worst])]
        figures += drawn
        networks.append(
            Network(
                group.letter, e.about.file, e.epoch, here.absent, task.kind, task.output, task.unit, len(here.probes),
                here.of, here.kinds.count("orientation"), tuple(over), tuple(a for a in over if a.role),
                tuple(probes), int(here.settings.get("quiet", 0)), int(len(here.found) - np.count_nonzero(here.found)),
                *_compared(next((a.responses for a in over if a.checkpoint == e.about.file), ())),
                tuple(f.id for f in drawn), here.notes,
            )
        )  # fmt: skip
    if not networks:
        return Section(
            None, absent="No answers to changed probes are in the extraction files: they were made by an earlier "
            "version of reportgen. Run again.",
        )  # fmt: skip
    return Section(Content(tuple(networks), options.rows), tuple(figures), **told(judged))


def _compared(responses: Sequence[Response]) -> tuple[Response | None, tuple[Response, ...]]:
    """Return the answer to another sky, and of the other kinds of change the strongest of each."""
    sky = next((r for r in responses if r.kind == "sky" and r.amount != "flat" and r.n), None)
    found: dict[str, Response] = {}
    for r in responses:
        if r.kind in {"orientation", "sky", "galaxy"} or not r.n:
            continue
        if r.kind not in found or r.median > found[r.kind].median:
            found[r.kind] = r
    return sky, tuple(sorted(found.values(), key=lambda r: -r.median))


def _at(extraction: Extraction, stress: Stress, task: Task, group: Group) -> At:
    answers, classes = followed(stress, task)
    turns = [i for i, kind in enumerate(stress.kinds) if kind == "orientation"]
    spreads = spread(answers[turns])
    known = spreads[np.isfinite(spreads)]
    responses = respond(answers, classes, stress.kinds, stress.amounts, stress.found)
    return At(
        extraction.about.file, extraction.epoch, group.roles.get(extraction.name, ""), len(known), len(turns),
        float(np.median(known)) if len(known) else float("nan"), float(known.max()) if len(known) else float("nan"),
        None if classes is None else int((classes[turns] != classes[0]).any(axis=0).sum()), responses,
    )  # fmt: skip


def _turned(run: ExtractedRun, stress: Stress, task: Task) -> tuple[list[Turned], list[int]]:
    """Return every probe, the worst first, and their places among the chosen ones."""
    answers, classes = followed(stress, task)
    turns = [i for i, kind in enumerate(stress.kinds) if kind == "orientation"]
    spreads = spread(answers[turns])
    order = [int(k) for k in np.argsort(-np.nan_to_num(spreads, nan=np.inf), kind="stable")]
    rows = []
    for k in order:
        probe, own = run.probes.probes[int(stress.probes[k])], answers[turns, k]
        given = [] if classes is None else list(dict.fromkeys(classes[turns, k].tolist()))
        rows.append(
            Turned(
                probe.id, probe.label or "", float(own[0]), float(own.min()), float(own.max()), float(spreads[k]),
                tuple(task.classes[c] if c >= 0 else "none" for c in given),
            )
        )  # fmt: skip
    return rows, order


def _course(e: Extraction, over: list[At]) -> list[Figure]:
    points = [a for a in over if a.epoch is not None and np.isfinite(a.median)]
    if len(points) < 2:
        return []
    epochs = [float(a.epoch or 0) for a in points]
    series = {"largest": [a.largest for a in points], "median": [a.median for a in points]}
    picture = lines(epochs, series, "epoch", "largest − smallest answer")
    facts = {"kind": "course", "n": points[-1].n, "orientations": points[-1].orientations}
    return [chart_figure(f"symmetry-course-{e.name}", picture, facts, {"epoch": epochs, **series})]


def _orientations(run: ExtractedRun, e: Extraction, stress: Stress, task: Task, k: int) -> Figure:
    """Draw a probe in all orientations, its answer under each."""
    p = int(stress.probes[k])
    probe = run.probes.probes[p]
    answers, classes = followed(stress, task)
    shown = display_rgb(shrink(run.probes.images[p], 256), run.probes.bands, run.config.probes.display)
    pixels = as_displayed(probe, framed(run, p, shown))
    panels = []
    turns = [i for i, kind in enumerate(stress.kinds) if kind == "orientation"]
    for i, (kind, amount) in enumerate(zip(stress.kinds, stress.amounts, strict=True)):
        if kind != "orientation":
            continue
        number = ORIENTATIONS.index(amount)
        turned = np.rot90(pixels[:, ::-1] if number >= 4 else pixels, number % 4)
        # The class stands on a line of its own, and only where turning changes it.
        turns_class = classes is not None and len(set(classes[turns, k].tolist())) > 1
        said = (task.classes[classes[i, k]],) if turns_class and classes is not None and classes[i, k] >= 0 else ()
        words = (amount, fixed(float(answers[i, k]), 3), *said)
        panels.append(Panel(png(np.ascontiguousarray(as_displayed(probe, turned))), words))
    width, height, placed, labels = gallery([((), panels)], ())
    facts = {
        "kind": "orientations", "probe": probe.id, "label": probe.label or "", "checkpoint": e.about.file,
        "epoch": e.epoch, "shown": len(panels), "output": task.output, "display": run.probes.display,
        "squeezed": squeezed(run.probes), "spread": float(spread(answers[: len(panels)])[k]),
    }  # fmt: skip
    return Figure(f"symmetry-orientations-{e.name}-{p}", facts, width, height, placed, labels)
