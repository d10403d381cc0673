"""Galaxies as test particles: an exponential disc, a bulge, a stellar halo, and for the undisturbed a spiral wave.

Units: G = 1, mass of the primary 1, edge of its disc 1. Points and velocities are `(axis, particle)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""float32 where many particles fly, float64 where a test wants to see the method's own error."""

HALO_SCALE = 0.6
"""Of the primary's dark halo; sqrt(mass) times that for others."""
THICKNESS = 0.03
"""Vertical scatter of a disc of edge 1."""
RANDOM_MOTION = 0.04
"""Scatter of each velocity component."""
BULGE_RADIUS, HALO_RADIUS = 0.10, 0.80
"""Radii of half the light of bulge and stellar halo, as fractions of the edge."""
DISC_PARTICLES, BULGE_PARTICLES, HALO_PARTICLES = 9_000, 1_500, 2_500
"""Of a galaxy of mass 1; lighter discs have fewer in proportion."""


@dataclass(frozen=True)
class Galaxy:
    """A rigid halo with massless stars; edge and halo scale follow from the mass."""

    mass: float
    scale_length: float = 1 / 3
    """Of the disc, as a fraction of its edge."""
    bulge: float = 0.35
    """Light of the bulge as a fraction of that of the disc."""
    halo: float = 0.0
    """Light of the stellar halo as a fraction of that of the disc."""

    @property
    def edge(self) -> float:
        """Radius at which the disc ends."""
        return float(np.sqrt(self.mass))

    @property
    def scale(self) -> float:
        """Scale radius of the dark halo."""
        return HALO_SCALE * self.edge


@dataclass(frozen=True)
class Stars:
    """The stars of one galaxy about its own nucleus; those of bulge and halo stay with the nucleus."""

    disc: Array
    velocity: Array
    birth: Array
    """Distance of each disc star from the axis when the disc was made, as a fraction of the edge: `(particle,)`."""
    bulge: Array
    halo: Array


def draw_galaxy(mass: float, rng: np.random.Generator) -> Galaxy:
    """Draw a galaxy of this mass, by one law for those that meet and those that do not."""
    return Galaxy(mass, rng.uniform(0.3, 0.5), rng.uniform(0.1, 0.75), rng.uniform(0, 0.3))


def circular_speed(radius: Array, mass: float, scale: float) -> Array:
    """Return the speed on a circular orbit in a Hernquist (1990, ApJ 356, 359) potential: sqrt(M r) / (r + a)."""
    return np.asarray(np.sqrt(mass * radius) / (radius + scale))


def make_stars(galaxy: Galaxy, rng: np.random.Generator) -> Stars:
    """Draw the stars of a smooth disc in the x-y plane, turning anticlockwise, with its bulge and halo."""
    number = int(DISC_PARTICLES * galaxy.mass)
    birth = draw_radii(number, galaxy.scale_length, rng)
    radius, angle = galaxy.edge * birth, rng.uniform(0, 2 * np.pi, number)
    disc = np.stack([radius * np.cos(angle), radius * np.sin(angle), rng.normal(0, THICKNESS * galaxy.edge, number)])
    speed = circular_speed(radius, galaxy.mass, galaxy.scale)
    velocity = np.stack([-speed * np.sin(angle), speed * np.cos(angle), np.zeros(number)])
    velocity += rng.normal(0, RANDOM_MOTION, velocity.shape)
    bulge = draw_round(BULGE_RADIUS * galaxy.edge, BULGE_PARTICLES, rng)
    halo = draw_round(HALO_RADIUS * galaxy.edge, HALO_PARTICLES, rng)
    return Stars(*(part.astype(np.float32) for part in (disc, velocity, birth, bulge, halo)))


def draw_radii(number: int, scale_length: float, rng: np.random.Generator) -> Array:
    """Draw radii of an exponential disc that ends at 1, by inverting its cumulative light."""
    grid = np.linspace(0, 1, 512)
    enclosed = 1 - (1 + grid / scale_length) * np.exp(-grid / scale_length)
    return np.interp(rng.uniform(0, enclosed[-1], number), enclosed, grid)


def draw_round(half_light: float, number: int, rng: np.random.Generator) -> Array:
    """Draw a sphere of stars whose light falls outwards about as a Sérsic law of index 2 does."""
    grid = np.geomspace(1e-3, 6, 256)
    enclosed = np.cumsum(np.exp(-3.672 * (np.sqrt(grid) - 1)) * grid * np.gradient(grid))
    projected = np.interp(rng.uniform(0, enclosed[-1], number), enclosed, grid)
    direction = rng.standard_normal((3, number), np.float32)
    # Seen from any side a star at distance r is r sin(t) from the centre, pi/4 of r on average.
    direction /= np.sqrt(np.einsum("ij,ij->j", direction, direction))
    return np.asarray(half_light * (4 / np.pi) * projected * direction)


def wind_spiral(stars: Stars, arms: int, strength: float, pitch: float, phase: float) -> Array:
    """Return the disc with a logarithmic spiral density wave: angles crowd at the arms.

    `strength` is the amplitude of the wave as a fraction of the smooth density (0 to 1), `pitch` the angle of the
    arms with a circle [radian].
    """
    x, y, z = stars.disc
    arm = np.log(np.maximum(stars.birth, 0.02)) / np.tan(pitch) + phase
    angle = np.arctan2(y, x)
    # The wave fades inside the bulge, where it would wind up without end.
    faded = strength * np.clip((stars.birth - 0.1) / 0.2, 0, 1)
    angle = angle - faded / arms * np.sin(arms * (angle - arm))
    radius = np.hypot(x, y)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z])
