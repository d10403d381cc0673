"""Stars get their light: where it is on the sky, how bright and how blue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reportgen.demo.discs import Array, Galaxy, Stars
from reportgen.demo.encounter import Encounter, Snapshot

BANDS = ("g", "r", "i")
DISC_INNER = np.array([0.62, 1.0, 1.28])
"""Light of the innermost disc stars in g, r, i."""
DISC_OUTER = np.array([1.05, 1.0, 0.88])
"""Of the outermost: bluer."""
BULGE = np.array([0.42, 1.0, 1.45])
"""Of the bulge: redder."""


@dataclass(frozen=True)
class Light:
    """Luminous points on the sky: `(axis, particle)`, and the light of each: `(band, particle)`."""

    points: Array
    light: Array


@dataclass(frozen=True)
class Colour:
    """How blue a galaxy is and how much bluer outside, in steps from the inner to the outer disc colour."""

    offset: float
    gradient: float


def draw_colour(rng: np.random.Generator) -> Colour:
    """Draw a colour, as varied as galaxies are and by one law for all, so that it says nothing of the class."""
    return Colour(rng.normal(0, 0.35), rng.uniform(-0.2, 1.6))


def draw_view(rng: np.random.Generator) -> Array:
    """Draw a direction to look from and a position angle: a rotation `(3, 3)`, uniform over all (Shoemake 1992)."""
    a, b, c = rng.random(3)
    w, x = np.sqrt(1 - a) * np.sin(2 * np.pi * b), np.sqrt(1 - a) * np.cos(2 * np.pi * b)
    y, z = np.sqrt(a) * np.sin(2 * np.pi * c), np.sqrt(a) * np.cos(2 * np.pi * c)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def light_galaxy(galaxy: Galaxy, stars: Stars, disc: Array, nucleus: Array, view: Array, colour: Colour) -> Light:
    """Light one galaxy, its disc stars at `disc`, the others about `nucleus`; the light of the disc is its mass."""
    bluer = DISC_OUTER / DISC_INNER
    shift = bluer**colour.offset
    of_disc = DISC_INNER[:, None] * bluer[:, None] ** (colour.offset + colour.gradient * stars.birth)
    points = [disc, stars.bulge + nucleus[:, None], stars.halo + nucleus[:, None]]
    light = [
        of_disc * galaxy.mass / disc.shape[1],
        np.repeat(
            (BULGE * shift * galaxy.mass * galaxy.bulge / stars.bulge.shape[1])[:, None], stars.bulge.shape[1], 1
        ),
        np.repeat(
            (DISC_INNER * shift * galaxy.mass * galaxy.halo / stars.halo.shape[1])[:, None], stars.halo.shape[1], 1
        ),
    ]
    return Light(view[:2] @ np.concatenate(points, 1), np.concatenate(light, 1))


def light_encounter(
    encounter: Encounter, stars: Sequence[Stars], snapshot: Snapshot, view: Array, colours: Sequence[Colour]
) -> Light:
    """Light both galaxies of an encounter."""
    parts = zip(encounter.galaxies, stars, snapshot.discs, snapshot.nuclei, colours, strict=True)
    return join([
        light_galaxy(galaxy, own, disc, nucleus, view, colour) for galaxy, own, disc, nucleus, colour in parts
    ])  # fmt: skip


def join(lights: Sequence[Light]) -> Light:
    """Put lights on one sky; nothing hides what is behind it."""
    return Light(np.concatenate([one.points for one in lights], 1), np.concatenate([one.light for one in lights], 1))


def light_radius(light: Light, fraction: float = 0.8) -> tuple[Array, float]:
    """Return the centre of light and the radius about it that holds `fraction` of the r-band light."""
    # A fifth of the stars knows it to a percent.
    points, weight = light.points[:, ::5], light.light[1, ::5]
    centre = points @ weight / weight.sum()
    distance = np.hypot(*(points - centre[:, None]))
    order = np.argsort(distance)
    enclosed = np.cumsum(weight[order])
    return centre, float(distance[order[np.searchsorted(enclosed, fraction * enclosed[-1])]])
