"""What every section owes, and what each says."""

from __future__ import annotations

import dataclasses
import json

import h5py
import numpy as np
import pytest

from extractions import probe_set, write_folder
from reportgen.config import Options, SectionConfig
from reportgen.config.model import SECTION_IDS
from reportgen.errors import ConfigError, Failure
from reportgen.extraction import Layer, open_run
from reportgen.extraction.schema import RUN_FILE
from reportgen.report import build_report
from reportgen.report.html import as_html
from reportgen.report.json import as_json
from reportgen.sections import SECTIONS, build_section, check_options
from reportgen.sections.chosen import best
from reportgen.sections.kernels import outputs_last, slice_name
from reportgen.templating import resource_folder


def quiet(*_):
    pass


def report_of(folder):
    run = open_run(folder)
    return build_report(run, check_options(run.config.sections), quiet)


def content(report, id):
    return next(s for s in report.sections if s.id == id).content


@pytest.mark.parametrize("id", SECTIONS)
def test_every_section_has_its_words_its_template_and_plain_content(id, tmp_path):
    module = SECTIONS[id]
    assert module.TITLE and module.QUESTION.endswith("?") and issubclass(module.SectionOptions, Options)
    assert (resource_folder("templates") / "sections" / f"{id}.html").is_file()
    run = open_run(write_folder(tmp_path / "e"))
    section, failure = build_section(run, SectionConfig(id=id), module.SectionOptions())
    assert failure is None and not section.absent
    assert dataclasses.is_dataclass(section.content) and section.title == module.TITLE
    json.dumps(dataclasses.asdict(section.content), default=lambda v: v.item())
    ids = [figure.id for figure in section.figures]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("id", SECTIONS)
def test_every_section_says_why_where_it_cannot_answer(id, tmp_path):
    """A run of which no checkpoint could be read still has a whole report."""
    folder = write_folder(tmp_path / "e", epochs=0, failures=(Failure("checkpoint", "a.h5", "it is truncated"),))
    report = report_of(folder)
    section = next(s for s in report.sections if s.id == id)
    assert section.absent or section.content is not None
    assert "could not be made" not in section.absent


def test_sections_stand_in_the_order_the_configuration_knows():
    assert tuple(SECTIONS) == SECTION_IDS


def test_a_section_that_raises_is_named_and_the_rest_is_made(tmp_path, monkeypatch):
    def build(run, options):
        raise ZeroDivisionError("a bug in this section")

    monkeypatch.setattr(SECTIONS["kernels"], "build", build)
    report = report_of(write_folder(tmp_path / "e"))
    assert [(f.kind, f.name) for f in report.failed] == [("section", "kernels")]
    assert "ZeroDivisionError" in report.failed[0].problem and "PARTIAL" in report.banners
    html = as_html(report, {})
    assert "a bug in this section" in html and 'id="predictions"' in html


def test_an_unknown_section_and_an_unknown_option_are_both_named_before_anything_runs():
    with pytest.raises(ConfigError) as error:
        check_options([SectionConfig(id="kernel"), SectionConfig(id="kernels", options={"strongst": 3})])
    assert "'kernel'" in str(error.value) and "strongst" in str(error.value) and "strongest" in str(error.value)


def test_best_checkpoint_is_that_of_the_smallest_validation_loss(tmp_path):
    report = report_of(write_folder(tmp_path / "e", epochs=4))
    run = content(report, "run")
    assert (run.best, run.monitor) == ("epoch-002", "val_loss")
    assert [r.role for r in run.rows] == ["first", "best", "", "last"]
    assert run.gap == pytest.approx(0)


def test_without_a_history_the_last_checkpoint_stands_in_and_the_report_says_so(tmp_path):
    report = report_of(write_folder(tmp_path / "e", history=False))
    assert content(report, "run").monitor == "" and content(report, "run").best == "epoch-003"
    assert "not known" in as_html(report, {})


