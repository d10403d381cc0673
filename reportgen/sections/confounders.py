"""The numbers a channel might follow in place of the class: catalogue columns and what can be measured on a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.morphology import Morphology, available, measure, noiseless
from reportgen.extraction import ExtractedRun
from reportgen.figures.stretch import shrink

MEASURED = {
    "flux": "total flux", "noise": "noise", "area": "area of the source", "concentration": "concentration",
    "asymmetry": "asymmetry", "gini": "Gini", "m20": "M20",
}  # fmt: skip
"""Field of Morphology → what it is called."""
LEAST = 5
"""Probes with a value below which a column is left out."""


@dataclass(frozen=True)
class Column:
    """One number a probe, `(probe,)`; NaN where it is not known."""

    name: str
    source: Literal["catalogue", "measured"]
    values: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Probes it is known of."""
        return int(np.isfinite(self.values).sum())


def columns(run: ExtractedRun, most: int) -> tuple[Column, ...]:
    """Return the numeric columns of the catalogue, brightness and noise, and morphology of at most `most` probes.

    Measured on the mean of the bands of the pictures as read. What varies over fewer than LEAST probes is left out.
    """
    found = [*_catalogue(run), *_measured(run, most)]
    return tuple(c for c in found if c.n >= LEAST and np.nanmin(c.values) < np.nanmax(c.values))


def without_morphology(most: int) -> str:
    """Return why concentration, asymmetry, Gini and M20 are not among the columns; empty where they are."""
    if not most:
        return "switched off"
    return "" if available() else "statmorph is not installed (pip install 'reportgen[morphology]')"


def _catalogue(run: ExtractedRun) -> list[Column]:
    probes = run.probes.probes
    meant = {run.config.probes.columns.object, run.config.probes.columns.trained}
    names = dict.fromkeys(name for probe in probes for name in probe.metadata if name not in meant)
    table = ((name, [_number(probe.metadata.get(name, "")) for probe in probes]) for name in names)
    return [Column(name, "catalogue", np.array(values, np.float64)) for name, values in table]


def _number(text: str) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return float("nan")
    return value if np.isfinite(value) else float("nan")


def _measured(run: ExtractedRun, most: int) -> list[Column]:
    images = run.probes.images
    chosen = {round(i * (len(images) - 1) / max(1, most - 1)) for i in range(min(most, len(images)))}
    if len(images) <= most:
        chosen = set(range(len(images)))
    rows: list[Morphology] = []
    for i, image in enumerate(images):
        mean = image.astype(np.float32).mean(axis=-1, keepdims=True)
        smaller = shrink(mean, 160)[..., 0]
        found = measure(smaller, shape=i in chosen)
        if noiseless(mean):
            found = replace(found, noise=float("nan"))
        # As bright as before it was made smaller, each pixel the mean of those it covers.
        rows.append(replace(found, flux=found.flux * mean.size / smaller.size))
    silent = sum(np.isnan(r.noise) for r in rows)
    return [
        Column(word, "measured", np.array([getattr(r, field) for r in rows], np.float64))
        for field, word in MEASURED.items()
        # Where most skies have none, what is left is debris, and compares those pictures alone.
        if field != "noise" or silent <= len(rows) / 2
    ]
