"""How much a probe wakes the last layer with maps, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.responses import own_layers


@dataclass(frozen=True)
class Answering:
    """What one probe does to the last layer with maps of its own."""

    probe: str
    layer: str
    of: int
    """Channels."""
    stronger: int
    """Channels whose mean activation is larger than on the median probe; half of them by chance."""
    strongest: int
    """Channel with the largest mean |activation|."""
    mean: float
    """Its mean activation."""
    times: float | None
    """Mean |activation| of the layer against that of the median probe; None where that is zero."""


def answering(run: ExtractedRun, extraction: Extraction, probes: Sequence[int]) -> tuple[Answering, ...]:
    """Return what each probe does to the last layer with maps; none without such a layer."""
    layers = [layer for layer in own_layers(extraction) if len(extraction.shape(layer.name)) == 4]
    if not layers:
        return ()
    layer = layers[-1]
    channels = extraction.channels(layer.name)
    strength = np.nan_to_num(np.abs(channels.mean.astype(np.float64)))
    usual = np.median(np.nan_to_num(channels.mean.astype(np.float64)), axis=0)
    whole = strength.mean(axis=1)
    middle = float(np.median(whole))
    rows = []
    for p in probes:
        best = int(strength[p].argmax())
        stronger = int((channels.mean[p] > usual).sum())
        rows.append(
            Answering(
                run.probes.probes[p].id, layer.name, strength.shape[1], stronger, best, float(channels.mean[p, best]),
                float(whole[p]) / middle if middle > 0 else None,
            )
        )  # fmt: skip
    return tuple(rows)
