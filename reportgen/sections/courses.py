"""What became of each probe from checkpoint to checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reportgen.diagnostics.learning import LEAST, SPREAD, Course, course
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure
from reportgen.figures.curves import data_map
from reportgen.figures.heatmap import heatmap
from reportgen.sections.scoring import score
from reportgen.sections.task import Task

ROWS, COLUMNS = 24, 12
"""Probes and checkpoints drawn."""


@dataclass(frozen=True)
class ProbeCourse:
    """One probe over the checkpoints: of a classification its course, of a regression its differences."""

    number: int
    """In the probe set."""
    probe: str
    label: str
    target: float | None
    answers: tuple[float, ...]
    """At each checkpoint: the value, or the probability of its own class."""
    course: Course | None
    """None for a regression."""
    mean: float
    """Of predicted − actual, or of the probability of its own class."""
    spread: float
    """Standard deviation over the checkpoints."""


def courses_of(run: ExtractedRun, members: Sequence[Extraction]) -> tuple[tuple[str, ...], tuple[ProbeCourse, ...]]:
    """Return the checkpoints, and the course of each probe whose label or target is known."""
    scored = [score(run, e) for e in members]
    at = tuple(f"epoch {e.epoch}" if e.epoch is not None else e.name for e in members)
    found = []
    for i, probe in enumerate(run.probes.probes):
        if scored[0].task.kind == "regression":
            if probe.target is None:
                continue
            answers = np.array([s.answers[i] for s in scored], float)
            difference = answers - probe.target
            one, mean, spread = None, float(difference.mean()), float(difference.std())
        else:
            if scored[0].labels[i] is None:
                continue
            answers = np.array([s.p_true[i] for s in scored], float)
            right = [s.chosen[i] is not None and s.task.classes[s.chosen[i] or 0] == s.labels[i] for s in scored]
            one = course(answers, np.array(right, bool))
            mean, spread = one.mean, one.spread
        found.append(
            ProbeCourse(i, probe.id, probe.label or "", probe.target, tuple(answers.tolist()), one, mean, spread)
        )
    return at, tuple(found)


def course_figure(
    extraction: Extraction, at: Sequence[str], courses: Sequence[ProbeCourse], task: Task
) -> list[Figure]:
    """Draw the courses as a table of colours; nothing with one checkpoint."""
    return [_table(extraction, at, courses, task)] if courses and len(at) > 1 else []


def map_figure(extraction: Extraction, at: Sequence[str], courses: Sequence[ProbeCourse]) -> list[Figure]:
    """Draw the data map of a classification; nothing with fewer than LEAST checkpoints."""
    mapped = [c for c in courses if c.course and c.course.kind]
    return [_map(extraction, mapped, len(at))] if mapped and len(at) >= LEAST else []


def _table(extraction: Extraction, at: Sequence[str], courses: Sequence[ProbeCourse], task: Task) -> Figure:
    regression = task.kind == "regression"
    worst = sorted(courses, key=lambda c: (-abs(c.mean) if regression else c.mean, c.number))[:ROWS]
    columns = dict.fromkeys(np.linspace(0, len(at) - 1, min(COLUMNS, len(at))).round().astype(int).tolist())
    values = np.array([[c.answers[k] - (c.target or 0 if regression else 0) for k in columns] for c in worst])
    names = [f"{c.probe if len(c.probe) <= 18 else c.probe[:17] + '…'} ({c.number})" for c in worst]
    finite = np.abs(values[np.isfinite(values)])
    most = float(finite.max(initial=0.0)) or 1.0
    wrong = frozenset(
        (row, place) for row, c in enumerate(worst) for place, k in enumerate(columns)
        if c.course and not c.course.right[k]
    )  # fmt: skip
    unit = f" [{task.unit}]" if task.unit else ""
    picture = heatmap(
        values, names, [at[k] for k in columns], (-most, most) if regression else (0.0, 1.0),
        "signed" if regression else "magnitude",
        bar_label=f"predicted − actual{unit}" if regression else "p(true class)", marked=wrong, cell=(0.5, 0.22),
    )  # fmt: skip
    facts = {
        "kind": "course", "shown": len(worst), "of": len(courses), "checkpoints": len(columns), "all": len(at),
        "regression": regression, "output": task.output,
    }  # fmt: skip
    data = {"probe": [c.probe for c in worst], "checkpoint": [at[k] for k in columns], "values": values.tolist()}
    return chart_figure(f"predictions-course-{extraction.name}", picture, facts, data)


def _map(extraction: Extraction, mapped: Sequence[ProbeCourse], checkpoints: int) -> Figure:
    courses = [c.course for c in mapped if c.course]
    kinds = [c.kind for c in courses]
    # The hard and the ambiguous are those a reader looks up.
    looked_up = sorted(range(len(mapped)), key=lambda i: mapped[i].mean)[:10]
    names = [str(c.number) if i in looked_up and kinds[i] != "easy" else "" for i, c in enumerate(mapped)]
    picture = data_map([c.spread for c in courses], [c.mean for c in courses], kinds, names, SPREAD)
    facts = {
        "kind": "map", "n": len(mapped), "checkpoints": checkpoints, "border": SPREAD,
        "easy": kinds.count("easy"), "ambiguous": kinds.count("ambiguous"), "hard": kinds.count("hard"),
    }  # fmt: skip
    data = {
        "probe": [c.probe for c in mapped], "mean": [c.mean for c in courses], "spread": [c.spread for c in courses],
        "kind": list(kinds),
    }  # fmt: skip
    return chart_figure(f"predictions-map-{extraction.name}", picture, facts, data)
