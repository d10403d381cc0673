"""Whether the answers follow the brightness of the probes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reportgen.diagnostics.partial import partial_rank_correlation
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.changed import changed_by_flux
from reportgen.sections.confounders import MEASURED, Column
from reportgen.sections.section import Check, Judged, Unjudged
from reportgen.sections.task import task_of
from reportgen.sections.verdicts.shortcuts import flux_driven


def flux_verdict(run: ExtractedRun, extraction: Extraction, columns: Sequence[Column]) -> Judged:
    """Judge the answers of a checkpoint against total flux, within each class or with the target taken out."""
    task = task_of(run, extraction)
    flux = next((c for c in columns if c.name == MEASURED["flux"] and c.source == "measured"), None)
    if extraction.predictions is None:
        return Unjudged("flux_driven", "it could not be run")
    moved, limits = changed_by_flux(extraction, task), run.config.verdicts.flux_driven
    if flux is None or task.kind == "classes":
        why = "several classes have no single answer to compare with flux"
        if flux is None:
            why = "the flux of the probes does not vary, or too few have one"
        found = flux_driven(None, None, 0, "nothing", moved, limits)
        return found if isinstance(found, Check) else Unjudged("flux_driven", why)
    said = extraction.predictions if extraction.scores is None else extraction.scores
    said = said.reshape(len(said), -1).astype(np.float64)
    # Before the sigmoid, sure answers still have an order.
    answers = said[:, 0] if said.shape[1] == 1 or task.kind == "regression" else said[:, 1] - said[:, 0]
    probes = run.probes.probes
    known, control = "nothing", None
    if task.kind == "regression" and any(p.target is not None for p in probes):
        from scipy.stats import rankdata

        target = np.array([np.nan if p.target is None else p.target for p in probes], np.float64)
        known, control = "target", np.where(np.isfinite(target), rankdata(target, nan_policy="omit"), np.nan)
    elif task.classes and any(p.label in task.classes for p in probes):
        known = "label"
        control = np.array([float(p.label == task.classes[1]) if p.label in task.classes else np.nan for p in probes])
    partial = partial_rank_correlation(answers, flux.values, control)
    return flux_driven(partial.rho, partial.p, partial.n, known, moved, limits)
