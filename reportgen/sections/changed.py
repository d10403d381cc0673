"""Answers to changed probes, and attributions, as the rules on shortcuts want them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from reportgen.config import VerdictsConfig
from reportgen.diagnostics.attribution import fixed_spot, share
from reportgen.diagnostics.regions import border
from reportgen.extraction import Attribution, Extraction, Stress
from reportgen.extraction.explained import GALAXY, OUTSKIRTS
from reportgen.sections.attributed import NAMES, on_pixels
from reportgen.sections.section import Judged, Unjudged
from reportgen.sections.task import Task
from reportgen.sections.verdicts.shortcuts import attribution_off_galaxy, band_dominated, orientation_dependent

JUDGED = ("integrated", "occlusion")
"""The methods judged, the first that does not fail its sanity check: their values are shares of the answer."""


def followed(stress: Stress, task: Task) -> tuple[NDArray[np.float64], NDArray[np.int_] | None]:
    """Return `(variant, probe)` answers and classes; of many classes the probability of the one chosen as it is."""
    by_variant = [task.probabilities(p) for p in stress.predictions]
    classes = None
    if task.kind != "regression":
        classes = np.array([[-1 if c is None else c for c in task.chosen(p)] for p in stress.predictions])
    if task.kind == "classes" and classes is not None:
        rows = np.arange(len(stress.probes))
        return np.stack([p[rows, np.maximum(classes[0], 0)] for p in by_variant]), classes
    return np.stack([task.answers(p) for p in stress.predictions]), classes


def of_stress(stress: Stress, task: Task, limits: VerdictsConfig) -> list[Judged]:
    """Judge orientation and bands by the answers to turned and to blanked probes."""
    if stress.absent:
        return [Unjudged(id, stress.absent) for id in ("orientation_dependent", "band_dominated")]
    answers, _ = followed(stress, task)
    chances = task.kind != "regression"
    turns = [i for i, kind in enumerate(stress.kinds) if kind == "orientation"]
    bands = {amount: answers[i] for i, (kind, amount) in enumerate(zip(stress.kinds, stress.amounts, strict=True))
             if kind == "band"}  # fmt: skip
    if "flux" not in stress.kinds:
        one: Judged = Unjudged("band_dominated", "at this depth no band was blanked")
    else:
        one = band_dominated(answers[0], bands, chances, limits.band_dominated)
    return [orientation_dependent(answers[turns], chances, limits.orientation_dependent), one]


def of_attribution(found: Attribution, failed: Collection[str], limits: VerdictsConfig) -> Judged:
    """Judge where the attributions of the chosen probes fall, by a method that did not fail its sanity check.

    Occlusion sees as far as its patch: the galaxy is grown by half of one.
    """
    from scipy.ndimage import binary_dilation  # large, and not needed to check a configuration

    method = next((m for m in JUDGED if m in found.maps and m not in failed), "")
    if found.absent or not method:
        words = "the maps of every method do not depend on the weights" if failed else "there are no maps at this depth"
        return Unjudged("attribution_off_galaxy", found.absent or words)
    own = (found.regions == GALAXY) | (found.regions == OUTSKIRTS)
    if method == "occlusion":
        reach = max(1, round(found.settings.get("patch", 2) / 2))
        own = np.stack([binary_dilation(mask, iterations=reach) for mask in own])
    edge = border((own.shape[1], own.shape[2]))
    off, area, at_edge = [], [], []
    maps = on_pixels(found, method)
    for values, inside in zip(maps, own, strict=True):
        seen = bool(inside.any())
        off.append(share(values, ~inside) if seen else np.nan)
        at_edge.append(share(values, edge) if seen else np.nan)
        area.append(float((~inside).mean()))
    bounds = limits.attribution_off_galaxy
    spots = [fixed_spot(maps[alike], own[alike]) for alike in _alike(found) if alike.sum() >= bounds.least]
    spot = max((s for s in spots if s is not None), key=lambda s: s.share, default=None)
    return attribution_off_galaxy(off, area, at_edge, float(edge.mean()), spot, NAMES[method], bounds)


def _alike(found: Attribution) -> list[NDArray[np.bool_]]:
    """Return, for each answer that is explained, which of the chosen probes it is explained for."""
    _, group = np.unique(np.sign(found.weighting), axis=0, return_inverse=True)
    return [group.ravel() == number for number in range(int(group.max(initial=-1)) + 1)]


def moved_by_flux(extraction: Extraction, task: Task) -> float | None:
    """Return the mean change of the answers by half and double brightness, in standard deviations of the answers."""
    stress = extraction.stress()
    if stress is None or stress.absent or "flux" not in stress.kinds:
        return None
    answers, _ = followed(stress, task)
    varied = [i for i, (kind, amount) in enumerate(zip(stress.kinds, stress.amounts, strict=True))
              if kind == "flux" and amount in ("0.5", "2")]  # fmt: skip
    good = np.isfinite(answers[[0, *varied]]).all(axis=0)
    spread = float(answers[0, good].std()) if good.any() else 0.0
    return float(np.abs(answers[varied][:, good] - answers[0, good]).mean()) / spread if spread > 0 else None
