"""How far one gets without looking at shapes: a linear fit on global statistics of the pixels.

What it gets right a network may get right without having learnt anything of tails and bridges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.demo.dataset import Dataset

PERCENTILES = (1, 5, 25, 50, 75, 90, 95, 99)
PENALTY = 1.0
"""Of the ridge, on standardised statistics."""


def pixel_statistics(images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return mean, standard deviation and percentiles of each band of `(image, y, x, band)`: `(image, statistic)`."""
    pixels = np.sort(np.moveaxis(images, -1, 1).reshape(len(images), images.shape[-1], -1), axis=-1)
    ranks = np.array(PERCENTILES) * (pixels.shape[-1] - 1) // 100
    columns = [pixels.mean(-1), pixels.std(-1), *np.moveaxis(pixels[..., ranks], -1, 0)]
    return np.concatenate(columns, axis=1).astype(np.float64)


def ridge_predict(
    known: NDArray[np.float64], target: NDArray[np.floating], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit a ridge regression to `known` `(image, statistic)` and return what it says of `asked`."""
    mean, spread = known.mean(0), known.std(0) + 1e-12
    x, middle = (known - mean) / spread, float(target.mean())
    weights = np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ (target - middle))
    return np.asarray((asked - mean) / spread @ weights + middle)


@dataclass(frozen=True)
class Baseline:
    """What the fit gets on held-out pictures."""

    accuracy: float
    """Fraction of them whose class it says rightly."""
    error: float
    """Mean squared error of the tail strength."""


def fit_baseline(train: Dataset, held_out: Dataset) -> Baseline:
    """Fit class and tail strength to the pixel statistics of one set of pictures and try it on another."""
    known, asked = pixel_statistics(train.inputs), pixel_statistics(held_out.inputs)
    merger = ridge_predict(known, train.merger, asked) > 0.5
    target = ridge_predict(known, train.target, asked).clip(0, 1)
    return Baseline(float((merger == (held_out.merger > 0.5)).mean()), float(((target - held_out.target) ** 2).mean()))
