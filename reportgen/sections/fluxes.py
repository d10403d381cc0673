"""Whether the answers follow the brightness of the probes."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen.diagnostics.partial import partial_rank_correlation
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.changed import changed_by_flux
from reportgen.sections.confounders import MEASURED, Column
from reportgen.sections.section import Check, Judged, Unjudged
from reportgen.sections.stand_ins import told_of
from reportgen.sections.task import task_of
from reportgen.sections.verdicts.shortcuts import flux_driven


def flux_verdict(run: ExtractedRun, extraction: Extraction, columns: Sequence[Column]) -> Judged:
    """Judge the answers of a checkpoint against total flux, within each class or with the target taken out."""
    task = task_of(run, extraction)
    flux = next((c for c in columns if c.name == MEASURED["flux"] and c.source == "measured"), None)
    if extraction.predictions is None:
        return Unjudged("flux_driven", "it could not be run")
    moved, limits = changed_by_flux(extraction, task), run.config.verdicts.flux_driven
    told = told_of(run, extraction, task)
    if flux is None or told is None:
        why = "several classes have no single answer to compare with flux"
        if flux is None:
            why = "the flux of the probes does not vary, or too few have one"
        found = flux_driven(None, None, 0, "nothing", moved, limits)
        return found if isinstance(found, Check) else Unjudged("flux_driven", why)
    partial = partial_rank_correlation(told.answers, flux.values, told.control)
    return flux_driven(partial.rho, partial.p, partial.n, told.known, moved, limits)
