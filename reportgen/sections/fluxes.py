"""Whether the answers follow the brightness of the probes."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen.diagnostics.partial import partial_rank_correlation
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.changed import moved_by_flux
from reportgen.sections.confounders import MEASURED, Column
from reportgen.sections.section import Judged, Unjudged
from reportgen.sections.stand_ins import told_of
from reportgen.sections.task import task_of
from reportgen.sections.verdicts.shortcuts import flux_driven


def flux_verdict(run: ExtractedRun, extraction: Extraction, columns: Sequence[Column]) -> Judged:
    """Judge the answers of a checkpoint against total flux, within each class or with the target taken out."""
    task = task_of(run, extraction)
    flux = next((c for c in columns if c.name == MEASURED["flux"] and c.source == "measured"), None)
    if flux is None or extraction.predictions is None:
        return Unjudged("flux_driven", "the flux of the probes does not vary, or too few have one")
    told = told_of(run, extraction, task)
    if told is None:
        return Unjudged("flux_driven", "several classes have no single answer to compare with flux")
    found = partial_rank_correlation(told.answers, flux.values, told.control)
    moved = moved_by_flux(extraction, task)
    return flux_driven(found.rho, found.p, found.n, told.known, moved, run.config.verdicts.flux_driven)
