"""The simulated galaxies: orbits, discs and waves against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.demo.discs import Galaxy, Stars, circular_speed, draw_radii, make_stars, wind_spiral
from reportgen.demo.encounter import Encounter, count_steps, fly, pull, rewind, step_orbit, tail_strength
from reportgen.demo.light import draw_view

ALONE = Galaxy(1.0)
SHADOW = Galaxy(1e-9)
"""A companion too light to matter."""


def still(points: np.ndarray, velocity: np.ndarray) -> Stars:
    empty = np.zeros((3, 1))
    return Stars(points, velocity, np.hypot(points[0], points[1]), empty, empty)


def far_encounter(stars: Stars, times: tuple[float, ...]):
    """Fly stars about a galaxy whose companion weighs nothing."""
    encounter = Encounter((ALONE, SHADOW), 1.0, 0.7, (np.eye(3), np.eye(3)))
    nobody = still(np.full((3, 1), 50.0), np.zeros((3, 1)))
    return fly(encounter, (stars, nobody), times)


def test_a_circular_orbit_in_a_hernquist_halo_stays_circular():
    radius = np.array([0.2, 0.5, 1.0])
    speed = circular_speed(radius, 1.0, ALONE.scale)
    zero = np.zeros(3)
    stars = still(np.stack([radius, zero, zero]), np.stack([zero, speed, zero]))
    (snapshot,) = far_encounter(stars, (5.0,))
    disc = snapshot.discs[0] - snapshot.nuclei[0][:, None]
    assert np.allclose(np.hypot(disc[0], disc[1]), radius, rtol=5e-3) and np.allclose(disc[2], 0)
    # 7.5 units of time at angular speed v / r, anticlockwise.
    turned = np.unwrap(np.arctan2(disc[1], disc[0]))
    assert np.allclose(np.cos(turned - 7.5 * speed / radius), 1, atol=5e-3)


def test_energy_and_angular_momentum_in_a_fixed_halo_are_kept():
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.5, (3, 40))
    motion = rng.normal(0, 0.3, (3, 40))
    stars = still(points, motion)

    def energy(points, motion):
        return (motion**2).sum(0) / 2 - 1.0 / (np.linalg.norm(points, axis=0) + ALONE.scale)

    first, second = far_encounter(stars, (1.0, 1.0 + 1e-6))
    place = [one.discs[0] - one.nuclei[0][:, None] for one in (first, second)]
    velocity = (place[1] - place[0]) / 1e-6
    assert np.allclose(energy(place[0], velocity), energy(points, motion), rtol=2e-2)
    assert abs(np.median(energy(place[0], velocity) / energy(points, motion) - 1)) < 5e-4
    spin = np.cross(points, motion, axis=0)
    assert np.allclose(np.cross(place[0], velocity, axis=0), spin, atol=1e-4)


def test_the_pull_of_a_halo_is_that_of_hernquist():
    points = np.array([[2.0, 0.0, 0.0], [0.0, -3.0, 4.0]]).T
    pulled = pull(points, np.zeros(3), 2.0, 0.5)
    assert np.allclose(pulled[:, 0], [-2 / 2.5**2, 0, 0], rtol=1e-5)
    assert np.allclose(pulled[:, 1], 2 / 5.5**2 * np.array([0, 0.6, -0.8]), rtol=1e-5)


def test_the_rewound_orbit_comes_back_to_its_pericentre():
    encounter = Encounter((ALONE, Galaxy(0.5)), 0.8, 0.75, (np.eye(3), np.eye(3)))
    orbit = rewind(encounter)
    assert np.linalg.norm(orbit.separation) > 1.5
    steps = count_steps(2.5)
    nearest = np.inf
    for _ in range(steps):
        orbit = step_orbit(orbit, encounter.mass, 2.5 / steps)
        nearest = min(nearest, float(np.linalg.norm(orbit.separation)))
    assert np.allclose(orbit.separation, [0.8, 0, 0], atol=1e-9)
    assert np.allclose(orbit.velocity, [0, np.sqrt(1.75 * 1.5 / 1.4), 0], atol=1e-9)
    assert nearest == pytest.approx(0.8, abs=1e-6)
    dragged = step_orbit(orbit, encounter.mass, 0.04, drag=0.02)
    free = step_orbit(orbit, encounter.mass, 0.04)
    assert np.linalg.norm(dragged.velocity) < np.linalg.norm(free.velocity)


def test_prograde_encounters_raise_tails_retrograde_ones_do_not():
    rng = np.random.default_rng(1)
    galaxies = (ALONE, Galaxy(0.8))
    stars = (make_stars(galaxies[0], rng), make_stars(galaxies[1], rng))
    flipped = np.diag([1.0, -1.0, -1.0])
    strengths = {}
    for name, tilt in {"prograde": np.eye(3), "retrograde": flipped}.items():
        encounter = Encounter(galaxies, 0.7, 0.8, (tilt, tilt))
        last = fly(encounter, stars)[-1]
        strengths[name] = tail_strength(encounter, last)
    # Toomre & Toomre (1972), figures 2 and 3.
    assert strengths["prograde"] > 3 * strengths["retrograde"] and strengths["prograde"] > 0.1


def test_discs_are_exponential_and_end_at_their_edge():
    radii = draw_radii(40_000, 1 / 3, np.random.default_rng(2))
    assert radii.max() <= 1
    whole = 1 - 4 * np.exp(-3)
    for edge in (0.2, 0.5, 0.8):
        expected = (1 - (1 + 3 * edge) * np.exp(-3 * edge)) / whole
        assert (radii < edge).mean() == pytest.approx(expected, abs=0.01)


def test_a_spiral_wave_moves_stars_about_the_axis_only_and_has_its_arms():
    stars = make_stars(ALONE, np.random.default_rng(3))
    wound = wind_spiral(stars, arms=2, strength=0.8, pitch=0.4, phase=0.3)
    assert np.allclose(np.hypot(*wound[:2]), np.hypot(*stars.disc[:2]), atol=1e-5)
    assert (wound[2] == stars.disc[2]).all()
    arm = np.log(np.maximum(stars.birth, 0.02)) / np.tan(0.4) + 0.3

    def crowding(disc, arms):
        outside = stars.birth > 0.4
        return np.abs(np.exp(1j * arms * (np.arctan2(disc[1], disc[0]) - arm))[outside].mean())

    assert crowding(wound, 2) > 0.3 and crowding(wound, 3) < 0.05 and crowding(stars.disc, 2) < 0.05


def test_views_are_rotations_in_all_directions():
    rng = np.random.default_rng(4)
    views = np.stack([draw_view(rng) for _ in range(2000)])
    assert np.allclose(views @ views.transpose(0, 2, 1), np.eye(3), atol=1e-12)
    assert np.allclose(np.linalg.det(views), 1)
    assert np.abs(views.mean(0)).max() < 0.06