def test_planted_dead_channels_are_counted_named_and_marked(tmp_path):
    report = report_of(write_folder(tmp_path / "e", dead=(1, 4)))
    rows = [r for r in content(report, "activations").networks[0].dead if r.layer == "conv"]
    assert all(r.dead == (1, 4) and r.of == 5 for r in rows) and len(rows) == 3
    pooled = [r for r in content(report, "activations").networks[0].dead if r.layer == "pool"]
    assert all(r.rectified and r.dead == (1, 4) for r in pooled)
    section = next(s for s in report.sections if s.id == "activations")
    maps = next(f for f in section.figures if f.facts.get("layer") == "conv")
    assert [label.mark for label in maps.labels] == ["", "dead", "", "", "dead"]
    html = as_html(report, {})
    assert "2 of 5 dead" in html and "1 dead" in html
    check = next(c for c in report.checks if c.id == "dead_channels")
    assert (check.facts["dead"], check.facts["of"], check.status) == (2, 5, "warn")


def test_nan_weights_fail_a_verdict_that_names_file_layer_and_array(tmp_path):
    import h5py

    folder = write_folder(tmp_path / "e")
    with h5py.File(folder / "epoch-002.h5", "r+") as file:
        kernel = file["weights/0000/0"]
        kernel[0, 0, 0, 0] = np.nan
    report = report_of(folder)
    check = next(c for c in report.checks if c.id == "weights_not_finite")
    assert check.status == "fail" and check.facts["where"] == ["epoch-002.keras: conv kernel"]
    assert report.verdict == "fail"


def test_a_regression_is_scored_against_its_targets(tmp_path):
    folder = write_folder(tmp_path / "e", probes=probe_set(8, targets=True), config={"task": {"kind": "regression"}})
    report = report_of(folder)
    said = content(report, "predictions").networks[0]
    run = open_run(folder)
    predicted = run.extractions[1].predictions[:, 0].astype(float)
    actual = np.arange(1, 9) / 9
    assert said.score.mean_absolute_difference == pytest.approx(np.abs(predicted - actual).mean(), rel=1e-6)
    section = next(s for s in report.sections if s.id == "predictions")
    assert [f.id for f in section.figures][2:4] == ["predictions-best-epoch-002", "predictions-worst-epoch-002"]
    assert section.figures[0].data["predicted"] == pytest.approx(predicted)
    assert "prove little" in as_html(report, {})


def test_labels_that_are_no_class_are_named_not_counted(tmp_path):
    folder = write_folder(tmp_path / "e", config={"task": {"kind": "binary", "classes": ["single", "merger"]}})
    said = content(report_of(folder), "predictions").networks[0]
    assert said.unknown_labels == ("isolated",) and said.confusion.n == 3


def test_faint_inputs_get_a_warning_with_the_number(tmp_path):
    faint = probe_set()
    faint = dataclasses.replace(faint, inputs=faint.inputs / 255)
    report = report_of(write_folder(tmp_path / "e", probes=faint))
    check = next(c for c in report.checks if c.id == "input_range")
    assert check.status == "warn" and check.value == pytest.approx(float(np.abs(faint.inputs).max()))
    assert "far less than a normalised input has" in as_html(report, {})


def test_figures_are_numbered_through_and_every_number_is_in_the_json(tmp_path):
    report = report_of(write_folder(tmp_path / "e"))
    numbers = [f.number for s in report.sections for f in s.figures]
    assert numbers == list(range(1, len(numbers) + 1))
    data = json.loads(as_json(report))
    assert [f["number"] for s in data["sections"] for f in s["figures"]] == numbers
    assert data["schema"] == 1 and {c["id"] for c in data["checks"]} == {c.id for c in report.checks}


