"""States of channels against planted values and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from reportgen.diagnostics.activity import Death, activity, by_class, deaths, dormancy, participation
from reportgen.extraction.statistics import channel_statistics


def states(maps, function="relu", rectified=True):
    s = channel_statistics(maps.astype("f4"), function)
    return activity(s["minimum"], s["maximum"], s["magnitude"], s["zeros"], s.get("saturated"), rectified)


def relu_maps(channels=8, probes=6, seed=0):
    return np.maximum(np.random.default_rng(seed).normal(size=(probes, 7, 7, channels)), 0)


def test_planted_states_are_told_apart_and_each_channel_has_one():
    maps = relu_maps()
    maps[..., 1] = 0  # dead
    maps[..., 2] = 0.3  # constant
    maps[..., 3] *= 1e-3  # dormant: it fires, a thousand times weaker than the rest
    maps[..., 4] = 0
    maps[0, 0, 0, 4] = 30  # sparse and strong: alive on one pixel
    maps[2, 3, 3, 5] = np.nan
    found = states(maps)
    assert (found.dead, found.constant, found.dormant, found.sparse) == ((1,), (2,), (3,), (4,))
    assert found.not_finite == (5,) and found.saturated is None
    assert found.largest == pytest.approx(30) and found.threshold == pytest.approx(30e-6)


def test_a_half_empty_relu_map_is_neither_dead_nor_sparse():
    """The false alarm of tools that call the fraction of zeros dead."""
    found = states(relu_maps(16))
    assert found.apoz == pytest.approx((relu_maps(16) == 0).mean(), abs=1e-6) and 0.4 < found.apoz < 0.6
    assert found.dead == found.sparse == found.dormant == ()


def test_where_the_output_is_not_rectified_zero_is_a_value_like_any_other():
    maps = np.random.default_rng(0).normal(size=(5, 6, 6, 4))
    maps[..., 2] = 0
    found = states(maps, "linear", rectified=False)
    assert found.dead is found.sparse is found.apoz is None and found.constant == (2,)


def test_dormancy_by_hand_and_whatever_the_scale_of_the_layer():
    magnitude = np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 6.0]])
    assert dormancy(magnitude).tolist() == [1.0, 0.0, 2.0]
    assert dormancy(magnitude * 1e-30) == pytest.approx(dormancy(magnitude))
    assert dormancy(np.zeros((2, 3))).tolist() == [0, 0, 0]
    assert states(np.zeros((3, 4, 4, 2))).dead == (0, 1)


@pytest.mark.parametrize(("function", "low", "high"), [("tanh", -0.97, 0.97), ("sigmoid", 0.01, 0.99)])
def test_planted_saturation(function, low, high):
    maps = np.full((4, 5, 5, 3), 0.5)
    maps += np.random.default_rng(0).uniform(-0.1, 0.1, maps.shape)
    maps[..., 1] = np.where(np.arange(5) % 2, low, high)
    found = states(maps, function, rectified=False)
    assert found.saturated == (1,) and found.saturation == pytest.approx(1 / 3)


def test_a_channel_that_fires_only_on_mergers_is_found():
    maximum = np.array([[1, 0, 2, 0], [1, 0, 0, 0], [1, 3, 0, 0], [1, 3, 0, 0], [1, 0, 9, 0]], float)
    labels = ["isolated", "isolated", "merger", "merger", None]
    isolated, merger = by_class(maximum, labels)
    assert (merger.name, merger.probes, merger.only, merger.silent) == ("merger", 2, (1,), (2,))
    assert (isolated.probes, isolated.only, isolated.silent) == (2, (2,), (1,))


def test_with_one_class_nothing_fires_on_it_alone():
    (alone,) = by_class(np.ones((3, 2)), ["merger"] * 3)
    assert alone.only == () and by_class(np.ones((3, 2)), [None] * 3) == ()


def test_epoch_of_death_is_the_beginning_of_the_last_run():
    assert deaths([(0,), (0, 1), (0, 2), (0, 1, 2)]) == (Death(0, 0, True), Death(1, 3, False), Death(2, 2, False))
    assert deaths([(3,), ()]) == deaths([]) == ()


@pytest.mark.parametrize("n", [20, 100, 10_000])
def test_participation_ratio_of_noise_needs_many_probes(n):
    """Measured before with ten channels: 6.3, 9.1 and 9.99."""
    values = np.random.default_rng(0).normal(size=(n, 10))
    found = participation(values)
    eigenvalues = PCA().fit(values).explained_variance_
    assert found.ratio == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())
    assert found.ratio == pytest.approx({20: 6.3, 100: 9.1, 10_000: 9.99}[n], rel=0.15)
    assert (found.probes, found.most) == (n, 10)


def test_participation_of_one_direction_is_one_and_of_none_is_no_number():
    assert participation(np.outer(np.arange(5.0), [1, 2, 3])).ratio == pytest.approx(1)
    assert "alike" in participation(np.full((5, 3), 0.1, "f4")).problem
    assert "three" in participation(np.ones((2, 3))).problem
    values = np.random.default_rng(0).normal(size=(9, 4))
    values[0, 3] = np.nan
    assert participation(values).ratio == pytest.approx(participation(values[:, :3]).ratio)
