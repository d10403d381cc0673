"""Do the maps depend on the weights? The cascade of Adebayo et al. 2018 (arXiv:1810.03292)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.attribution import rank_similarity, structural_similarity
from reportgen.errors import NetworkError
from reportgen.network.attribute import SEED, Case, Explained, attribute
from reportgen.network.plan import Sizes
from reportgen.network.view import Floats, View


@dataclass(frozen=True)
class Cascade:
    """Similarity of the maps to those of the network with its layers randomised from the top down."""

    stages: tuple[int, ...]
    """How many layers, counted from the top, are randomised at each stage; all at the last."""
    spearman: dict[str, Floats]
    """By method, `(stage, image)`."""
    signed: dict[str, Floats]
    """Likewise, of the maps with their signs; of the methods that have any."""
    ssim: dict[str, Floats]


NOTHING = Cascade((), {}, {}, {})
SIGNED = ("integrated", "occlusion")


def cascade(view: View, case: Case, original: Explained, sizes: Sizes) -> Cascade:
    """Compare maps under randomised weights with the original ones; the weights are put back bit by bit.

    An array of two axes or more is drawn anew from a normal distribution of its own root mean square about zero, a
    vector (bias, moving statistics) is permuted; both seeded by the layer's place.
    """
    layers = view.variables
    count = len(layers)
    stages = tuple(sorted({max(1, round(k)) for k in np.linspace(1, count, min(sizes.stages, count))})) if count else ()
    kept = [[read(variable) for variable in layer] for layer in layers]
    spearman: dict[str, list[Floats]] = {name: [] for name in original.maps}
    signed: dict[str, list[Floats]] = {name: [] for name in SIGNED if name in original.maps}
    ssim: dict[str, list[Floats]] = {name: [] for name in original.maps}
    done = 0
    try:
        for stage in stages:
            while done < stage:
                place = count - 1 - done
                for k, variable in enumerate(layers[place]):
                    variable.assign(randomised(kept[place][k], (SEED, 4, place, k)))
                done += 1
            maps = attribute(view, case, sizes).maps
            for name, before in original.maps.items():
                spearman[name].append(rank_similarity(before, maps[name]))
                if name in signed:
                    signed[name].append(rank_similarity(before, maps[name], signed=True))
                ssim[name].append(structural_similarity(before, maps[name]))
    finally:
        for layer, values in zip(layers, kept, strict=True):
            for variable, value in zip(layer, values, strict=True):
                variable.assign(value)
    _check(layers, kept)
    if not stages:
        return NOTHING
    return Cascade(stages, *({name: np.stack(s) for name, s in found.items()} for found in (spearman, signed, ssim)))


def randomised(values: NDArray[np.generic], seed: tuple[int, ...]) -> NDArray[np.generic]:
    """Return an array of the same shape, type and size of its numbers that remembers nothing of it."""
    rng = np.random.default_rng(seed)
    if not np.issubdtype(values.dtype, np.floating):
        return values
    if values.ndim < 2:
        return rng.permutation(values)
    size = float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
    return np.asarray(rng.normal(0, size, values.shape)).astype(values.dtype)


def read(variable: Any) -> NDArray[np.generic]:
    """Return a copy of a variable's numbers."""
    from keras import ops

    return np.array(ops.convert_to_numpy(variable), copy=True)


def _check(layers: tuple[tuple[Any, ...], ...], kept: list[list[NDArray[np.generic]]]) -> None:
    for layer, values in zip(layers, kept, strict=True):
        for variable, value in zip(layer, values, strict=True):
            if read(variable).tobytes() != value.tobytes():
                raise NetworkError("the weights could not be put back after the sanity check", where=str(variable.name))