def test_a_probe_of_known_scale_gets_a_bar_of_the_right_length(tmp_path):
    probes = probe_set()
    first = dataclasses.replace(probes.probes[0], metadata={"pixel_scale": "0.5"})
    probes = dataclasses.replace(probes, probes=(first, *probes.probes[1:]))
    report = report_of(write_folder(tmp_path / "e", probes=probes))
    sheet = next(f for s in report.sections if s.id == "probes" for f in s.figures if f.id == "probes-sheet")
    (bar,) = sheet.boxes
    (x0, _), (x1, _) = bar.points
    # 20 pixels of 0.5 arcsec are 10 arcsec: the bar of 5 arcsec is half the picture.
    assert (x1 - x0) == pytest.approx(sheet.placed[0].width / 2)
    assert [label.text for label in sheet.labels][-1] == "5″"


def test_slices_of_transposed_and_depthwise_kernels_are_numbered_by_their_real_channels():
    kernel = np.zeros((3, 3, 4, 5), "f4")  # transposed: four outputs, five inputs
    kernel[:, :, 1, 3] = 1
    turned = outputs_last(kernel, layer_of_class("Conv2DTranspose"))
    place = int(turned.transpose(0, 1, 3, 2).reshape(3, 3, -1)[0, 0].argmax())
    assert slice_name(place, turned.shape[2]) == "3→1"
    kernel = np.zeros((3, 3, 4, 2), "f4")  # depthwise: two outputs of each of four channels
    kernel[:, :, 2, 1] = 1
    turned = outputs_last(kernel, layer_of_class("DepthwiseConv2D"))
    assert turned.shape == (3, 3, 1, 8) and slice_name(int(turned[0, 0].argmax()), 1) == "→5"


def layer_of_class(name):
    return Layer("x", "x", name, (), (8, 8, 4), 10, True, "linear")


def test_in_a_run_of_several_networks_the_one_with_most_checkpoints_stands_for_it(tmp_path):
    run = open_run(write_folder(tmp_path / "e", history=False))
    assert best(run).extraction.name == "epoch-003"
    last = run.extractions[-1]
    last.about = dataclasses.replace(last.about, architecture="another")
    assert best(run).extraction.name == "epoch-002"
    first = run.extractions[0]
    first.about = dataclasses.replace(first.about, architecture="a third")
    assert best(run).extraction.name == "epoch-003"  # as many of each: the later


def test_training_order_is_claimed_for_checkpoints_with_an_epoch_alone(tmp_path):
    folder = write_folder(tmp_path / "e")
    known = json.loads((folder / "_run.json").read_text())
    known["checkpoints"][-1]["epoch"] = None
    (folder / "_run.json").write_text(json.dumps(known))
    page = as_html(report_of(folder), {})
    assert "the first 2 in training order; the epoch of the other 1 is not known" in page
    assert "Checkpoints in training order" not in page


def test_summary_and_failures_count_the_same_and_say_why_there_is_no_score(tmp_path):
    lost = tuple(Failure("checkpoint", f"{name}.h5", "it is truncated") for name in "ab")
    report = report_of(write_folder(tmp_path / "e", failures=lost))
    (count, _) = content(report, "failures").counts
    assert (count.made, count.expected) == (3, 5)
    assert not [s for s in content(report, "failures").skipped if s.what.startswith("file")]
    assert (content(report, "summary").measured, content(report, "summary").checkpoints) == (3, 5)
    folder = write_folder(tmp_path / "none", epochs=1)
    with h5py.File(folder / "epoch-001.h5", "a") as file:
        del file["predictions"]
    page = as_html(report_of(folder), {})
    assert "no checkpoint could be run: no score" in page and "without labels or targets" not in page
    assert "epochs 1 to 1" not in page


def test_copies_and_methods_that_were_left_out_are_listed_with_why(tmp_path):
    folder = write_folder(tmp_path / "e")
    path = folder / RUN_FILE
    said = json.loads(path.read_text())
    said["record"]["copies"] = {"highest_weight.keras": "epoch-002.keras"}
    path.write_text(json.dumps(said))
    report = report_of(folder)
    skipped = content(report, "failures").skipped
    assert skipped[0].what == "file highest_weight.keras" and "epoch-002.keras" in skipped[0].because
    assert not report.failures
    page = as_html(report, {})
    assert "nothing was skipped" not in page and "highest_weight.keras: it repeats epoch-002.keras" in page
