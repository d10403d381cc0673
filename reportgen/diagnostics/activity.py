"""Channels over the whole probe set: dead, constant, dormant, sparse and saturated, told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.channels import EPSILON, State, channel_states

DORMANT = 0.025
"""Score below which a channel is dormant (Sokar et al. 2023, arXiv:2302.12902, τ)."""
SPARSE = 0.9
"""Fraction of exact zeros above which a channel is called sparse (Hu et al. 2016, arXiv:1607.03250, look for the
largest ones; the cut is ours)."""
SATURATED = 0.9
"""Fraction of saturated values above which a channel is called saturated; the cut is ours."""


@dataclass(frozen=True)
class Activity:
    """The channels of one layer over the probe set, at one checkpoint; a state lists numbers of channels."""

    channels: int
    probes: int
    dead: tuple[int, ...] | None
    """The largest activation over probes and pixels is not above `threshold` (Lu et al. 2019, arXiv:1903.06733); None
    where the output is not rectified and zero is a value like any other."""
    constant: tuple[int, ...]
    """Largest and smallest activation are equal within `threshold`, and the channel is not dead."""
    dormant: tuple[int, ...]
    """Mean |activation| is at most DORMANT of the layer's mean (Sokar et al. 2023), and it is neither dead nor
    constant: it fires, and too little to matter beside the others."""
    sparse: tuple[int, ...] | None
    """More than SPARSE of its values are exactly zero, and it is not dead; None where not rectified."""
    saturated: tuple[int, ...] | None
    """More than SATURATED of its values lie where the function is flat; None where it has no such place."""
    not_finite: tuple[int, ...]
    apoz: float | None
    """Average percentage of zeros of the layer, as a fraction; None where not rectified. Half is normal."""
    saturation: float | None
    """Fraction of the layer's values where its function is flat; None where it has no such place."""
    largest: float | None
    """Largest magnitude of a finite channel; None without any."""
    threshold: float | None
    """What counts as zero: EPSILON times the largest magnitude."""


def activity(
    minimum: NDArray[np.floating],
    maximum: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    zeros: NDArray[np.floating],
    saturated: NDArray[np.floating] | None,
    rectified: bool,
) -> Activity:
    """Return the state of each channel from statistics `(probe, channel)`.

    `magnitude` is the mean of |activation|, `saturated` the fraction of values where the function is flat or None.
    """
    states = channel_states(minimum, maximum, rectified)
    probes, count = maximum.shape
    finite = np.array([s != "not finite" for s in states], bool)
    reach = np.maximum(np.abs(minimum), np.abs(maximum))[:, finite]
    largest = float(reach.max()) if reach.size else None
    idle = np.array([s != "" for s in states], bool)
    scores = dormancy(magnitude)
    share = zeros.mean(axis=0)
    flat = None if saturated is None else saturated.mean(axis=0)
    return Activity(
        channels=count,
        probes=probes,
        dead=_which(states, "dead") if rectified else None,
        constant=_which(states, "constant"),
        dormant=_indices((scores <= DORMANT) & ~idle),
        sparse=_indices((share > SPARSE) & ~idle) if rectified else None,
        saturated=None if flat is None else _indices((flat > SATURATED) & ~idle),
        not_finite=_which(states, "not finite"),
        apoz=float(share[finite].mean()) if rectified and finite.any() else None,
        saturation=None if flat is None or not finite.any() else float(flat[finite].mean()),
        largest=largest,
        threshold=None if largest is None else EPSILON * largest,
    )


