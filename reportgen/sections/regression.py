"""Figures of a regression: predicted against actual, their difference, the best and the worst."""

from __future__ import annotations

import numpy as np

from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure
from reportgen.figures.charts import scatter
from reportgen.sections.scoring import Scored
from reportgen.sections.thumbnails import contact_sheet, thumbnails
from reportgen.templating import fixed


def regression_figures(run: ExtractedRun, scored: Scored, extremes: int, extraction: Extraction) -> list[Figure]:
    """Draw the predictions of one checkpoint against the targets of the probes."""
    task, known = scored.task, scored.known
    predicted = scored.answers[known]
    actual = np.array([run.probes.probes[i].target for i in known], float)
    difference = predicted - actual
    # The largest differences are the ones a reader looks up; more numbers than these pile up.
    worst = set(np.argsort(-np.abs(difference), kind="stable")[:8].tolist())
    names = [str(i) if k in worst else "" for k, i in enumerate(known)]
    low, high = float(min(predicted.min(), actual.min())), float(max(predicted.max(), actual.max()))
    margin = 0.05 * (high - low or 1)
    limits = (low - margin, high + margin)
    if extraction.output_activation == "sigmoid" and low >= 0 and high <= 1:
        limits = (-0.02, 1.02)
    unit = f" [{task.unit}]" if task.unit else ""
    facts = {
        "n": len(known),
        "checkpoint": extraction.about.file,
        "epoch": extraction.epoch,
        "output": task.output,
        "display": run.probes.display,
    }
    data = {
        "probe": [run.probes.probes[i].id for i in known],
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
    }
    axis, both = f"actual {task.output}{unit}", f"predicted {task.output}{unit}"
    against = scatter(actual.tolist(), predicted.tolist(), names, axis, both, limits, True)
    apart = scatter(actual.tolist(), difference.tolist(), names, axis, f"predicted − actual{unit}", limits, False)
    figures = [
        chart_figure(f"predictions-actual-{extraction.name}", against, facts | {"kind": "actual"}, data),
        chart_figure(f"predictions-difference-{extraction.name}", apart, facts | {"kind": "difference"}, data),
    ]
    order = np.argsort(np.abs(difference), kind="stable")
    most = min(extremes, len(known) // 2)
    for word, places in (("best", order[:most]), ("worst", order[::-1][:most])):
        if not len(places):
            continue
        chosen = [known[int(k)] for k in places]
        lines = [
            (
                f"{i}  {run.probes.probes[i].id}",
                f"{fixed(float(predicted[int(k)]), 3)}, actual {fixed(float(actual[int(k)]), 3)}",
            )
            for i, k in zip(chosen, places, strict=True)
        ]
        pictures = thumbnails(run.probes, run.config.probes.display, chosen)
        width, height, placed, labels = contact_sheet(pictures, lines, columns=5)
        said = facts | {"kind": "extremes", "which": word, "shown": most}
        figures.append(Figure(f"predictions-{word}-{extraction.name}", said, width, height, placed, labels))
    return figures
