"""Figures of a classification: the probes in order, the worst, ROC and reliability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reportgen.diagnostics.calibration import Calibration
from reportgen.diagnostics.roc import Roc
from reportgen.diagnostics.scores import Confusion
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure
from reportgen.figures.charts import ranked
from reportgen.figures.curves import reliability, roc_curves
from reportgen.figures.heatmap import heatmap
from reportgen.figures.style import SERIES
from reportgen.sections.scoring import Scored
from reportgen.sections.thumbnails import contact_sheet, thumbnails

MANY_CLASSES, MOST_CLASSES = 8, 60
"""Classes above which the counts of a confusion are a figure and paper has no table of them; those it shows at most."""


def ranked_figure(run: ExtractedRun, scored: Scored, extraction: Extraction) -> Figure:
    """Draw the probes by the probability of the positive class."""
    task, values = scored.task, scored.answers
    order = [i for i in np.argsort(-values, kind="stable").tolist() if np.isfinite(values[i])][:64]
    probes = [run.probes.probes[i] for i in order]
    picture = ranked(
        [f"{p.id} ({i})" for i, p in zip(order, probes, strict=True)], values[order].tolist(),
        [p.label or "" for p in probes], task.output, 0.5,
    )  # fmt: skip
    facts = {
        "n": len(order), "of": len(run.probes), "checkpoint": extraction.about.file, "epoch": extraction.epoch,
        "output": task.output, "threshold": 0.5, "kind": "ranked",
    }  # fmt: skip
    return chart_figure(
        f"predictions-ranked-{extraction.name}",
        picture,
        facts,
        {"probe": [p.id for p in probes], "value": values[order].tolist()},
    )


def worst_figure(run: ExtractedRun, scored: Scored, most: int, extraction: Extraction) -> Figure | None:
    """Show the labelled probes whose own class got the lowest probability; None without any."""
    p = scored.p_true
    order = sorted(scored.known, key=lambda i: (p[i], i))[:most]
    if not order:
        return None
    lines = []
    for i in order:
        chosen = scored.chosen[i]
        said = "none" if chosen is None else scored.task.classes[chosen]
        lines.append((f"{i}  {run.probes.probes[i].id}", f"is {scored.labels[i]}: {p[i]:.3f}", f"said {said}"))
    pictures = thumbnails(run.probes, run.config.probes.display, order)
    width, height, placed, labels = contact_sheet(pictures, lines, columns=5)
    facts = {
        "kind": "worst", "shown": len(order), "n": len(scored.known), "checkpoint": extraction.about.file,
        "epoch": extraction.epoch, "display": run.probes.display,
        "wrong": sum(scored.task.classes[scored.chosen[i] or 0] != scored.labels[i] for i in order),
    }  # fmt: skip
    return Figure(f"predictions-worst-{extraction.name}", facts, width, height, placed, labels)


def roc_figure(curves: Sequence[tuple[str, Roc]], extraction: Extraction) -> Figure:
    """Draw the receiver operating characteristic of each class, as many as can be told apart."""
    shown = curves[: len(SERIES)]
    picture = roc_curves({name: (roc.false_positive, roc.true_positive) for name, roc in shown})
    facts = {
        "kind": "roc", "classes": [name for name, _ in shown], "of": len(curves), "checkpoint": extraction.about.file,
        "epoch": extraction.epoch, "n": curves[0][1].positives + curves[0][1].negatives,
    }  # fmt: skip
    data = {
        name: {"false_positive": list(roc.false_positive), "true_positive": list(roc.true_positive)}
        for name, roc in shown
    }
    return chart_figure(f"predictions-roc-{extraction.name}", picture, facts, data)


def confusion_figure(found: Confusion, extraction: Extraction) -> Figure:
    """Draw predicted against actual classes where they are too many for the columns of a table."""
    counts = np.array(found.counts)
    met = np.argsort(-(counts.sum(axis=0) + counts.sum(axis=1)), kind="stable")[:MOST_CLASSES]
    kept = sorted(int(i) for i in met if counts[i].any() or counts[:, i].any())
    names = [found.classes[i] for i in kept]
    shown = counts[np.ix_(kept, kept)].astype(float)
    picture = heatmap(
        shown, names, names, (0.0, max(1.0, float(shown.max()))), x_label="predicted class", bar_label="probes",
        cell=(0.16, 0.16),
    )  # fmt: skip
    facts = {
        "kind": "confusion", "shown": len(kept), "of": len(found.classes), "n": found.n,
        "checkpoint": extraction.about.file, "epoch": extraction.epoch,
    }  # fmt: skip
    data = {"classes": names, "counts": shown.astype(int).tolist()}
    return chart_figure(f"predictions-confusion-{extraction.name}", picture, facts, data)


def reliability_figure(found: Calibration, classes: int, extraction: Extraction) -> Figure:
    """Draw how often the chosen class is right against how sure the network is of it."""
    confidence, accuracy = [b.confidence for b in found.bins], [b.accuracy for b in found.bins]
    picture = reliability(confidence, accuracy, [b.n for b in found.bins], 0.98 / classes)
    facts = {
        "kind": "reliability", "n": found.n, "bins": found.of, "ece": found.ece,
        "checkpoint": extraction.about.file, "epoch": extraction.epoch,
    }  # fmt: skip
    data = {"confidence": confidence, "accuracy": accuracy, "n": [b.n for b in found.bins]}
    return chart_figure(f"predictions-reliability-{extraction.name}", picture, facts, data)
