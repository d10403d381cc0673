"""Calibration, ROC, intervals, courses and the choice of a checkpoint, against references and tables by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import pearsonr
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve

from reportgen.diagnostics.calibration import calibration
from reportgen.diagnostics.intervals import Interval, of_fraction
from reportgen.diagnostics.keeping import Witness, choose
from reportgen.diagnostics.learning import course, steps
from reportgen.diagnostics.roc import roc
from reportgen.diagnostics.scores import confusion, regression_score


def two(p):
    p = np.asarray(p, float)
    return np.stack([1 - p, p], axis=1)


def test_eight_of_ten_right_at_0_8_is_calibrated_and_all_wrong_is_off_by_0_8():
    assert calibration(two([0.8] * 10), np.array([1] * 8 + [0] * 2)).ece == pytest.approx(0)
    wrong = calibration(two([0.8] * 10), np.zeros(10, int))
    assert wrong.ece == pytest.approx(0.8) and wrong.over == pytest.approx(0.8)
    assert calibration(two([0.5] * 4), np.array([0, 1, 1, 0])).brier == pytest.approx(0.25)


def test_a_calibrated_predictor_has_a_small_error_and_an_overconfident_one_its_excess():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 20_000)
    truth = (rng.random(20_000) < p).astype(int)
    assert calibration(two(p), truth).ece < 0.015
    sure = calibration(two(np.minimum(p + 0.2, 1)), truth)
    assert sure.ece == pytest.approx(sure.over) == pytest.approx(np.minimum(p + 0.2, 1).mean() - truth.mean())


def test_bins_equal_sklearn_on_confidence_and_being_right_and_brier_equals_sklearn():
    rng = np.random.default_rng(1)
    raw = rng.random((400, 3)) ** 3
    p = raw / raw.sum(axis=1, keepdims=True)
    actual = rng.integers(0, 3, 400)
    found = calibration(p, actual)
    right, confidence = calibration_curve(p.argmax(axis=1) == actual, p.max(axis=1), n_bins=15)
    assert [b.accuracy for b in found.bins] == pytest.approx(right)
    assert [b.confidence for b in found.bins] == pytest.approx(confidence)
    assert sum(b.n for b in found.bins) == 400
    assert found.brier == pytest.approx(brier_score_loss(actual, p))
    binary = calibration(two(p[:, 0]), (actual == 0).astype(int))
    assert binary.brier == pytest.approx(brier_score_loss(actual == 0, p[:, 0]))


def test_roc_equals_sklearn_with_ties_and_its_interval_holds_the_truth():
    rng = np.random.default_rng(2)
    positive = rng.random(80) < 0.5
    values = np.round(rng.normal(size=80) + positive, 1)
    found = roc(values, positive)
    false, true, _ = roc_curve(positive, values, drop_intermediate=False)
    assert found.false_positive == pytest.approx(false) and found.true_positive == pytest.approx(true)
    assert found.auc == pytest.approx(roc_auc_score(positive, values))
    # Hanley and McNeil: about 0.05 to each side for 40 + 40.
    assert found.interval.low < found.auc < found.interval.high and 0.1 < found.interval.high - found.interval.low < 0.3
    assert found.interval == roc(values, positive).interval


def test_a_perfect_order_has_no_interval_rather_than_one_of_no_width_and_one_class_no_curve():
    found = roc(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert found.auc == 1 and found.interval is None
    assert roc(np.array([0.1, 0.2]), np.array([True, True])) is None


def test_bootstrap_interval_of_r_agrees_with_scipy():
    rng = np.random.default_rng(3)
    actual = rng.normal(size=60)
    predicted = actual + rng.normal(size=60)
    mine = regression_score(predicted, actual).interval
    reference = scipy_bootstrap(
        (predicted, actual), lambda x, y: pearsonr(x, y).statistic, paired=True, vectorized=False, n_resamples=2000,
        method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert (mine.low, mine.high) == pytest.approx((reference.low, reference.high), abs=0.03)


def test_wilson_by_hand_and_robust_scatter_ignores_an_outlier():
    # 13 of 13: low end n / (n + z²).
    assert of_fraction(13, 13).low == pytest.approx(13 / (13 + 1.959964**2), abs=1e-6)
    assert of_fraction(13, 13).high == pytest.approx(1) and of_fraction(0, 0) is None
    assert confusion([0, 1], [0, 0], ("a", "b")).scores[1].completeness_interval is None
    rng = np.random.default_rng(4)
    difference = rng.normal(0, 0.1, 2001)
    difference[0] = 1e6
    assert regression_score(difference, np.zeros(2001)).scatter == pytest.approx(0.1, rel=0.1)


P_TRUE = {
    "easy": [0.8, 0.9, 0.95, 0.99],
    "learned late": [0.1, 0.2, 0.9, 0.95],
    "forgotten twice": [0.9, 0.2, 0.8, 0.1],
    "mislabelled": [0.3, 0.1, 0.05, 0.02],
    "hard": [0.4, 0.45, 0.35, 0.4],
    "lost at the end": [0.62, 0.6, 0.58, 0.3],
    "half right": [0.6, 0.55, 0.4, 0.35],
}


@pytest.mark.parametrize(
    ("name", "kind", "flips", "forgotten", "contradicted"),
    [
        ("easy", "easy", 0, 0, False), ("learned late", "ambiguous", 1, 0, False),
        ("forgotten twice", "ambiguous", 3, 2, False), ("mislabelled", "hard", 0, 0, True),
        ("hard", "hard", 0, 0, False), ("lost at the end", "ambiguous", 1, 1, False),
        ("half right", "ambiguous", 1, 1, False),
    ],
)  # fmt: skip
def test_courses_of_probes_over_four_checkpoints(name, kind, flips, forgotten, contradicted):
    p = np.array(P_TRUE[name])
    found = course(p, p > 0.5)
    assert (found.kind, found.flips, found.forgotten, found.contradicted) == (kind, flips, forgotten, contradicted)
    assert found.mean == pytest.approx(sum(P_TRUE[name]) / 4) and found.spread == pytest.approx(np.std(P_TRUE[name]))


def test_two_checkpoints_or_nan_say_nothing_of_a_course():
    assert course(np.array([0.1, 0.1]), np.array([False, False])).kind == ""
    nan = course(np.array([0.1, np.nan, 0.1]), np.zeros(3, bool))
    assert nan.kind == "" and not nan.contradicted


def test_steps_by_hand():
    found = steps(np.array([[0.0, 1.0], [0.5, 1.0], [np.nan, 0.0]]))
    assert np.isnan(found[0]) and found[1:].tolist() == [0.25, 1.0]


def witness(name, monitored, score=None, low=None, high=None, **rest):
    interval = None if low is None else Interval(low, high)
    known = {"ece": None, "change": None, "dead": None, "not_finite": 0} | rest
    return Witness(name, None, monitored, score, interval, **known)


def test_history_decides_until_enough_probes_clearly_say_otherwise():
    rows = [witness("a", 0.2, 0.6, 0.5, 0.7, ece=0.1), witness("b", 0.3, 0.9, 0.8, 0.95, ece=0.2)]
    few = choose(rows, larger=False, scored=13)
    assert (few.kept, few.decided, few.disagree) == ("a", "history", ("score",))
    many = choose(rows, larger=False, scored=100)
    assert (many.kept, many.decided) == ("b", "probes") and many.disagree == ("history", "calibration")
    overlapping = [rows[0], witness("b", 0.3, 0.9, 0.65, 0.95)]
    assert choose(overlapping, larger=False, scored=100).kept == "a"


def test_without_history_the_probes_and_without_both_the_last_and_never_one_with_nan():
    assert choose([witness("a", None, 0.6), witness("b", None, 0.5)], False, 50).decided == "probes"
    assert choose([witness("a", None), witness("b", None)], False, 0).kept == "b"
    assert choose([witness("a", 0.1, not_finite=3), witness("b", 0.2), witness("c", 0.3)], False, 0).kept == "b"
    assert choose([], False, 0) is None
    late = [
        witness(n, v, change=c) for n, v, c in zip("abcdef", [3, 2, 1, 4, 5, 6], [0, 0, 0, 0, 0.2, 0.1], strict=True)
    ]
    assert choose(late, False, 0).most_stable == "f"
