"""Pictures changed in ways that an astronomer's answer should, or should not, depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.regions import Scene

SEED = 20200101
ORIENTATIONS = ("as it is", "rot90", "rot180", "rot270", "mirrored", "mirrored, rot90", "mirrored, rot180",
                "mirrored, rot270")  # fmt: skip
_FITTING = ("as it is", "rot180", "mirrored", "mirrored, rot180")
"""Of these, the ones that keep the shape of a picture that is not square."""


_WAYS = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""Directions (y, x) of the shifts: right, down, left, up."""


@dataclass(frozen=True)
class Variant:
    """One way to change every picture."""

    kind: str
    """orientation, shift, noise, blur, band, flux, sky, galaxy"""
    amount: str
    """What the report calls it, with `kind`."""
    value: tuple[float, ...] = ()


def variants(shape: tuple[int, ...], channels: Sequence[str], depth: str) -> tuple[Variant, ...]:
    """Return the variants of pictures `(y, x, channel)`; the first leaves them as they are.

    quick has the orientations alone; full has finer steps.
    """
    fitting = ORIENTATIONS if shape[0] == shape[1] else _FITTING
    found = [Variant("orientation", name, (ORIENTATIONS.index(name),)) for name in fitting]
    if depth == "quick":
        return tuple(found)
    full = depth == "full"
    for pixels in (1, 2, 4, 8) if full else (1, 2, 4):
        found += [Variant("shift", str(pixels), (pixels * dy, pixels * dx)) for dy, dx in _WAYS[: 4 if full else 2]]
    found += [Variant("noise", str(n), (n, draw)) for n in (1, 2, 3) for draw in range(3 if full else 1)]
    found += [Variant("blur", f"{s:g}", (s,)) for s in ((0.5, 1, 2, 3) if full else (1, 2))]
    if len(channels) > 1:
        found += [Variant("band", name, (i,)) for i, name in enumerate(channels)]
    found += [Variant("flux", f"{f:g}", (f,)) for f in ((0.25, 0.5, 2, 4) if full else (0.5, 2))]
    return (*found, Variant("sky", "flat"), Variant("sky", "of another"), Variant("galaxy", "sky"))


def vary(variant: Variant, images: NDArray[np.generic], scenes: Sequence[Scene]) -> NDArray[np.generic]:
    """Return changed copies of pictures `(probe, y, x, channel)`, of the same type; integers are rounded.

    Orientations need no scenes. Random draws are seeded by the variant alone.
    """
    from scipy.ndimage import gaussian_filter

    value = variant.value
    if variant.kind == "orientation":
        turns, mirrored = int(value[0]) % 4, value[0] >= 4
        return np.ascontiguousarray(np.rot90(images[:, :, ::-1] if mirrored else images, turns, axes=(1, 2)))
    x = images.astype(np.float32)
    sky = np.stack([s.sky for s in scenes]).astype(np.float32)[:, None, None]
    if variant.kind == "shift":
        x = _shifted(x, sky, int(value[0]), int(value[1]))
    elif variant.kind == "noise":
        rng = np.random.default_rng((SEED, 1, int(value[1])))
        # The same draw at each strength: only the strength differs.
        x = x + value[0] * noise_level(images, scenes) * rng.standard_normal(x.shape, np.float32)
    elif variant.kind == "blur":
        x = gaussian_filter(x, (0, value[0], value[0], 0), mode="nearest")
    elif variant.kind == "band":
        band = int(value[0])
        x[..., band] = sky[..., band]
    elif variant.kind == "flux":
        x = sky + value[0] * (x - sky)
    elif variant.kind == "sky":
        x = _new_sky(x, sky, scenes, variant.amount == "of another")
    elif variant.kind == "galaxy":
        x = _without_galaxy(x, scenes)
    if images.dtype.kind in "iu":
        bounds = np.iinfo(images.dtype.name)
        return np.clip(np.round(x), bounds.min, bounds.max).astype(images.dtype)
    return np.ascontiguousarray(x).astype(images.dtype)


def noise_level(images: NDArray[np.generic], scenes: Sequence[Scene]) -> NDArray[np.float32]:
    """Return the noise of the sky, `(probe, 1, 1, channel)`; a hundredth of the picture's range where it has none."""
    noise = np.stack([s.noise for s in scenes]).astype(np.float32)
    spread = np.ptp(images.astype(np.float32), axis=(1, 2))
    return np.asarray(np.where(noise > 0, noise, spread / 100)[:, None, None], np.float32)


def _shifted(x: NDArray[np.float32], sky: NDArray[np.float32], dy: int, dx: int) -> NDArray[np.float32]:
    """Return pictures moved by whole pixels; what comes in at the edge is sky."""
    moved = np.broadcast_to(sky, x.shape).copy()
    height, width = x.shape[1:3]
    if abs(dy) < height and abs(dx) < width:
        moved[:, max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = x[
            :, max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)
        ]
    return moved


def _new_sky(
    x: NDArray[np.float32], sky: NDArray[np.float32], scenes: Sequence[Scene], drawn: bool
) -> NDArray[np.float32]:
    """Replace all but the galaxy and its outskirts: by its sky median, or by the sky of the next probe about it."""
    kept = np.stack([s.galaxy | s.outskirts for s in scenes])[..., None]
    new = np.broadcast_to(sky, x.shape)
    if drawn:
        new = np.stack([
            sky[i] + _sky_pixels(x[(i + 1) % len(x)], scenes[(i + 1) % len(x)], i) for i in range(len(x))
        ])  # fmt: skip
    return np.where(kept, x, new)


def _without_galaxy(x: NDArray[np.float32], scenes: Sequence[Scene]) -> NDArray[np.float32]:
    """Replace the galaxy and its outskirts by pixels of the same picture's sky."""
    own = np.stack([s.sky + _sky_pixels(x[i], s, i) for i, s in enumerate(scenes)]).astype(np.float32)
    return np.where(np.stack([s.galaxy | s.outskirts for s in scenes])[..., None], own, x)


def _sky_pixels(image: NDArray[np.float32], scene: Scene, number: int) -> NDArray[np.float32]:
    """Return a picture of pixels drawn from a sky, about its median; all bands of a pixel stay together."""
    values = image[scene.empty]
    if not len(values):
        return np.zeros_like(image)
    drawn = np.random.default_rng((SEED, 2, number)).integers(0, len(values), image.shape[:2])
    return np.asarray(values[drawn] - scene.sky, np.float32)
