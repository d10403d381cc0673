"""What needs the network beside plain activations: attributions of a few probes, and answers to changed probes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SKY, GALAXY, OUTSKIRTS, OTHER = 0, 1, 2, 3
"""Codes in `Attribution.regions`."""


@dataclass(frozen=True)
class Attribution:
    """Which pixels made the answers of one checkpoint, for the chosen probes; `absent` says why there are none."""

    absent: str = ""
    probes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Places in the probe set, `(chosen,)`, rising."""
    of: int = 0
    """Probes they were chosen from."""
    fixed: int = 0
    """How many of them are the same at every checkpoint; the others were chosen by this checkpoint's answers."""
    explained: str = ""
    """What score s is explained: output, signed, contrast, largest; the templates have the words."""
    weighting: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """s is the sum of these times the scores before the last activation function, `(chosen, unit)`."""
    score: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """s of each, `(chosen,)`."""
    baseline: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """s of an image that is everywhere the probe's own sky median, band by band, `(chosen,)`."""
    layer: str = ""
    """Layer of the CAMs; empty where there is none."""
    maps: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """By method: gradient, smooth_grad, integrated `(chosen, y, x)`, occlusion `(chosen, row, column)` on its grid,
    grad_cam, layer_cam `(chosen, y, x)` at the layer's own resolution. integrated and occlusion are signed."""
    bands: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """Integrated gradients of each band: sum of magnitudes, `(chosen, channel)`."""
    completeness: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """Sum of the integrated gradients minus (s of the probe − s of the baseline), `(chosen,)`."""
    regions: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 0), np.uint8))
    """SKY, GALAXY, OUTSKIRTS or OTHER of each pixel, `(chosen, y, x)`."""
    settings: dict[str, float] = field(default_factory=dict)
    """smooth_n, smooth_sd [fraction of the range], steps, patch [pixel], stride [pixel], seed."""
    stages: tuple[int, ...] = ()
    """Layers with weights that are randomised at each stage of the sanity check, counted from the top."""
    weighted: int = 0
    """Layers with weights."""
    checked: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Places in the probe set of the probes the sanity check used."""
    spearman: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """By method, `(stage, checked)`: rank correlation of |map| with the original; NaN where one does not vary."""
    signed: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """The same with signs, of integrated and occlusion."""
    ssim: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """By method, `(stage, checked)`: structural similarity of the |map|s, each divided by its largest value."""
    notes: tuple[str, ...] = ()
    """What was left out, and why; a sentence each."""


@dataclass(frozen=True)
class Stress:
    """What one checkpoint answers to changed pictures of the chosen probes; `absent` says why there is nothing."""

    absent: str = ""
    probes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Places in the probe set, `(chosen,)`, rising."""
    of: int = 0
    kinds: tuple[str, ...] = ()
    """Of each variant: orientation, shift, noise, blur, band, flux, sky, galaxy. The first is the probe itself."""
    amounts: tuple[str, ...] = ()
    """Of each variant: rot90, 2, g, …; variants of the same kind and amount belong together."""
    predictions: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    """`(variant, chosen, unit)`"""
    found: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Whether a galaxy was found in the picture, `(chosen,)`; sky and galaxy mean nothing where not."""
    settings: dict[str, float] = field(default_factory=dict)
    """seed; quiet: probes whose sky has no noise, to which a hundredth of their range was added instead."""
    notes: tuple[str, ...] = ()
