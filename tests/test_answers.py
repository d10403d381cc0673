"""Sections on planted channels, labels and predictors."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from planted import SECTIONS, SIDE, open_planted, peaks, probe_set
from reportgen.report import build_report
from reportgen.report.html import as_html
from reportgen.report.json import as_json
from reportgen.sections import check_options

BINARY = {"kind": "binary", "classes": ["undisturbed", "merger"]}


def report_of(run):
    report = build_report(run, check_options(run.config.sections), lambda *_: None)
    assert not report.failures, report.failures
    json.loads(as_json(report))
    return report, as_html(report, {})


def said(report, id):
    return report.section(id).content.networks[0]


def labels_of(n):
    return ["merger" if i % 2 else "undisturbed" for i in range(n)]


def planted_channels(tmp_path, n=40, seed=0, **more):
    rng = np.random.default_rng(seed)
    member = np.arange(n) % 2
    light, magnitude = rng.uniform(1, 5, n), rng.normal(20, 1, n)
    probes = probe_set(labels_of(n), metadata=[{"magnitude": f"{m:.6f}"} for m in magnitude], brightness=light)
    flux = np.array([image.sum() for image in probes.images])
    values = np.stack(
        [rng.uniform(1, 2, n), 1 + member + rng.uniform(0, 0.1, n), flux / 50, 1 + (magnitude - 15) / 10, np.zeros(n)],
        axis=1,
    )
    answers = (0.05 + 0.9 * member)[:, None]
    return open_planted(tmp_path / "e", probes, [peaks(values)] * 2, [answers] * 2, task=BINARY, **more)


def test_the_channel_that_is_the_class_is_selective_and_those_that_are_brightness_are_confounded(tmp_path):
    report, html = report_of(planted_channels(tmp_path))
    network = said(report, "selectivity")
    noise, is_class, is_flux, is_magnitude, dead = network.channels
    assert is_class.effect == 1 and is_class.prefers == "merger" and is_class.q < 1e-4 and not is_class.confounded
    assert is_flux.confounder == "total flux" and is_flux.rho > 0.98 and is_flux.confounded and not is_flux.selective
    assert (is_magnitude.confounder, round(is_magnitude.rho, 6)) == ("magnitude", 1.0) and is_magnitude.confounded
    assert not noise.selective and not noise.confounded and dead.effect is None and dead.spread == 0
    (row,) = network.layers
    assert (row.of, row.tested, row.selective, row.confounded) == (5, 4, 1, 2) and row.best == is_class
    assert "channel 1: AUC 1.00 for merger" in html and "total flux 40" in html


def test_the_frame_is_where_the_excited_unit_looks(tmp_path):
    run = planted_channels(tmp_path, sections=SECTIONS[:1])
    section = report_of(run)[0].section("selectivity")
    (figure,) = section.figures
    assert figure.data["channel"][0] == 1 and set(figure.data["most"][0]) <= {f"galaxy-{i}" for i in range(1, 40, 2)}
    # Unit (3, 10) of a valid 5 x 5 convolution sees rows 3 to 7 and columns 10 to 14.
    assert figure.data["patch"][0] == [(3, 10, 5, 5)] * 5
    picture, frame = figure.placed[0], figure.boxes[0]
    assert (frame.left - picture.x, frame.wide) == pytest.approx((picture.width * 10 / SIDE, picture.width * 5 / SIDE))
    assert (frame.top - picture.y, frame.high) == pytest.approx((picture.height * 3 / SIDE, picture.height * 5 / SIDE))
    turned = tuple(replace(p, metadata={"row_0": "bottom"}) for p in run.probes.probes)
    figure = report_of(replace(run, probes=replace(run.probes, probes=turned)))[0].section("selectivity").figures[0]
    assert figure.boxes[0].top - figure.placed[0].y == pytest.approx(figure.placed[0].height * (SIDE - 8) / SIDE)


def test_a_crop_moves_the_frame_to_where_the_crop_was(tmp_path):
    run = planted_channels(tmp_path, sections=SECTIONS[:1])
    wide = tuple(np.pad(image, ((5, 5), (10, 10), (0, 0))) for image in run.probes.images)
    prepare = run.config.probes.prepare.model_copy(update={"crop": SIDE})
    config = run.config.model_copy(update={"probes": run.config.probes.model_copy(update={"prepare": prepare})})
    run = replace(run, probes=replace(run.probes, images=wide), config=config)
    figure = report_of(run)[0].section("selectivity").figures[0]
    picture, frame = figure.placed[0], figure.boxes[0]
    assert (frame.left - picture.x) / picture.width == pytest.approx(20 / 40)
    assert (frame.top - picture.y) / picture.height == pytest.approx(8 / 30)


def test_with_statmorph_the_channels_are_compared_with_morphology_and_without_the_report_says_so(tmp_path):
    pytest.importorskip("statmorph", reason="statmorph is an optional extra")
    sections = [{"id": "selectivity", "options": {"morphology": 8}}]
    report, html = report_of(planted_channels(tmp_path / "a", n=12, sections=sections))
    names = {c.name: c.n for c in report.section("selectivity").content.columns}
    assert {"total flux", "noise", "area of the source"} <= set(names) and 5 <= names["Gini"] <= 8
    _, html = report_of(planted_channels(tmp_path / "b", n=12, sections=SECTIONS[:1]))
    assert "Concentration, asymmetry, Gini and M20 are missing: switched off" in html


def test_too_few_probes_are_said_to_be_too_few_and_nothing_is_called_selective(tmp_path):
    probes = probe_set(labels_of(5))
    values = np.stack([np.arange(5) % 2 + 1.0, np.arange(5) + 1.0], axis=1)
    run = open_planted(tmp_path / "e", probes, [peaks(values)], [np.full((5, 1), 0.4)], task=BINARY)
    report, html = report_of(run)
    network = said(report, "selectivity")
    assert "cannot give a p-value below 0.05" in network.problem and network.problem in html
    assert all(c.effect is None and not c.selective for c in network.channels)


def course_run(tmp_path, n=12, wrong=4, checkpoints=6):
    member = np.arange(n) % 2
    rise = np.linspace(0.6, 0.95, checkpoints)
    answers = [np.where(member == 1, p, 1 - p)[:, None] for p in rise]
    for a in answers:
        a[wrong] = 0.97  # labelled undisturbed
    rng = np.random.default_rng(1)
    maps = [peaks(rng.uniform(1, 2, (n, 3))) for _ in range(checkpoints)]
    losses = [0.6, 0.5, 0.3, 0.35, 0.4, 0.5][:checkpoints]
    return open_planted(tmp_path / "e", probe_set(labels_of(n)), maps, answers, task=BINARY, history=losses)


def test_a_mislabelled_probe_is_named_and_no_other(tmp_path):
    report, html = report_of(course_run(tmp_path))
    network = said(report, "predictions")
    assert [c.number for c in network.courses if c.course.contradicted] == [4]
    assert {c.course.kind for c in network.courses if c.number != 4} == {"easy"}
    assert "perhaps the label is wrong: galaxy-4 (4), labelled undisturbed" in html
    table = next(f for f in report.section("predictions").figures if f.facts["kind"] == "course")
    assert table.data["probe"][0] == "galaxy-4" and table.data["values"][0] == pytest.approx([0.03] * 6, abs=1e-6)


def test_the_checkpoint_to_keep_is_that_of_the_history_and_every_witness_is_in_the_table(tmp_path):
    report, html = report_of(course_run(tmp_path))
    network = said(report, "predictions")
    assert (network.choice.kept, network.choice.decided) == ("epoch-003", "history")
    assert [w.monitored for w in network.witnesses] == [0.6, 0.5, 0.3, 0.35, 0.4, 0.5]
    # One of twelve answers does not move, the others by 0.07.
    assert (
        network.witnesses[1].change == pytest.approx(0.07 * 11 / 12, abs=1e-6) and network.witnesses[0].change is None
    )
    assert "Keep <b>epoch-003</b>: val_loss is best there" in html


def predictor(tmp_path, push, units=1, n=400):
    rng = np.random.default_rng(2)
    p = rng.uniform(0.05, 0.95, n)
    member = rng.random(n) < p
    labels = ["merger" if m else "undisturbed" for m in member]
    shown = np.clip(0.5 + push * (p - 0.5), 0.001, 0.999)
    answers = shown[:, None] if units == 1 else np.stack([1 - shown, shown], axis=1)
    maps = peaks(np.stack([p + 1, rng.random(n)], axis=1))
    run = open_planted(
        tmp_path / f"{push}-{units}", probe_set(labels), [maps], [answers], "sigmoid" if units == 1 else "softmax",
        task=BINARY, sections=["predictions"],
    )  # fmt: skip
    return report_of(run)


def test_a_calibrated_predictor_and_an_overconfident_one_and_two_softmax_units_as_one_sigmoid(tmp_path):
    good, _ = predictor(tmp_path, 1.0)
    sure, html = predictor(tmp_path, 1.8)
    both, _ = predictor(tmp_path, 1.8, units=2)
    calibrated, over, twin = (said(r, "predictions") for r in (good, sure, both))
    assert calibrated.calibration.ece < 0.07 and over.calibration.ece > 0.12 and over.calibration.over > 0.12
    assert "surer than they are right" in html
    assert any(f.facts["kind"] == "reliability" for f in sure.section("predictions").figures)
    assert twin.calibration.ece == pytest.approx(over.calibration.ece)
    assert twin.rocs[0].roc.auc == pytest.approx(over.rocs[0].roc.auc) and twin.confusion == over.confusion


def test_many_classes_have_a_curve_and_a_completeness_each(tmp_path):
    rng = np.random.default_rng(3)
    names = ["spiral", "elliptical", "merger", "star"]
    actual = np.arange(32) % 4
    logits = rng.normal(size=(32, 4)) + 3 * np.eye(4)[actual]
    answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    values = np.stack([1 + (actual == 2) + rng.uniform(0, 0.01, 32), rng.uniform(1, 2, 32)], axis=1)
    run = open_planted(
        tmp_path / "e", probe_set([names[a] for a in actual]), [peaks(values)] * 3, [answers] * 3, "softmax",
        task={"classes": names},
    )  # fmt: skip
    report, _ = report_of(run)
    network = said(report, "predictions")
    assert [c.name for c in network.rocs] == names and all(c.roc.auc > 0.7 for c in network.rocs)
    assert all(s.completeness_interval.low < s.completeness <= 1 for s in network.confusion.scores)
    assert said(report, "selectivity").channels[0].prefers == "merger"
    assert network.witnesses[0].score == pytest.approx(network.confusion.accuracy)


def test_nan_predictions_and_activations_are_left_out_and_counted(tmp_path):
    run = course_run(tmp_path, checkpoints=3)
    answers = [e.predictions.copy() for e in run.extractions]
    answers[1][2] = np.nan
    maps = [e.maps("conv") for e in run.extractions]
    maps[1][2, 0, 0, 1] = np.nan
    run = open_planted(tmp_path / "nan", run.probes, maps, answers, task=BINARY, history=[0.6, 0.3, 0.4])
    report, _ = report_of(run)
    network = said(report, "predictions")
    assert network.not_finite == 1 and len(network.courses) == 12 and network.courses[2].course.kind == ""
    assert network.choice.kept == "epoch-003"  # the best by history answers NaN
    assert said(report, "selectivity").channels[1].effect is None
    assert said(report, "representation").left_out == 1


@pytest.mark.parametrize("n", [1, 2, 7])
def test_without_labels_every_section_says_so_and_draws_what_it_can(n, tmp_path):
    rng = np.random.default_rng(4)
    maps, answers = peaks(rng.uniform(1, 2, (n, 3))), rng.random((n, 1))
    run = open_planted(tmp_path / "e", probe_set([None] * n), [maps, maps], [answers, answers], task=BINARY)
    report, html = report_of(run)
    network = said(report, "predictions")
    assert network.courses == () and network.calibration is None and network.choice.kept == "epoch-002"
    if n == 1:
        assert "one probe there is nothing" in report.section("selectivity").absent
    else:
        assert said(report, "selectivity").problem == "no probe has a label that is one of the classes"
    assert (said(report, "representation").layers is not None) == (n >= 4)
    assert n >= 4 or "Layers cannot be compared" in html


def test_a_regression_shows_its_differences_over_the_checkpoints(tmp_path):
    n = 20
    target = np.linspace(0.1, 0.9, n)
    rng = np.random.default_rng(5)
    values = np.stack([1 + target, rng.uniform(1, 2, n)], axis=1)
    answers = [(target + shift)[:, None] for shift in (0.3, 0.1, 0.05)]
    probes = probe_set([None] * n, targets=target.tolist())
    run = open_planted(tmp_path / "e", probes, [peaks(values)] * 3, answers, task={"kind": "regression"})
    report, _ = report_of(run)
    channel = said(report, "selectivity").channels[0]
    assert channel.effect == pytest.approx(1) and channel.selective and channel.prefers == ""
    network = said(report, "predictions")
    assert network.score.bias == pytest.approx(0.05, abs=1e-6) and network.score.scatter == pytest.approx(0, abs=1e-6)
    assert all(c.mean == pytest.approx(0.15, abs=1e-6) and c.course is None for c in network.courses)
    assert network.calibration is None and network.rocs == ()


def test_representation_separates_planted_groups_and_equal_checkpoints_are_alike(tmp_path):
    report, html = report_of(planted_channels(tmp_path))
    network = said(report, "representation")
    assert network.layer == "gap" and network.features == 5 and network.n == 40
    assert network.checkpoints.names == ("epoch 1", "epoch 2")
    assert network.checkpoints.values[0][1] == pytest.approx(1)
    atlas = next(f for f in report.section("representation").figures if f.facts["kind"] == "pca")
    assert len(atlas.data["x"]) == 40 and 0 < atlas.facts["pictures"] <= 40
    assert "n = 40 probes" in html


def test_tsne_is_made_where_asked_and_a_missing_library_is_named(tmp_path, monkeypatch):
    import sys

    asked = {"id": "representation", "options": {"also": ["tsne", "umap"]}}
    monkeypatch.setitem(sys.modules, "umap", None)
    report, html = report_of(planted_channels(tmp_path, n=12, sections=[asked]))
    assert any(f.facts["kind"] == "tsne" for f in report.section("representation").figures)
    assert "umap is not installed" in html
