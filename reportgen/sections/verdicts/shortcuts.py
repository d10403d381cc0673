"""What changed pictures and deciding pixels say: whether the network goes by what a galaxy is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.config.verdicts import (
    AttributionOffGalaxy,
    BandDominated,
    FluxDriven,
    NoiseSensitive,
    OrientationDependent,
)
from reportgen.diagnostics.attribution import Spot
from reportgen.sections.section import Check, Judged, Unjudged
from reportgen.sections.verdicts.grade import ORDER, above

SURE = 0.01
"""p-value above which a correlation with flux is no evidence."""
PER_PIXEL = 0.5
"""Attribution of a pixel off the galaxy against one on it, below which the fraction off it is only a matter of area."""


def orientation_dependent(
    answers: NDArray[np.floating], probabilities: bool, limits: OrientationDependent,
    classes: NDArray[np.int_] | None = None,
) -> Judged:  # fmt: skip
    """Judge how much of the variance of the answers `(orientation, probe)` comes from turning and mirroring.

    Within-probe over total variance: one minus the intraclass correlation in its simplest form. A span that does not
    matter (of probabilities; else in standard deviations of the mean answers) makes it a pass. `classes` are those
    given, `(orientation, probe)`, for the sentence.
    """
    a = np.asarray(answers, np.float64)
    good = np.isfinite(a).all(axis=0)
    a = a[:, good]
    if a.shape[1] < limits.least or len(a) < 2:
        few = f"{a.shape[1]} probes with finite answers in all orientations are fewer than {limits.least}"
        return Unjudged("orientation_dependent", few)
    within, between = float(a.var(axis=0).mean()), float(a.mean(axis=0).var())
    value = within / (within + between) if within + between > 0 else 0.0
    spans = np.ptp(a, axis=0)
    span = float(np.median(spans))
    turned = None if classes is None else int((classes[:, good] != classes[0, good]).any(axis=0).sum())
    scale = 1.0 if probabilities else float(np.sqrt(within + between)) or 1.0
    status, threshold = above(value, limits.warn, limits.fail)
    small = span < limits.span * scale
    facts = {
        "n": a.shape[1], "orientations": len(a), "span": span, "probabilities": probabilities, "small": small,
        "largest": float(spans.max()), "flips": turned,
    }  # fmt: skip
    return Check("orientation_dependent", "pass" if small else status, value, threshold, facts)


def attribution_off_galaxy(
    off: Sequence[float], off_area: Sequence[float], border: Sequence[float], border_area: float,
    spot: Spot | None, sky: NDArray[np.floating] | None, words: Mapping[str, Any], limits: AttributionOffGalaxy,
) -> Judged:  # fmt: skip
    """Judge where the deciding pixels are, from one number a probe.

    `off` is the fraction of |attribution| on what is neither galaxy nor its outskirts, `off_area` the fraction of
    pixels there, `border` the fraction of |attribution| on the stamp's border, which has `border_area` of all pixels,
    `spot` the window that holds most of the attribution at one place, off the galaxies, in the probes of one answer,
    `sky` how far the sky of another probe moves each answer, None where not measured: attributions against a picture
    of the sky cannot see that the sky itself is used. Probes without a galaxy, or whose map is all zero (NaN), are
    left out. `words` go to the sentence: the method, how it fared in the sanity check, by how much galaxies are grown.
    """
    f, area, b = (np.asarray(x, np.float64) for x in (off, off_area, border))
    good = np.isfinite(f) & np.isfinite(b) & (area < 1)
    if good.sum() < limits.least:
        few = f"{int(good.sum())} probes with a galaxy and a map ({words['method']}) are fewer than {limits.least}"
        return Unjudged("attribution_off_galaxy", few)
    f, area, b = f[good], area[good], b[good]
    on = (1 - f) / (1 - area)
    with np.errstate(divide="ignore", invalid="ignore"):
        density = np.where(area > 0, f / np.maximum(area, 1e-12), 0.0) / np.maximum(on, 1e-12)
    value, per_pixel, edge = float(np.median(f)), float(np.median(density)), float(np.median(b))
    status, threshold = above(value, limits.warn, limits.fail)
    if per_pixel < PER_PIXEL:
        status = "pass"
    beside = edge / border_area if border_area > 0 else 0.0
    moved = float(np.median(sky)) if sky is not None and len(sky) >= limits.least else None
    where = "everywhere"
    if status == "pass":
        if spot is not None and limits.spot is not None and spot.share > limits.spot:
            where = "spot"
        elif limits.border is not None and beside > limits.border:
            where = "border"
        elif moved is not None and limits.sky is not None and moved > limits.sky:
            where = "sky"
    facts = {
        **words, "n": int(good.sum()), "area": float(np.median(area)), "per_pixel": per_pixel, "border": edge,
        "border_area": border_area, "where": where, "spot": None if spot is None else asdict(spot), "sky": moved,
        "sky_n": 0 if sky is None else len(sky), "warn": limits.warn,
    }  # fmt: skip
    if where == "spot" and spot is not None:
        return Check("attribution_off_galaxy", "warn", spot.share, limits.spot, facts)
    if where == "border":
        return Check("attribution_off_galaxy", "warn", beside, limits.border, facts)
    if where == "sky":
        return Check("attribution_off_galaxy", "warn", moved, limits.sky, facts)
    return Check("attribution_off_galaxy", status, value, threshold, facts)


def band_dominated(
    answers: NDArray[np.floating], blanked: dict[str, NDArray[np.floating]], probabilities: bool, limits: BandDominated
) -> Judged:
    """Judge the band whose blanking changes the answers `(probe,)` most, against what blanking every band does."""
    if len(blanked) < 2:
        return Unjudged("band_dominated", "the images have one band")
    names = list(blanked)
    changed = np.array([np.asarray(blanked[name], np.float64) for name in names])
    a = np.asarray(answers, np.float64)
    good = np.isfinite(a) & np.isfinite(changed).all(axis=0)
    if good.sum() < limits.least:
        return Unjudged("band_dominated", f"{int(good.sum())} probes with finite answers are fewer than {limits.least}")
    effects = np.abs(changed[:, good] - a[good]).mean(axis=1)
    scale = 1.0 if probabilities else float(a[good].std()) or 1.0
    strongest = int(effects.argmax())
    if effects[strongest] < limits.effect * scale:
        return Unjudged("band_dominated", "blanking any band changes the answers too little to tell")
    value = float(effects[strongest] / effects.sum())
    status, threshold = above(value, limits.warn, limits.fail)
    facts = {
        "band": names[strongest], "bands": len(names), "n": int(good.sum()), "effect": float(effects[strongest]),
        "median": float(np.median(np.abs(changed[strongest, good] - a[good]))),
        "effects": {name: float(e) for name, e in zip(names, effects, strict=True)},
    }  # fmt: skip
    return Check("band_dominated", status, value, threshold, facts)


@dataclass(frozen=True)
class Changed:
    """What one change of the pictures does to the answers."""

    amount: str
    n: int
    """Probes with finite answers to both."""
    mean: float
    """Mean change of the answers, in standard deviations of the answers; of probabilities as well."""
    median: float
    """Median change: of probabilities; of other outputs in standard deviations of the answers."""
    flips: int | None
    """Probes that get another class; None for a regression."""


def flux_driven(
    rho: float | None, p: float | None, n: int, known: str, changes: Sequence[Changed], limits: FluxDriven
) -> Judged:
    """Judge the partial rank correlation of answers with total flux, label or target taken out, and their change.

    `known` is what was taken out (label, target or nothing), `changes` what halving and doubling the brightness of
    the same galaxies does; empty where that was not measured. The change is also judged where a correlation of so few
    probes says nothing, and where there is no single answer to correlate.
    """
    several = [c for c in changes if c.n >= limits.changed]
    moved = float(np.mean([c.mean for c in changes])) if changes else None
    worst = max(several, key=lambda c: (c.flips or 0) / c.n if c.flips is not None else c.mean, default=None)
    facts: dict[str, Any] = {
        "n": n, "rho": rho, "p": p, "known": known, "moved": moved, "by": "rho",
        "worst": None if worst is None else asdict(worst),
    }  # fmt: skip
    change: Check | None = None
    if worst is not None:
        value, bound = (worst.mean, limits.change) if worst.flips is None else (worst.flips / worst.n, limits.flips)
        status, threshold = above(value, bound)
        change = Check("flux_driven", status, value, threshold, facts | {"by": "change"})
    if n < limits.least or rho is None or p is None:
        few = f"{n} probes with an answer and a flux are fewer than {limits.least}"
        flat = "answers or fluxes do not vary beyond what the labels say"
        return change or Unjudged("flux_driven", few if n < limits.least else flat)
    status, threshold = above(abs(rho), limits.warn, limits.fail)
    if p > SURE or (moved is not None and moved < limits.effect):
        status = "pass"
    found = Check("flux_driven", status, abs(rho), threshold, facts)
    return change if change and ORDER[change.status] < ORDER[status] else found


def noise_sensitive(changes: Sequence[Changed], quiet: int, limits: NoiseSensitive) -> Judged:
    """Judge what as much noise again as the sky has does to the answers; `changes` are by its strength [σ].

    `quiet` probes have a sky without noise, and got a hundredth of their range.
    """
    one = next((c for c in changes if c.amount == "1"), None)
    if one is None or one.n < limits.least:
        n = one.n if one else 0
        few = "at this depth no noise was added" if one is None else f"{n} probes are fewer than {limits.least}"
        return Unjudged("noise_sensitive", few)
    # The median of sure probabilities stays where it is while a quarter of the probes changes sides.
    value, bound = (one.median, limits.deviations) if one.flips is None else (one.flips / one.n, limits.flips)
    status, threshold = above(value, bound)
    facts = {"one": asdict(one), "most": asdict(changes[-1]), "regression": one.flips is None, "quiet": quiet}
    return Check("noise_sensitive", status, value, threshold, facts)
