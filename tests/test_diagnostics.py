"""Numbers against reference implementations and analytic cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from reportgen.diagnostics.channels import channel_states
from reportgen.diagnostics.geometry import Reach, multiply_adds, receptive_field
from reportgen.diagnostics.history import best_index, larger_is_better
from reportgen.diagnostics.scores import confusion, regression_score


def states(maps, rectified=True):
    flat = maps.reshape(maps.shape[0], -1, maps.shape[-1])
    return channel_states(flat.min(axis=1), flat.max(axis=1), rectified)


def test_channels_planted_dead_constant_and_not_finite_are_found_and_no_other():
    maps = np.random.default_rng(0).random((4, 6, 6, 6)).astype("f4") + 0.1
    maps[..., 1] = 0
    maps[..., 3] = 0.5
    maps[2, 1, 1, 4] = np.nan
    assert states(maps) == ["", "dead", "", "constant", "not finite", ""]


def test_a_channel_alive_on_one_pixel_of_one_probe_is_not_dead():
    maps = np.zeros((4, 6, 6, 2), "f4")
    maps[3, 5, 5, 0] = 1e-3
    maps[:, 0, 0, 1] = 1.0
    assert states(maps)[0] == ""


def test_dead_does_not_depend_on_the_scale_of_the_layer():
    maps = np.random.default_rng(1).random((3, 5, 5, 4)).astype("f4")
    maps[..., 2] = 0
    assert states(maps) == states(maps * 1e-8) == states(maps * 1e8) == ["", "", "dead", ""]


def test_without_a_rectifier_zero_everywhere_is_constant_and_an_empty_layer_is_all_dead():
    maps = np.random.default_rng(1).normal(size=(3, 5, 5, 3)).astype("f4")
    maps[..., 0] = 0
    assert states(maps, rectified=False) == ["constant", "", ""]
    assert states(np.zeros((2, 3, 3, 2), "f4")) == ["dead", "dead"]


def empirical_field(kernels, length=200):
    """Return how many inputs reach one unit in the middle, by sending ones back through 1-D layers."""
    sizes = [length]
    for k, s, d in kernels:
        sizes.append((sizes[-1] - d * (k - 1) - 1) // s + 1)
    touched = {sizes[-1] // 2}
    for k, s, d in reversed(kernels):
        touched = {place * s + d * j for place in touched for j in range(k)}
    return max(touched) - min(touched) + 1


@pytest.mark.parametrize(
    "layers",
    [
        [(3, 1, 1)] * 5,
        [(7, 2, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1)],  # the start of a ResNet
        [(12, 1, 1), (12, 1, 1), (4, 4, 1), (12, 1, 1)],  # the team's network
        [(3, 1, 2), (3, 1, 4), (3, 2, 1), (5, 1, 1)],
    ],
)
def test_receptive_field_equals_what_really_reaches_a_unit(layers):
    reach = None
    for k, s, d in layers:
        kind = "MaxPooling2D" if k == s else "Conv2D"
        config = (
            {"pool_size": [k, k]} if k == s else {"kernel_size": [k, k], "strides": [s, s], "dilation_rate": [d, d]}
        )
        reach = receptive_field(kind, config, [reach] if reach else [], (200, 200))
    assert reach.field[0] == reach.field[1] == empirical_field(layers)


def test_receptive_field_stops_at_the_image_and_dense_units_see_it_all():
    reach = receptive_field("Conv2D", {"kernel_size": [51, 51]}, [], (40, 30))
    assert reach.field == (40, 30)
    assert receptive_field("Dense", {}, [Reach((3, 3), (1, 1))], (40, 30)).field == (40, 30)


def test_multiply_adds_of_the_first_resnet_convolution_and_of_a_dense_layer():
    # 7 x 7 x 3 x 64 numbers at 112 x 112 places: 118 million, as in the usual accounts of ResNet-50.
    assert multiply_adds("Conv2D", (112, 112, 64), [7 * 7 * 3 * 64]) == 118_013_952
    assert multiply_adds("Dense", (1000,), [2048 * 1000]) == 2_048_000
    assert multiply_adds("MaxPooling2D", (5, 5, 8), []) == 0
    assert multiply_adds("Conv2D", (None, None, 8), [72]) is None


def test_regression_score_against_scipy_and_by_hand():
    rng = np.random.default_rng(2)
    actual, predicted = rng.random(40), rng.random(40)
    score = regression_score(predicted, actual)
    assert score.correlation == pytest.approx(pearsonr(predicted, actual).statistic, abs=1e-12)
    assert score.mean_absolute_difference == pytest.approx(
        sum(abs(p - a) for p, a in zip(predicted, actual, strict=True)) / 40
    )
    assert score.root_mean_square == pytest.approx(np.sqrt(np.mean((predicted - actual) ** 2)))
    assert score.bias == pytest.approx(predicted.mean() - actual.mean())


@pytest.mark.parametrize("predicted", [[0.5, 0.5, 0.5], [0.1, 0.9]])
def test_a_correlation_that_cannot_be_computed_is_none(predicted):
    assert regression_score(np.array(predicted), np.arange(len(predicted), dtype=float)).correlation is None


def test_confusion_by_hand():
    table = confusion([1, 1, 0, 1, 0], [1, 0, 0, 1, 1], ("isolated", "merger"))
    assert table.counts == ((1, 1), (1, 2))
    assert table.accuracy == pytest.approx(3 / 5)
    merger = table.scores[1]
    assert (merger.n, merger.found) == (3, 3)
    assert merger.completeness == pytest.approx(2 / 3) and merger.purity == pytest.approx(2 / 3)


def test_completeness_and_purity_of_a_class_nobody_is_in_are_not_zero_but_none():
    table = confusion([0, 0], [0, 0], ("isolated", "merger"))
    assert table.scores[1].completeness is None and table.scores[1].purity is None


def test_best_epoch_by_name_and_among_what_is_finite():
    assert larger_is_better("val_accuracy") and larger_is_better("val_auc") and not larger_is_better("val_loss")
    assert larger_is_better("val_loss", "max") and not larger_is_better("accuracy", "min")
    values = np.array([np.nan, 0.3, 0.2, 0.2, np.inf])
    assert best_index(values, larger=False) == 2
    assert best_index(values, larger=True) == 1
    assert best_index(np.array([np.nan]), larger=True) is None
