"""Two galaxies meet: the restricted three-body method of Toomre & Toomre (1972, ApJ 178, 623).

Both dark haloes are rigid Hernquist potentials on a shared orbit; stars feel both haloes and not each other, so the
cost grows with the number of stars and not with its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reportgen.demo.discs import HALO_SCALE, Array, Galaxy, Stars, draw_galaxy

STEP = 0.04
"""Longest step of the leapfrog; the edge of the primary turns once in about 10."""
START = -2.5
"""When the discs are set up; closest approach is at 0."""
TIMES = (0.7, 1.8, 3.2, 5.0)
"""When pictures are taken."""
FRICTION, FRICTION_FROM = 0.02, -1.0
"""Drag on the relative motion, and since when; ad hoc, it brings the galaxies together."""


@dataclass(frozen=True)
class Encounter:
    """Everything that fixes an encounter but its stars."""

    galaxies: tuple[Galaxy, Galaxy]
    pericentre: float
    eccentricity: float
    tilts: tuple[Array, Array]
    """Rotation of each disc out of the plane of the orbit, `(3, 3)`; the identity is prograde."""

    @property
    def mass(self) -> float:
        """Mass of both galaxies."""
        return self.galaxies[0].mass + self.galaxies[1].mass


@dataclass(frozen=True)
class Orbit:
    """The secondary as seen from the primary."""

    separation: Array
    velocity: Array


@dataclass(frozen=True)
class Snapshot:
    """Where everything is at one time, in the frame of the centre of mass."""

    time: float
    nuclei: tuple[Array, Array]
    discs: tuple[Array, Array]


def draw_encounter(rng: np.random.Generator) -> Encounter:
    """Draw a bound encounter, mostly prograde, as these raise the strongest tails."""
    galaxies = (draw_galaxy(1.0, rng), draw_galaxy(rng.uniform(0.3, 1.0), rng))
    tilts = (draw_tilt(rng), draw_tilt(rng))
    return Encounter(galaxies, rng.uniform(0.45, 1.1), rng.uniform(0.55, 0.95), tilts)


def draw_tilt(rng: np.random.Generator) -> Array:
    """Draw the rotation of a disc: four in five near-prograde (normal, 35 degrees), the others any way round."""
    tilt = np.radians(rng.normal(0, 35)) if rng.random() < 0.8 else np.arccos(rng.uniform(-1, 1))
    node = rng.uniform(0, 2 * np.pi)
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    about_z = np.array([[np.cos(node), -np.sin(node), 0], [np.sin(node), np.cos(node), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x)


def pull(points: Array, centre: Array, mass: float, scale: float) -> Array:
    """Return the acceleration of `points` `(axis, particle)` by a Hernquist halo: M / (r + a)^2, inwards."""
    away = points - centre.astype(points.dtype)[:, None]
    radius = np.sqrt(np.einsum("ij,ij->j", away, away)) + points.dtype.type(1e-6)
    away *= points.dtype.type(-mass) / (radius * np.square(radius + points.dtype.type(scale)))
    return away


def step_orbit(orbit: Orbit, mass: float, step: float, drag: float = 0.0) -> Orbit:
    """Move the secondary by one leapfrog step in one Hernquist field of the mass of both."""

    def force(separation: Array, velocity: Array) -> Array:
        return pull(separation[:, None], np.zeros(3), mass, HALO_SCALE)[:, 0] - drag * velocity

    velocity = orbit.velocity + step / 2 * force(orbit.separation, orbit.velocity)
    separation = orbit.separation + step * velocity
    return Orbit(separation, velocity + step / 2 * force(separation, velocity))


def rewind(encounter: Encounter) -> Orbit:
    """Return the orbit at START, found by going back from closest approach at time 0 without friction."""
    q, e = encounter.pericentre, encounter.eccentricity
    speed = np.sqrt((1 + e) * encounter.mass / (q + HALO_SCALE))
    orbit = Orbit(np.array([q, 0.0, 0.0]), np.array([0.0, speed, 0.0]))
    steps = count_steps(-START)
    for _ in range(steps):
        orbit = step_orbit(orbit, encounter.mass, START / steps)
    return orbit


def fly(encounter: Encounter, stars: tuple[Stars, Stars], times: Sequence[float] = TIMES) -> list[Snapshot]:
    """Carry the stars from START through `times` (ascending) by leapfrog and return a snapshot at each."""
    first, second = encounter.galaxies
    share = second.mass / encounter.mass
    orbit = rewind(encounter)
    points, motion = (
        np.concatenate([
            place(encounter.tilts[0], stars[0], -share * home), place(encounter.tilts[1], stars[1], (1 - share) * home),
        ], axis=1)
        for place, home in ((_place_discs, orbit.separation), (_place_motion, orbit.velocity))
    )  # fmt: skip
    cut = stars[0].disc.shape[1]

    def force(separation: Array) -> Array:
        total = pull(points, -share * separation, first.mass, first.scale)
        total += pull(points, (1 - share) * separation, second.mass, second.scale)
        return total

    snapshots, now = [], START
    acceleration = force(orbit.separation)
    for time in times:
        steps = count_steps(time - now)
        step = (time - now) / steps
        for index in range(steps):
            drag = FRICTION if now + index * step > FRICTION_FROM else 0.0
            orbit = step_orbit(orbit, encounter.mass, step, drag)
            motion += step / 2 * acceleration
            points += step * motion
            acceleration = force(orbit.separation)
            motion += step / 2 * acceleration
        now = time
        nuclei = (-share * orbit.separation, (1 - share) * orbit.separation)
        snapshots.append(Snapshot(time, nuclei, (points[:, :cut].copy(), points[:, cut:].copy())))
    return snapshots


def _place_discs(tilt: Array, stars: Stars, nucleus: Array) -> Array:
    return (tilt @ stars.disc + nucleus[:, None]).astype(stars.disc.dtype)


def _place_motion(tilt: Array, stars: Stars, nucleus: Array) -> Array:
    return (tilt @ stars.velocity + nucleus[:, None]).astype(stars.disc.dtype)


def count_steps(duration: float) -> int:
    """Return how many equal steps no longer than STEP make up `duration`."""
    return max(1, int(np.ceil(duration / STEP - 1e-9)))


def tail_strength(encounter: Encounter, snapshot: Snapshot) -> float:
    """Return the fraction of disc stars torn out: beyond 1.5 times their own disc's old edge from both nuclei."""
    torn = total = 0
    for galaxy, disc in zip(encounter.galaxies, snapshot.discs, strict=True):
        distances = [np.linalg.norm(disc - nucleus[:, None], axis=0) for nucleus in snapshot.nuclei]
        torn += int((np.minimum(*distances) > 1.5 * galaxy.edge).sum())
        total += disc.shape[1]
    return torn / total
