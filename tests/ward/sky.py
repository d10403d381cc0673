"""Stamps of galaxies on noise in three bands, of shapes that a very small network learns to tell apart in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SIDE = 32
BANDS = ("g", "r", "i")
FAINT, BRIGHT = 250.0, 1500.0
"""Total counts of a galaxy in a band; the sky has mean 0 and standard deviation 1."""
SOFT, SCALE = 2.0, 0.5
"""What the networks see: SCALE * arcsinh(counts / SOFT)."""
SHAPES = ("single", "pair", "compact", "extended", "ring", "edge-on")


def draw(shapes: Sequence[str], rng: np.random.Generator, flux=None, angle=None, length=None) -> np.ndarray:
    """Return counts `(stamp, y, x, band)`: light, colour and position angle follow one law for all shapes.

    `flux` [counts], `angle` [radian] and the scale `length` [pixel] may be given, one a stamp.
    """
    n = len(shapes)
    flux = np.exp(rng.uniform(np.log(FAINT), np.log(BRIGHT), n)) if flux is None else flux
    angle = rng.uniform(0, np.pi, n) if angle is None else angle
    colour = rng.lognormal(0, 0.1, (n, 3))
    centre = rng.uniform(-1.5, 1.5, (n, 2))
    light = np.empty((n, SIDE, SIDE))
    asked = np.asarray(shapes)
    for shape in dict.fromkeys(shapes):
        rows = np.flatnonzero(asked == shape)
        light[rows] = _light(shape, centre[rows], angle[rows], rng, None if length is None else length[rows])
    counts = light[..., None] * (flux[:, None] * colour)[:, None, None]
    return (counts + rng.normal(0, 1, counts.shape)).astype(np.float32)


def _light(
    shape: str, centre: np.ndarray, angle: np.ndarray, rng: np.random.Generator, scale: np.ndarray | None
) -> np.ndarray:
    n = len(centre)
    if shape == "pair":
        apart = rng.uniform(2.4, 5.5, n)[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
        share = rng.uniform(0.35, 0.65, n)[:, None, None]
        turned = rng.uniform(0, np.pi, (2, n))
        first, second = (
            _disc(centre + sign * apart, rng.uniform(1.2, 2.0, n), rng.uniform(0.6, 1, n), turned[i])
            for i, sign in enumerate((1, -1))
        )
        return share * first + (1 - share) * second
    length, ratio = {
        "single": ((1.8, 3.2), (0.5, 1)), "compact": ((1.0, 1.9), (0.8, 1)), "extended": ((2.4, 4.0), (0.8, 1)),
        "edge-on": ((3.0, 4.0), (0.15, 0.2)), "ring": ((1.0, 1.4), (0.85, 1)),
    }[shape]  # fmt: skip
    drawn = rng.uniform(*length, n) if scale is None else scale
    return _disc(centre, drawn, rng.uniform(*ratio, n), angle, 7.0 if shape == "ring" else 0.0)


def _disc(
    centre: np.ndarray, length: np.ndarray, ratio: np.ndarray, angle: np.ndarray, radius: float = 0.0
) -> np.ndarray:
    """Return exponential discs of total light 1, `(stamp, y, x)`; with a radius, rings."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    dy, dx = y - centre[:, 0, None, None], x - centre[:, 1, None, None]
    sin, cos = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    along, across = dx * cos + dy * sin, (dy * cos - dx * sin) / ratio[:, None, None]
    light = np.exp(-np.abs(np.sqrt(along**2 + across**2 + 0.3) - radius) / length[:, None, None])
    return light / light.sum(axis=(1, 2), keepdims=True)


def seen(counts: np.ndarray) -> np.ndarray:
    """Return what the networks see; the configurations say the same in their steps."""
    return (SCALE * np.arcsinh(counts / SOFT)).astype(np.float32)


def orientations(images: np.ndarray) -> np.ndarray:
    """Return the eight orientations, `(orientation, stamp, y, x, band)`."""
    return np.stack([np.rot90(m, k, axes=(1, 2)) for m in (images, images[:, :, ::-1]) for k in range(4)])


def spread(counts: np.ndarray, answers: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return eight times the stamps, turned, dimmed, of another exposure, a quarter without one of the bands.

    A network trained on these has no reason to heed orientation, total light or one band alone.
    """
    many = np.concatenate(list(orientations(counts)))
    # Noise is not scaled: a fainter galaxy has the same sky.
    dimmed, gain = rng.uniform((0.6, 0.5), (1.0, 2.0), (len(many), 2)).T[..., None, None, None]
    many = (many * dimmed + rng.normal(0, 1, many.shape) * np.sqrt(1 - dimmed**2)) * gain
    blanked = np.flatnonzero(rng.random(len(many)) < 0.25)
    many[blanked, :, :, rng.integers(0, 3, len(blanked))] = rng.normal(0, 1, (len(blanked), *many.shape[1:3]))
    order = rng.permutation(len(many))
    return many[order].astype(np.float32), np.tile(answers, 8)[order]
