"""Answers to changed probes, and attributions, as the rules on shortcuts want them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.config import VerdictsConfig
from reportgen.diagnostics.attribution import fixed_spot, share
from reportgen.diagnostics.regions import border
from reportgen.extraction import Attribution, Extraction, Stress
from reportgen.extraction.explained import GALAXY, OUTSKIRTS
from reportgen.sections.attributed import CAMS, NAMES, cells_of, on_pixels
from reportgen.sections.section import Judged, Unjudged
from reportgen.sections.task import Task
from reportgen.sections.verdicts.shortcuts import (
    Changed,
    attribution_off_galaxy,
    band_dominated,
    noise_sensitive,
    orientation_dependent,
)

JUDGED = ("integrated", "occlusion", "smooth_grad", "gradient", *CAMS)
"""The methods judged, the first that passes its sanity check, else the first that passes it in part: those whose
values are shares of the answer before those that say how steeply it changes, and these before coarse maps."""
SLOPES = frozenset({"smooth_grad", "gradient"})
OWED = ("orientation_dependent", "band_dominated", "noise_sensitive")
"""Verdicts on the answers to changed probes."""
ROOM = 0.05
"""Fraction of the pixels that must be off the galaxies, grown by what a method blurs, for it to tell them from sky."""


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
        return [Unjudged(id, stress.absent) for id in OWED]
    answers, classes = followed(stress, task)
    chances = task.kind != "regression"
    turns = [i for i, kind in enumerate(stress.kinds) if kind == "orientation"]
    bands = {amount: answers[i] for i, (kind, amount) in enumerate(zip(stress.kinds, stress.amounts, strict=True))
             if kind == "band"}  # fmt: skip
    if "flux" not in stress.kinds:
        one: Judged = Unjudged("band_dominated", "at this depth no band was blanked")
    else:
        one = band_dominated(answers[0], bands, chances, limits.band_dominated)
    turned = None if classes is None else classes[turns]
    noisy, quiet = changes(stress, task, "noise", ("1", "2", "3")), int(stress.settings.get("quiet", 0))
    return [
        orientation_dependent(answers[turns], chances, limits.orientation_dependent, turned), one,
        noise_sensitive(noisy, quiet, limits.noise_sensitive),
    ]  # fmt: skip


def of_attribution(
    extraction: Extraction, found: Attribution, sanity: Mapping[str, str], task: Task, limits: VerdictsConfig
) -> Judged:
    """Judge where the attributions of the chosen probes fall; `sanity` is what the check says of each method.

    All measure against a picture of sky, or replace pixels by it, or cannot see the difference at all: so the answers
    to the same galaxies with the sky of others (`stress`) are judged beside them.
    """
    if found.absent:
        return Unjudged("attribution_off_galaxy", found.absent)
    usable = [m for m in JUDGED if m in found.maps and sanity.get(m) != "fails"]
    if not usable:
        words = "the maps of every method do not depend on the weights" if found.maps else "there are no maps"
        return Unjudged("attribution_off_galaxy", words)
    coarse = []
    for method in sorted(usable, key=lambda m: sanity.get(m) != "passes"):  # stable: among equals as in JUDGED
        where = _where(extraction, found, method)
        if method in CAMS and np.median(where.area) < ROOM:
            coarse.append(NAMES[method])
            continue
        return _off_galaxy(extraction, found, where, sanity.get(method, "not known"), task, limits)
    one = f"each cell of {' and '.join(coarse)} sees galaxy and sky at once"
    left = [NAMES[m] for m in JUDGED if m in found.maps and m not in usable]
    return Unjudged(
        "attribution_off_galaxy", one + (f", and {', '.join(left)} do not depend on the weights" * bool(left))
    )


@dataclass(frozen=True)
class _Where:
    """The maps of one method against the galaxies."""

    method: str
    maps: NDArray[np.float32]
    """`(probe, y, x)`, without what cells do not cover."""
    own: NDArray[np.bool_]
    """The galaxies with their outskirts, grown by `grown` pixels."""
    seen: NDArray[np.bool_]
    """Whether a galaxy was found, `(probe,)`."""
    area: NDArray[np.float64]
    """Fraction of the pixels off the galaxy, `(probe,)`."""
    grown: int
    edge: NDArray[np.bool_]


def _where(extraction: Extraction, found: Attribution, method: str) -> _Where:
    """Set a method's maps against galaxies grown by half of what one of its values stands for: a patch, a cell's view.

    A value beside the galaxy may be there for what its patch covers, or its cell sees, of the galaxy itself.
    """
    from scipy.ndimage import binary_dilation  # large, and not needed to check a configuration

    own = (found.regions == GALAXY) | (found.regions == OUTSKIRTS)
    seen = np.asarray(own.any(axis=(1, 2)))
    maps, edge, grown = on_pixels(extraction, found, method), border((own.shape[1], own.shape[2])), (0, 0)
    part = (slice(None), slice(None))
    if method == "occlusion":
        half = max(1, round(found.settings.get("patch", 2) / 2))
        grown = (half, half)
    cells = cells_of(extraction, found) if method in CAMS else None
    if cells is not None:
        height, width = cells.field or (cells.picture[0] // cells.rows, cells.picture[1] // cells.columns)
        grown = (height // 2, width // 2)
        part = (slice(cells.top, cells.top + cells.height), slice(cells.left, cells.left + cells.width))
    if any(grown):
        # A patch is a square: so is what it reaches.
        window = np.ones((1, 2 * grown[0] + 1, 2 * grown[1] + 1), np.bool_)
        own = binary_dilation(own, window)
    own, maps = own[:, *part], maps[:, *part]
    return _Where(method, maps, own, seen, np.asarray((~own).mean(axis=(1, 2))), max(grown), edge[part])


def _off_galaxy(
    extraction: Extraction, found: Attribution, where: _Where, sanity: str, task: Task, limits: VerdictsConfig
) -> Judged:
    bounds = limits.attribution_off_galaxy
    off, at_edge = [], []
    for values, inside, seen in zip(where.maps, where.own, where.seen, strict=True):
        off.append(share(values, ~inside) if seen else np.nan)
        at_edge.append(share(values, where.edge) if seen else np.nan)
    spots = [fixed_spot(where.maps[alike], where.own[alike]) for alike in _alike(found) if alike.sum() >= bounds.least]
    spot = max((s for s in spots if s is not None), key=lambda s: s.share, default=None)
    words = {
        "method": NAMES[where.method], "sanity": sanity, "slope": where.method in SLOPES, "grown": where.grown,
        "of": len(found.probes), "spread": task.kind == "regression",
    }  # fmt: skip
    return attribution_off_galaxy(
        off, where.area.tolist(), at_edge, float(where.edge.mean()), spot, other_sky(extraction, task), words, bounds
    )


def other_sky(extraction: Extraction, task: Task) -> NDArray[np.float64] | None:
    """Return by how much the sky of another probe about each galaxy changes the answer; None where not measured.

    Of probabilities; of other answers in standard deviations of the answers.
    """
    stress = extraction.stress()
    if stress is None or stress.absent or ("sky", "of another") not in zip(stress.kinds, stress.amounts, strict=True):
        return None
    answers, _ = followed(stress, task)
    at = list(zip(stress.kinds, stress.amounts, strict=True)).index(("sky", "of another"))
    good = np.isfinite(answers[[0, at]]).all(axis=0) & stress.found
    spread = 1.0 if task.kind != "regression" else float(answers[0, np.isfinite(answers[0])].std())
    if not good.any() or spread <= 0:
        return None
    return np.asarray(np.abs(answers[at, good] - answers[0, good]) / spread)


def _alike(found: Attribution) -> list[NDArray[np.bool_]]:
    """Return, for each answer that is explained, which of the chosen probes it is explained for."""
    _, group = np.unique(np.sign(found.weighting), axis=0, return_inverse=True)
    return [group.ravel() == number for number in range(int(group.max(initial=-1)) + 1)]


def changes(stress: Stress, task: Task, kind: str, amounts: Sequence[str]) -> tuple[Changed, ...]:
    """Return what a kind of change does to the answers, for the amounts that were tried; of several draws the first."""
    answers, classes = followed(stress, task)
    tried = list(zip(stress.kinds, stress.amounts, strict=True))
    found = []
    for amount in amounts:
        if (kind, amount) not in tried:
            continue
        at = tried.index((kind, amount))
        good = np.isfinite(answers[[0, at]]).all(axis=0)
        spread = float(answers[0, good].std()) if good.any() else 0.0
        if spread > 0:
            moved = np.abs(answers[at, good] - answers[0, good])
            flips = None if classes is None else int((classes[at, good] != classes[0, good]).sum())
            median = float(np.median(moved)) / (spread if task.kind == "regression" else 1.0)
            found.append(Changed(amount, int(good.sum()), float(moved.mean()) / spread, median, flips))
    return tuple(found)


def changed_by_flux(extraction: Extraction, task: Task) -> tuple[Changed, ...]:
    """Return what half and double brightness do to the answers of a checkpoint; nothing where not measured."""
    stress = extraction.stress()
    return () if stress is None or stress.absent else changes(stress, task, "flux", ("0.5", "2"))
