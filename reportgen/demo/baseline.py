"""How far one gets without looking at shapes: a linear fit on global statistics of the pixels.

What it gets right a network may get right without having learnt anything of tails and bridges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reportgen.demo.dataset import Dataset

PERCENTILES = (1, 5, 25, 50, 75, 90, 95, 99)
PENALTY = 1.0
"""Of the ridge, on standardised statistics."""


def pixel_statistics(images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return mean, standard deviation and percentiles of each band: `(image, statistic)`."""
    percentiles = np.percentile(images, PERCENTILES, axis=(1, 2))
    columns = [images.mean((1, 2)), images.std((1, 2)), *percentiles]
    return np.concatenate(columns, axis=1).astype(np.float64)


def ridge_predict(
    known: NDArray[np.float64], target: NDArray[np.floating], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit a ridge regression to `known` `(image, statistic)` and return what it says of `asked`."""
    mean, spread = known.mean(0), known.std(0) + 1e-12
    x, middle = (known - mean) / spread, float(target.mean())
    weights = np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ (target - middle))
    return np.asarray((asked - mean) / spread @ weights + middle)


def baseline_accuracy(train: Dataset, held_out: Dataset) -> float:
    """Return the fraction of held-out pictures a ridge fit on their pixel statistics gives the right class."""
    said = ridge_predict(pixel_statistics(train.inputs), train.merger, pixel_statistics(held_out.inputs))
    return float(((said > 0.5) == (held_out.merger > 0.5)).mean())


def baseline_error(train: Dataset, held_out: Dataset) -> float:
    """Return the mean squared error of the same fit to the tail strength."""
    said = ridge_predict(pixel_statistics(train.inputs), train.target, pixel_statistics(held_out.inputs))
    return float(((np.clip(said, 0, 1) - held_out.target) ** 2).mean())
