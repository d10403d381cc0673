"""The arrays of a checkpoint in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reportgen.diagnostics.matrices import Kind, as_matrix
from reportgen.diagnostics.normalisation import NormHealth, norm_health
from reportgen.diagnostics.redundancy import Redundancy, redundancy
from reportgen.diagnostics.spectra import Spectrum, spectrum
from reportgen.diagnostics.weights import ArrayHealth, array_health
from reportgen.extraction import Extraction, Layer


@dataclass(frozen=True)
class Weighed:
    """One array of one layer at one checkpoint."""

    layer: str
    variable: str
    shape: tuple[int, ...]
    health: ArrayHealth
    kind: Kind | None
    """How it is flattened to a matrix; None for a vector, which has neither spectrum nor filters."""
    spectrum: Spectrum | None
    redundancy: Redundancy | None

    @property
    def name(self) -> str:
        """The layer's name, with the array's where that is not simply its kernel."""
        return self.layer if self.variable == "kernel" else f"{self.layer} {self.variable}"


@dataclass(frozen=True)
class Normalised:
    """One batch normalisation at one checkpoint."""

    layer: str
    epsilon: float
    health: NormHealth


def weigh(extraction: Extraction, largest: int) -> tuple[tuple[Weighed, ...], tuple[Normalised, ...]]:
    """Return every floating array and every batch normalisation of a checkpoint, in the order of its file.

    Spectra are computed of matrices with at most `largest` numbers.
    """
    rows: list[Weighed] = []
    norms: list[Normalised] = []
    for name in extraction.weighted:
        layer = layer_of(extraction, name)
        arrays = {key: a for key, a in extraction.arrays(name).items() if np.issubdtype(a.dtype, np.floating)}
        class_name, config = (layer.class_name, layer.config) if layer else ("", {})
        for key, array in arrays.items():
            matrix = as_matrix(key, array, class_name, config)
            rows.append(
                Weighed(
                    name, key, array.shape, array_health(array), matrix.kind if matrix else None,
                    spectrum(matrix.values, largest) if matrix else None, redundancy(matrix) if matrix else None,
                )
            )  # fmt: skip
        epsilon = float(config.get("epsilon") or 1e-3)
        channels = layer.output_shape[-1] if layer and layer.output_shape else None
        if "BatchNormalization" in class_name or "moving_variance" in arrays:
            found = norm_health(arrays, epsilon, channels)
            norms += [Normalised(name, epsilon, found)] if found else []
    return tuple(rows), tuple(norms)


def layer_of(extraction: Extraction, weights: str) -> Layer | None:
    """Return the first call that uses some stored arrays; None where the network could not be rebuilt."""
    return next((layer for layer in extraction.layers if layer.weights == weights), None)
