"""Nearest neighbours against scikit-learn and planted places."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from reportgen.diagnostics.neighbours import near_target, same_label


def test_the_nearest_has_the_same_label_as_scikit_learn_says():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(40, 7))
    labels = np.array(["a", "b", "c", "a"] * 10, object)
    features[labels == "c"] += 1.5
    found = same_label(features, labels)
    scores = cross_val_score(KNeighborsClassifier(1), features, labels.astype(str), cv=LeaveOneOut())
    assert found.found == pytest.approx(scores.mean()) and found.n == 40
    assert found.chance == pytest.approx((20 * 19 + 2 * 10 * 9) / (40 * 39))


def test_near_targets_are_alike_where_the_target_is_a_direction():
    target = np.linspace(0, 1, 21)
    found = near_target(target[:, None] * np.array([3.0, -1.0]), target)
    assert found.found == pytest.approx(0.05)
    apart = np.abs(target[:, None] - target)[~np.eye(21, dtype=bool)]
    assert found.chance == pytest.approx(np.median(apart))


def test_too_few_or_equal_ones_say_nothing():
    two = np.zeros((2, 3))
    assert same_label(two, np.array(["a", "b"], object)) is None
    assert near_target(np.zeros((5, 2)), np.ones(5)) is None
    assert same_label(np.full((4, 2), np.nan), np.array(list("abab"), object)) is None
