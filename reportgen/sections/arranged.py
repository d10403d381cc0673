"""How a layer arranges the probes, from what is stored of it: all its maps, or its Gram matrix of some probes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics import similarity
from reportgen.extraction import Extraction


def comparable(extractions: Sequence[Extraction]) -> list[int]:
    """Return the probes by which layers of all these can be compared, rising."""
    common = set.intersection(*(set(e.compared) for e in extractions)) if extractions else set()
    return sorted(common)


def is_known(extraction: Extraction, layer: str) -> bool:
    """Whether how a layer arranges the probes is stored: of normalisations only where all maps are."""
    return extraction.whole or len(extraction.shape(layer)) == 2 or extraction.gram(layer) is not None


def gram(extraction: Extraction, layer: str, probes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the Gram matrix of a layer's features, each centred over some of the comparable probes."""
    if extraction.whole:
        return similarity.gram(extraction.maps(layer)[probes])
    stored = extraction.gram(layer)
    if stored is None:  # a vector, whose values are known of all probes: the extremes of one number are that number
        return similarity.gram(extraction.channels(layer).minimum[probes])
    places = np.searchsorted(extraction.compared, probes)
    part = stored[np.ix_(places, places)]
    # Centred over all comparable probes until here.
    part = part - part.mean(axis=0)
    return np.asarray(part - part.mean(axis=1, keepdims=True))


def features(extraction: Extraction, layer: str) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Return places of probes and their features in a layer, `(probe, feature)`; rows that are not finite are NaN.

    Where only its Gram matrix is stored, the coordinates of the probes on its principal axes: their distances, and
    with them components and neighbours, are those of the features.
    """
    every = np.arange(extraction.shape(layer)[0])
    if extraction.whole:
        return every, extraction.maps(layer).reshape(len(every), -1)
    if len(extraction.shape(layer)) == 2:
        return every, extraction.channels(layer).minimum
    places = np.array(extraction.compared if is_known(extraction, layer) else (), np.intp)
    channels = extraction.channels(layer)
    finite = np.isfinite(channels.minimum[places]).all(axis=1) & np.isfinite(channels.maximum[places]).all(axis=1)
    found = np.full((len(places), int(finite.sum())), np.nan)
    if finite.any():
        found[finite] = _coordinates(gram(extraction, layer, places[finite]))
    return places, found


def _coordinates(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    values, axes = np.linalg.eigh((centred + centred.T) / 2)
    order = np.argsort(-values, kind="stable")
    found = axes[:, order] * np.sqrt(np.maximum(values[order], 0))
    signs = np.sign(found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])])
    return np.asarray(found * np.where(signs == 0, 1, signs))