def dormancy(magnitude: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return each channel's mean |h| over the layer's, from means `(probe, channel)`; 1 is an average channel.

    Sokar et al. 2023 (arXiv:2302.12902), equation 1. Of a layer that is all zero every score is zero; a channel that
    is not finite has NaN and is left out of the layer's mean.
    """
    means = magnitude.mean(axis=0, dtype=np.float64)
    finite = np.isfinite(means)
    layer = float(means[finite].mean()) if finite.any() else 0.0
    scores = means / layer if layer > 0 else np.zeros_like(means)
    return np.where(finite, scores, np.nan)


@dataclass(frozen=True)
class ClassActivity:
    """What the channels of a rectified layer do on the probes of one class."""

    name: str
    probes: int
    silent: tuple[int, ...]
    """Zero on every probe of this class, and not dead."""
    only: tuple[int, ...]
    """Above zero on this class's probes alone."""


def by_class(maximum: NDArray[np.floating], labels: Sequence[str | None]) -> tuple[ClassActivity, ...]:
    """Return, for each label, the channels that are silent on it and those that fire on it alone.

    `maximum` is `(probe, channel)` of a rectified layer; probes without a label are left out.
    """
    finite = np.isfinite(maximum).all(axis=0)
    scale = float(maximum[:, finite].max(initial=0.0))
    fires = (maximum > EPSILON * scale) & finite
    names = sorted({label for label in labels if label})
    of = {name: np.array([label == name for label in labels], bool) for name in names}
    on = {name: fires[chosen].any(axis=0) for name, chosen in of.items()}
    found = []
    for name in names:
        others = np.any([on[other] for other in names if other != name], axis=0) if len(names) > 1 else None
        silent = ~on[name] & finite & fires.any(axis=0)
        only = on[name] & ~others if others is not None else np.zeros(len(finite), bool)
        found.append(ClassActivity(name, int(of[name].sum()), _indices(silent), _indices(only)))
    return tuple(found)


@dataclass(frozen=True)
class Death:
    """A channel that is dead at the last checkpoint."""

    channel: int
    since: int
    """Index of the checkpoint from which on it has been dead."""
    always: bool
    """Whether it was dead already at the first checkpoint: when it died, or whether it ever lived, is not known."""


def deaths(dead: Sequence[Sequence[int]]) -> tuple[Death, ...]:
    """Return when each channel died for good, from the dead channels at each checkpoint in training order."""
    found = []
    for channel in sorted(dead[-1]) if dead else ():
        since = len(dead) - 1
        while since > 0 and channel in dead[since - 1]:
            since -= 1
        found.append(Death(channel, since, since == 0))
    return tuple(found)


@dataclass(frozen=True)
class Participation:
    """In how many directions the probes differ, as a layer sees them."""

    ratio: float | None
    """(Σλ)² / Σλ², λ the eigenvalues of the covariance of the channels' means (Gao et al. 2017,
    doi:10.1101/214262)."""
    probes: int
    most: int
    """The smaller of probes − 1 and channels: it cannot be larger, and with few probes is well below the truth."""
    problem: str


def participation(means: NDArray[np.floating]) -> Participation:
    """Return the participation ratio of `(probe, channel)`."""
    n = len(means)
    finite = np.isfinite(means).all(axis=0)
    values = np.asarray(means[:, finite], np.float64)
    most = min(n - 1, int(finite.sum()))
    if n < 3 or not finite.any():
        return Participation(None, n, max(most, 0), "fewer than three probes" if n < 3 else "no channel is finite")
    scale = float(np.abs(values).max())
    centred = (values - values.mean(axis=0)) / (scale or 1.0)
    eigenvalues = np.linalg.svd(centred, compute_uv=False) ** 2
    # What is left of equal numbers after their mean is taken away is rounding, no variance.
    if eigenvalues.sum() <= (np.finfo(np.float32).eps ** 2) * values.size:
        return Participation(None, n, most, "all probes look alike to it")
    return Participation(float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum()), n, most, "")


FLAT: Mapping[str, tuple[float, float]] = {
    "tanh": (-0.95, 0.95), "hard_tanh": (-0.95, 0.95), "softsign": (-0.95, 0.95), "sigmoid": (0.05, 0.95),
    "hard_sigmoid": (0.05, 0.95), "sparse_sigmoid": (0.05, 0.95),
}  # fmt: skip
"""Where a bounded function is steep enough to learn (Glorot and Bengio 2010, PMLR 9:249); beyond it is saturated."""


def _which(states: Sequence[State], state: State) -> tuple[int, ...]:
    return tuple(i for i, s in enumerate(states) if s == state)


def _indices(chosen: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(chosen).tolist())
