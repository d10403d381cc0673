"""Representations in two dimensions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Method = Literal["umap", "tsne"]


@dataclass(frozen=True)
class Components:
    """Principal components of a representation."""

    scores: NDArray[np.float64]
    """`(probe, component)`."""
    shares: tuple[float, ...]
    """Fraction of the variance of each component, of all there are."""


def principal_components(features: NDArray[np.floating], count: int = 2) -> Components | None:
    """Return the first principal components of `(probe, …)` features; None where nothing varies.

    Pearson 1901, by singular values of the centred features, which are not scaled. The sign is free: here the
    loading with the largest absolute value is positive, so that the picture does not flip from run to run.
    """
    flat = features.reshape(len(features), -1).astype(np.float64)
    centred = flat - flat.mean(axis=0)
    if len(flat) < 2 or not np.isfinite(centred).all() or not centred.any():
        return None
    u, s, v = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(v).argmax(axis=1)
    signs = np.where(v[np.arange(len(v)), largest] < 0, -1.0, 1.0)
    scores = np.zeros((len(flat), count))
    kept = min(count, len(s))
    scores[:, :kept] = (u * s * signs)[:, :kept]
    shares = (s**2 / (s**2).sum())[: len(flat) - 1]  # centred points span one dimension less than they are
    return Components(scores, tuple(float(x) for x in shares))


def embed(features: NDArray[np.floating], method: Method, seed: int) -> NDArray[np.float64]:
    """Return `(probe, 2)` places by UMAP (McInnes 2018, arXiv:1802.03426) or t-SNE (van der Maaten and Hinton 2008).

    Distances between far points and sizes of groups mean little in either. Raises ImportError without the library.
    """
    flat = features.reshape(len(features), -1).astype(np.float64)
    n = len(flat)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # UMAP warns that a seed costs it its threads
        if method == "umap":
            from umap import UMAP

            made = UMAP(n_neighbors=min(15, n - 1), random_state=seed, n_jobs=1, init="pca" if n < 20 else "spectral")
        else:
            from sklearn.manifold import TSNE

            made = TSNE(perplexity=max(1.0, min(30.0, (n - 1) / 3)), random_state=seed, init="pca")
        return np.asarray(made.fit_transform(flat), np.float64)
