"""Every rule on both sides of its thresholds, and where too little is known to judge."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.checkpoints.run import History
from reportgen.config import EVIDENCE, VerdictsConfig
from reportgen.diagnostics.drift import Drift
from reportgen.diagnostics.intervals import Interval
from reportgen.diagnostics.learning import course
from reportgen.diagnostics.scores import regression_score
from reportgen.sections.moved import LayerMoves
from reportgen.sections.section import Check, Unjudged
from reportgen.sections.verdicts import answers, channels, history, inputs, weights
from reportgen.templating import resource_folder, verdict_words

LIMITS = VerdictsConfig()
PER_EPOCH = np.arange(1, 13)


def status(judged) -> str:
    return judged.status if isinstance(judged, Check) else "not judged"


def test_every_verdict_has_its_words_and_its_sentence():
    words = verdict_words()
    assert set(words) == set(EVIDENCE)
    assert all(row.keys() == {"title", "means", "try", "source"} and all(row.values()) for row in words.values())
    assert all((resource_folder("templates") / "verdicts" / f"{id}.html").is_file() for id in EVIDENCE)


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        (np.linspace(0.7, 0.3, 12), "pass"),
        (np.r_[np.linspace(0.7, 0.4, 6), np.linspace(0.4, 0.46, 6)], "pass"),  # 15 % above the minimum
        (np.r_[np.linspace(0.7, 0.4, 6), np.linspace(0.42, 0.6, 6)], "warn"),
        (np.r_[np.linspace(0.7, 0.4, 6), np.linspace(0.5, 1.4, 6)], "fail"),
        (np.r_[np.linspace(0.7, 0.4, 10), 0.39, 0.6], "warn"),
        (np.r_[np.linspace(0.7, 0.002, 8), 0.005, 0.006, 0.004, 0.006], "pass"),  # thrice nothing is nothing
        (np.r_[np.linspace(0.7, 0.5, 4), 0.2, np.linspace(0.5, 0.45, 7)], "pass"),  # one lucky epoch is no minimum
    ],
)
def test_overfitting_is_a_rise_of_the_validation_loss_while_training_goes_on(validation, expected):
    falling = np.linspace(0.7, 0.05, 12)
    judged = history.overfitting(PER_EPOCH, falling, validation, LIMITS.overfitting)
    assert status(judged) == expected
    assert status(history.overfitting(PER_EPOCH, falling[::-1], validation, LIMITS.overfitting)) == "pass"
    short = history.overfitting(PER_EPOCH[:3], falling[:3], validation[:3], LIMITS.overfitting)
    assert isinstance(short, Unjudged) and "3 epochs" in short.because


def test_the_rise_is_prechelts_generalisation_loss_of_running_medians():
    validation = np.r_[np.linspace(0.8, 0.4, 6), np.linspace(0.5, 1.0, 6)]
    smooth = [np.median(validation[max(0, i - 1) : i + 2]) for i in range(12)]
    judged = history.overfitting(PER_EPOCH, np.linspace(0.8, 0.1, 12), validation, LIMITS.overfitting)
    assert judged.value == pytest.approx(smooth[-1] / min(smooth) - 1)


@pytest.mark.parametrize(
    ("values", "larger", "last", "first"),
    [
        (PER_EPOCH**-0.5, False, "warn", "pass"),
        (1 / PER_EPOCH, False, "pass", "pass"),  # the last two of twelve epochs brought 1.8 %
        (np.exp(-PER_EPOCH * 1.0), False, "pass", "pass"),
        (np.r_[np.linspace(1, 0.5, 6), np.linspace(0.52, 0.6, 6)], False, "pass", "pass"),
        (np.linspace(0.5, 0.9, 12), True, "warn", "pass"),
        (np.linspace(0.9, 0.5, 12), True, "pass", "warn"),
        (np.r_[0.5, np.full(11, 0.505)], False, "pass", "pass"),  # one per cent is no news
    ],
)
def test_best_is_last_and_best_is_first_ask_by_how_much(values, larger, last, first):
    assert status(history.best_is_last(PER_EPOCH, values, larger, "x", LIMITS.best_is_last)) == last
    assert status(history.best_is_first(PER_EPOCH, values, larger, "x", LIMITS.best_is_first)) == first
    for rule, limits in ((history.best_is_last, LIMITS.best_is_last), (history.best_is_first, LIMITS.best_is_first)):
        assert isinstance(rule(PER_EPOCH[:2], values[:2], larger, "x", limits), Unjudged)


def test_without_a_history_its_three_verdicts_are_not_given():
    found = history.of_history(None, None, LIMITS)
    assert [(u.id, u.because) for u in found] == [
        (id, "the run has no history") for id in ("overfitting", "best_is_last", "best_is_first")
    ]
    only = History("h.csv", PER_EPOCH, {"loss": 1.0 / PER_EPOCH})
    assert "not both loss and val_loss" in history.of_history(only, None, LIMITS)[0].because


def test_finite_numbers_pass_and_a_single_one_that_is_not_fails():
    assert status(weights.weights_not_finite([], 3)) == status(inputs.inputs_not_finite([("", 0)])) == "pass"
    assert status(answers.predictions_not_finite([("a", 0)], 1)) == "pass"
    assert status(weights.weights_not_finite([("a: conv kernel", 1)], 3)) == "fail"
    assert status(inputs.inputs_not_finite([("", 0), ("z", 1)])) == "fail"
    assert answers.predictions_not_finite([("a", 0), ("b", 2)], 2).facts["where"] == ["b"]


@pytest.mark.parametrize(
    ("low", "high", "image", "layer", "expected"),
    [
        (-1, 1, True, "", "pass"),
        (0, 29, True, "", "pass"),
        (0, 255, True, "", "warn"),
        (0, 255, True, "rescaling", "pass"),
        (0, 0.004, True, "", "warn"),
        (0, 0.004, False, "", "pass"),  # a redshift may be small
        (0, 300, False, "", "warn"),
        (np.nan, np.nan, True, "", "not judged"),
    ],
)
def test_input_range_is_that_of_a_normalised_input(low, high, image, layer, expected):
    assert status(inputs.input_range("", low, high, image, layer, LIMITS.input_range)) == expected


def kernel(growth=None, length=1.2, others=1.0, layer="conv"):
    return weights.Size(layer, "epoch-3", growth, length, others)


@pytest.mark.parametrize(
    ("sizes", "exploded", "collapsed"),
    [
        ([kernel(2.0), kernel(0.8)], "pass", "pass"),
        ([kernel(9, 9.0)], "pass", "pass"),
        ([kernel(11, 11.0)], "warn", "pass"),
        ([kernel(101, 101.0)], "fail", "pass"),
        ([kernel(50, 1.1)], "pass", "pass"),  # began near zero and grew up
        ([kernel(None, 120, 101)], "warn", "pass"),
        ([kernel(0.05, 0.05)], "pass", "warn"),
        ([kernel(0.0, 0.0, 0.0)], "pass", "fail"),
        ([kernel(0.05, 1.0)], "pass", "pass"),  # began long, and is as long as others now
        ([kernel(None, 1e-4, 1e-4)], "pass", "warn"),
        ([kernel(None, 1.0, None)], "not judged", "not judged"),
    ],
)
def test_sizes_are_held_against_the_first_checkpoint_and_the_other_kernels(sizes, exploded, collapsed):
    assert status(weights.weights_exploded(sizes, LIMITS.weights_exploded)) == exploded
    assert status(weights.weights_collapsed(sizes, LIMITS.weights_collapsed)) == collapsed


@pytest.mark.parametrize(("copies", "expected"), [(0, "pass"), (1, "warn"), (8, "warn"), (9, "fail")])
def test_copied_filters_are_counted_in_the_layer_that_has_most(copies, expected):
    rows = [weights.Copies("conv1", 0, 8, ()), weights.Copies("conv2", copies, 16, ((0, 1),) if copies else ())]
    judged = weights.duplicate_kernels(rows, "a", LIMITS.duplicate_kernels)
    assert status(judged) == expected and judged.value == copies / 16
    assert isinstance(weights.duplicate_kernels([], "a", LIMITS.duplicate_kernels), Unjudged)


def moved(layer, distance, trainable, motion="moved"):
    drift = Drift(distance, 1.0, "")
    return LayerMoves(layer, 10, True, trainable, motion, (Drift(0.0, 1.0, ""), drift), (drift,), None)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([moved("a", 0.1, True), moved("b", 1e-3, None)], "pass"),
        ([moved("a", 0.1, True), moved("b", 0.0, True, "not learning")], "warn"),
        ([moved("a", 0.1, True), moved("b", 5e-7, True)], "warn"),
        ([moved("a", 0.1, True), moved("b", 0.0, False, "frozen")], "pass"),
        ([moved("a", 0.1, None), moved("b", 0.0, None, "still")], "not judged"),
        ([moved("b", 0.0, False, "frozen")], "not judged"),
    ],
)
def test_a_layer_that_may_learn_and_did_not_move_is_told_and_a_frozen_one_is_only_said(layers, expected):
    judged = weights.layer_unmoved(layers, "first", "last", LIMITS.layer_unmoved)
    assert status(judged) == expected
    if expected == "warn":
        assert judged.facts["layers"] == ["b"]


def test_copies_on_purpose_are_said_and_copies_of_other_epochs_are_told():
    def copies(*rows):
        return weights.identical_checkpoints([weights.Copy(*row) for row in rows])

    assert status(copies(("e1", 1, "x"))) == "not judged"
    assert status(copies(("e1", 1, "x"), ("e2", 2, "y"))) == "pass"
    assert status(copies(("e1", 1, "x"), ("e2", 2, "x"), ("e3", 3, "y"))) == "warn"
    assert status(copies(("a.h5", None, "x"), ("b.h5", None, "x"))) == "warn"
    best = copies(("e1", 1, "x"), ("e2", 2, "y"), ("best.keras", None, "y"))
    assert status(best) == "pass" and best.facts["on_purpose"] == [["e2", "best.keras"]]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("conv", 1, 16, 999), ("conv2", 1, 32, 999)], "pass"),
        ([("conv", 4, 16, 999), ("conv2", 2, 32, 999)], "warn"),
        ([("conv", 12, 16, 999), ("conv2", 20, 32, 999)], "fail"),
        ([("conv", 5, 8, 999), ("conv2", 0, 64, 999)], "warn"),  # most of a single layer
        ([("conv", 0, 8, 999), ("dense", 30, 64, 8)], "pass"),  # units on eight probes are silent by chance
        ([("dense", 30, 64, 8)], "not judged"),
        ([], "not judged"),
    ],
)
def test_dead_channels_are_a_fraction_of_those_that_had_a_chance(rows, expected):
    found = [channels.Rectified(*row) for row in rows]
    assert status(channels.dead_channels(found, "a", "", LIMITS.dead_channels)) == expected


def test_units_with_too_few_values_are_named_with_their_count_and_not_passed_over():
    rows = [channels.Rectified("conv", 0, 116, 1024), channels.Rectified("dense", 18, 32, 16)]
    judged = channels.dead_channels(rows, "a", "", LIMITS.dead_channels)
    assert (judged.status, judged.facts["of"], judged.facts["left_out"]) == ("pass", 116, ["dense 18 of 32"])
    alone = channels.dead_channels(rows[1:], "a", "", LIMITS.dead_channels)
    assert isinstance(alone, Unjudged) and "dense: 18 of 32" in alone.because


def test_a_constant_is_told_from_being_sure_of_everything():
    flat, wide = np.full((6, 1), 0.999999), np.linspace(12, 20, 6)[:, None]
    rule, limits = answers.predictions_constant, LIMITS.predictions_constant
    assert status(rule(flat, np.full((6, 1), 13.8), "sigmoid", limits)) == "fail"
    assert status(rule(flat, wide, "sigmoid", limits)) == "pass"
    assert status(rule(flat, None, "sigmoid", limits)) == "fail"
    assert status(rule(np.linspace(0.5, 0.502, 6)[:, None], None, "sigmoid", limits)) == "pass"
    assert status(rule(np.linspace(1000, 1000.5, 6)[:, None], None, "linear", limits)) == "fail"
    assert status(rule(np.linspace(1e-6, 2e-6, 6)[:, None], None, "linear", limits)) == "pass"
    assert status(rule(flat[:1], None, "sigmoid", limits)) == "not judged"


def test_saturated_answers_are_a_defect_unless_they_are_right():
    sure = np.array([[0.0], [1.0], [1.0], [0.0]])
    rule, limits = answers.predictions_saturated, LIMITS.predictions_saturated
    assert status(rule(sure, "sigmoid", None, 0, limits)) == "warn"
    assert status(rule(sure, "sigmoid", 2, 4, limits)) == "warn"
    assert status(rule(sure, "sigmoid", 4, 4, limits)) == "pass"
    assert status(rule(np.array([[0.0], [0.5]]), "sigmoid", None, 0, limits)) == "pass"
    assert status(rule(sure, "linear", None, 0, limits)) == "not judged"


@pytest.mark.parametrize(
    ("kind", "score", "interval", "chance", "n", "expected"),
    [
        ("AUC", 0.9, (0.75, 1.0), 0.5, 20, "pass"),
        ("AUC", 0.75, (0.48, 0.97), 0.5, 16, "pass"),  # good, with few probes
        ("AUC", 0.55, (0.28, 0.82), 0.5, 16, "warn"),
        ("AUC", 0.52, (0.45, 0.59), 0.5, 200, "fail"),
        ("AUC", 0.6, (0.53, 0.67), 0.5, 200, "pass"),  # little, and certain
        ("AUC", 0.1, (0.02, 0.25), 0.5, 20, "fail"),
        ("AUC", 0.5, (0.1, 0.9), 0.5, 8, "not judged"),
        ("AUC", None, None, 0.5, 20, "not judged"),
        ("AUC", 1.0, None, 0.5, 20, "pass"),
        ("r", 0.1, (-0.3, 0.45), 0.0, 30, "warn"),
        ("accuracy", 0.36, (0.2, 0.55), 0.34, 30, "warn"),
        ("accuracy", 0.8, (0.62, 0.9), 0.34, 30, "pass"),
    ],
)
def test_a_score_is_at_chance_where_its_interval_is_and_it_is_small(kind, score, interval, chance, n, expected):
    found = Interval(*interval) if interval else None
    assert status(answers.score_at_chance(kind, score, found, chance, n, LIMITS.score_at_chance)) == expected


def test_an_r_that_leans_on_few_points_is_no_pass_and_one_that_holds_without_them_is():
    rng = np.random.default_rng(5)
    bulk, tail = np.linspace(0, 0.2, 27), np.linspace(0.6, 0.95, 5)
    actual = np.concatenate([bulk, tail])
    leaning = regression_score(np.concatenate([0.2 + 0.05 * (-1.0) ** np.arange(27), tail]), actual)
    honest = regression_score(actual + rng.normal(0, 0.03, 32), actual)
    rest = leaning.rest
    assert leaning.correlation > 0.8 and (rest.left_out, rest.n) == (6, 26) and abs(rest.correlation) < 0.2
    near = np.argsort(np.abs(actual - np.median(actual)), kind="stable")[:26]
    assert rest.of_median == pytest.approx(np.abs(actual[near] - np.median(actual[near])).mean())
    for found, expected in ((leaning, "warn"), (honest, "pass")):
        judged = answers.score_at_chance(
            "r", found.correlation, found.interval, 0.0, found.n, LIMITS.score_at_chance, found
        )
        assert status(judged) == expected and judged.facts["leans"] == (expected == "warn")
    assert regression_score(actual[:9], actual[:9] * 2).rest is not None
    assert regression_score(actual[:8], actual[:8]).rest is None


def test_labels_that_are_always_wrong_are_told_also_where_they_are_not_denied_with_confidence():
    wrong = ("c", "merger", course(np.array([0.3, 0.3, 0.3]), np.zeros(3, bool)))
    judged = answers.labels_contradicted([wrong], 3, 0.8, LIMITS.labels_contradicted)
    assert status(judged) == "pass" and (judged.facts["wrong"], judged.facts["n_wrong"]) == (["c"], 1)


def test_labels_are_doubted_by_a_good_network_only_and_named():
    def row(name, p):
        return name, "merger", course(np.array(p), np.array(p) > 0.5)

    fine, denied, unsure = row("a", [0.6, 0.8, 0.9]), row("b", [0.2, 0.02, 0.01]), row("c", [0.3, 0.3, 0.3])
    rule, limits = answers.labels_contradicted, LIMITS.labels_contradicted
    judged = rule([fine, denied, unsure], 3, 0.8, limits)
    assert status(judged) == "warn" and [p["probe"] for p in judged.facts["probes"]] == ["b"]
    assert status(rule([fine, unsure], 3, 0.8, limits)) == "pass"
    assert status(rule([fine, denied], 3, 0.6, limits)) == "not judged"
    assert status(rule([fine, denied], 2, 0.8, limits)) == "not judged"
    assert status(rule([], 3, None, limits)) == "not judged"


@pytest.mark.parametrize(
    ("counts", "regression", "expected"),
    [
        ([4, 4], False, "pass"), ([3, 3], False, "warn"), ([1, 12], False, "warn"), ([5, 5, 5], False, "pass"),
        ([5], True, "pass"), ([4], True, "warn"), ([8], False, "warn"), ([0], True, "not judged"),
    ],
)  # fmt: skip
def test_a_probe_set_is_too_small_where_perfect_answers_prove_nothing(counts, regression, expected):
    assert status(answers.probe_set_small(counts, regression, LIMITS.probe_set_small)) == expected
