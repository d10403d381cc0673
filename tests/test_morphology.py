"""Measured morphology: an analytic galaxy, an asymmetric one, and pictures without a galaxy."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from reportgen.diagnostics import morphology
from reportgen.diagnostics.morphology import measure, noiseless


def galaxy(noise=0.5, second=0.0, size=96):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    light = 200 * np.exp(-np.hypot(x, y / 0.8) / 5)
    light += second * np.exp(-np.hypot(x - 14, y) / 3)
    return light + np.random.default_rng(0).normal(10, noise, (size, size))


def test_flux_above_the_sky_and_noise_of_a_known_galaxy():
    found = measure(galaxy(size=160), shape=False)
    y, x = np.mgrid[:160, :160] - 79.5
    assert found.flux == pytest.approx(
        (200 * np.exp(-np.hypot(x, y / 0.8) / 5)).sum(), rel=0.05
    )  # wings below the noise are sky
    assert found.noise == pytest.approx(0.5, rel=0.15) and np.isnan(found.gini)


@pytest.mark.skipif(importlib.util.find_spec("statmorph") is None, reason="statmorph is an optional extra")
def test_an_exponential_disc_has_its_concentration_and_a_second_nucleus_asymmetry():
    smooth, double = measure(galaxy()), measure(galaxy(second=150))
    # 5 log10(r80 / r20) of an exponential disc is 2.7 (Bershady et al. 2000).
    assert smooth.concentration == pytest.approx(2.7, abs=0.25)
    assert abs(smooth.asymmetry) < 0.06 and double.asymmetry > 0.2
    assert double.m20 > smooth.m20 and 0.4 < smooth.gini < 0.7


@pytest.mark.parametrize(
    "picture",
    [np.zeros((40, 40)), np.full((40, 40), np.nan), np.random.default_rng(1).normal(size=(40, 40)), np.ones((3, 3))],
)
def test_without_a_galaxy_morphology_is_not_a_number(picture):
    found = measure(picture)
    assert np.isnan(found.concentration) and np.isnan(found.m20)


def test_without_statmorph_brightness_is_still_measured(monkeypatch):
    monkeypatch.setattr(morphology, "find_spec", lambda name: None)
    found = measure(galaxy())
    assert not morphology.available() and np.isfinite(found.flux) and np.isnan(found.gini)


def test_a_simulated_sky_has_no_noise_whatever_debris_is_in_it():
    assert not noiseless(galaxy())
    clean = np.where(galaxy(noise=0.0) > 10.5, galaxy(noise=0.0), 0.0)
    clean[::4, ::5] = np.random.default_rng(2).uniform(0, 3, clean[::4, ::5].shape)
    assert noiseless(clean) and not noiseless(np.full((4, 4), np.nan))
