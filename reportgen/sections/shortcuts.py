"""What changed pictures and deciding pixels of one checkpoint say, handed to the rules that judge them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.attribution import share
from reportgen.diagnostics.regions import border
from reportgen.extraction import Attribution, ExtractedRun, Extraction, Stress
from reportgen.extraction.explained import GALAXY, OUTSKIRTS
from reportgen.sections.attributed import NAMES, on_pixels
from reportgen.sections.section import Judged, Unjudged
from reportgen.sections.verdicts.answers import PROBABILITIES
from reportgen.sections.verdicts.shortcuts import attribution_off_galaxy, band_dominated, orientation_dependent

METHOD = "integrated"
"""Whose map is judged: it is complete and has the picture's own resolution. A CAM of a small network is a few cells."""


def stress_verdicts(
    run: ExtractedRun, extraction: Extraction, stress: Stress, answers: NDArray[np.float64]
) -> list[Judged]:  # fmt: skip
    """Judge the answers `(variant, probe)` to turned probes and to probes with a blanked band."""
    if stress.absent:
        because = stress.absent.rstrip(".")
        return [Unjudged(name, because) for name in ("orientation_dependent", "band_dominated")]
    probabilities = extraction.output_activation in PROBABILITIES
    turns = [i for i, kind in enumerate(stress.kinds) if kind == "orientation"]
    blanked = {stress.amounts[i]: answers[i] for i, kind in enumerate(stress.kinds) if kind == "band"}
    limits = run.config.verdicts
    if not blanked and run.config.depth == "quick" and len(run.probes.channels) > 1:
        bands: Judged = Unjudged("band_dominated", "no band was blanked, as depth is quick")
    else:
        bands = band_dominated(answers[0], blanked, probabilities, limits.band_dominated)
    return [orientation_dependent(answers[turns], probabilities, limits.orientation_dependent), bands]


def attribution_verdict(run: ExtractedRun, found: Attribution) -> Judged:
    """Judge where the attributions of the chosen probes fall."""
    if found.absent or METHOD not in found.maps:
        return Unjudged("attribution_off_galaxy", found.absent.rstrip(".") or f"there are no {NAMES[METHOD]}")
    maps = on_pixels(found, METHOD)
    edge = border(found.regions.shape[1:])
    on = np.isin(found.regions, (GALAXY, OUTSKIRTS))
    kept = [i for i in range(len(maps)) if (found.regions[i] == GALAXY).any()]
    return attribution_off_galaxy(
        [share(maps[i], ~on[i]) for i in kept], [float((~on[i]).mean()) for i in kept],
        [share(maps[i], edge) for i in kept], float(edge.mean()), NAMES[METHOD],
        run.config.verdicts.attribution_off_galaxy,
    )  # fmt: skip
