"""Gates, what is not judged, and what changed since the previous report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from extractions import probe_set, write_folder
from reportgen.archive.previous import previous_report
from reportgen.config import EVIDENCE, Config, WrongConfig, load
from reportgen.extraction import open_run
from reportgen.extraction.schema import RUN_FILE
from reportgen.report import build_report
from reportgen.report.gates import not_judged, unmet
from reportgen.report.html import as_html
from reportgen.report.json import as_json
from reportgen.sections import Check, Section, check_options
from reportgen.sections.section import Unjudged

MINIMAL = "run: {path: run}\nprobes: {images: images}\n"
DEAD = (0, 1, 2)


def report_of(folder: Path, **options):
    run = open_run(write_folder(folder, **options))
    return build_report(run, check_options(run.config.sections), lambda *_: None)


def configured(folder: Path, text: str) -> Config:
    (folder / "run").mkdir(exist_ok=True)
    (folder / "images").mkdir(exist_ok=True)
    (folder / "images" / "a.png").write_text("")
    (folder / "mine.yaml").write_text(MINIMAL + text)
    return load(folder / "mine.yaml").config


def test_a_threshold_is_changed_and_its_neighbours_stay(tmp_path):
    config = configured(tmp_path, "verdicts: {dead_channels: {warn: 0.7, fail: null}}\n")
    limits = config.verdicts.dead_channels
    assert (limits.warn, limits.fail, limits.layer) == (0.7, None, 0.5)
    statuses = []
    for i, verdicts in enumerate(({}, {"dead_channels": {"warn": 0.7, "fail": None, "layer": None}})):
        report = report_of(tmp_path / str(i), dead=DEAD, config={"verdicts": verdicts})
        statuses.append(next(c.status for c in report.checks if c.id == "dead_channels"))
    assert statuses == ["fail", "pass"]


def test_gates_are_a_list_that_must_pass_or_levels(tmp_path):
    assert configured(tmp_path, "gates: [dead_channels]\n").gates == {"dead_channels": "warn"}
    assert configured(tmp_path, "gates: {overfitting: fail}\n").gates == {"overfitting": "fail"}
    assert configured(tmp_path, "gates: overfitting\n").gates == {"overfitting": "warn"}
    assert configured(tmp_path, "").gates == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gates: [dead_chanels]\n", "there is no verdict dead_chanels; did you mean dead_channels?"),
        ("gates: {overfiting: fail}\n", "did you mean overfitting?"),
        ("gates: [quality]\n", "there are weights_not_finite"),
        ("gates: {overfitting: always}\n", "warn or fail"),
        ("verdicts: {dead_chanels: {warn: 0.2}}\n", "did you mean dead_channels?"),
        ("verdicts: {dead_channels: {wran: 0.2}}\n", "did you mean warn?"),
        ("verdicts: {dead_channels: {warn: 2}}\n", "less than or equal to 1"),
    ],
)
def test_a_typo_in_verdicts_or_gates_is_a_wrong_configuration(tmp_path, text, told):
    with pytest.raises(WrongConfig) as error:
        configured(tmp_path, text)
    assert told in str(error.value)


def test_gates_are_not_met_by_a_worse_status_and_by_none(tmp_path):
    gates = {"dead_channels": "fail"} | dict.fromkeys(("best_is_first", "band_dominated", "weights_exploded"), "warn")
    report = report_of(tmp_path / "a", dead=DEAD, config={"gates": gates, "sections": ["run", "activation_health"]})
    assert [(g.id, g.status) for g in report.unmet] == [
        ("weights_exploded", "not judged"), ("dead_channels", "fail"), ("band_dominated", "not judged"),
    ]  # fmt: skip
    assert report.unmet[0].because == "the report has no section weight_health"
    mild = report_of(tmp_path / "b", dead=(2,), config={"gates": {"dead_channels": "fail"}})
    assert next(c for c in mild.checks if c.id == "dead_channels").status == "warn" and not mild.unmet


def test_every_verdict_is_given_or_said_not_to_be_and_stands_in_the_data(tmp_path):
    report = report_of(tmp_path / "e", history=False, epochs=1)
    given, missing = {c.id for c in report.checks}, {n.id for n in report.not_judged}
    assert given | missing == set(EVIDENCE) and not given & missing
    because = {n.id: n.because for n in report.not_judged}
    assert because["overfitting"] == "the run has no history" and "one checkpoint only" in because["layer_unmoved"]
    for check in report.checks:
        assert check.section == EVIDENCE[check.id]
    html = as_html(report, {})
    assert "Not judged:" in html and "because the run has no history" in html
    data = json.loads(as_json(report))
    assert {c["id"] for c in data["checks"]} == given and {n["id"] for n in data["not_judged"]} == missing
    assert all(c["words"]["source"] and c["words"]["try"] for c in data["checks"])


def test_of_several_networks_each_is_judged_or_said_not_to_be_and_named():
    given = Check("dead_channels", "pass", 0.0, 0.1, {}, network="B")
    silent = Unjudged("dead_channels", "the network has no rectified layer", "A")
    whole = Check("overfitting", "pass", 0.0, 0.2)
    moved = Check("layer_unmoved", "pass", 1.0, 0.1, {}, network="C")
    sections = [
        Section(None, checks=(given,), unjudged=(silent,), id="activation_health"),
        Section(None, checks=(whole, moved), id="run"),
    ]
    missing = [n for n in not_judged(sections) if n.id in {"dead_channels", "overfitting", "layer_unmoved"}]
    assert [(n.id, n.network) for n in missing] == [
        ("dead_channels", "A"), ("dead_channels", "C"), ("layer_unmoved", "A"), ("layer_unmoved", "B"),
    ]  # fmt: skip
    assert missing[0].because == silent.because and missing[1].because == "it could not be run, or not measured"
    checks = [c for s in sections for c in s.checks]
    gate = next(unmet({"dead_channels": "warn"}, checks, missing))
    assert (gate.status, gate.network) == ("not judged", "A")
    assert not list(unmet({"overfitting": "warn"}, checks, missing))
    bad = Check("dead_channels", "fail", 0.9, 0.5, {}, network="B")
    assert next(unmet({"dead_channels": "fail"}, [bad], missing)).network == "B"


def archived(archive: Path, id: str, **options) -> Path:
    """File an extraction as the pipeline does, with the manifest that `render` reads."""
    folder = archive / "small" / id
    write_folder(folder / "extraction", **options)
    manifest = {"schema": 1, "id": id, "run": "small", "verdict": "pass", "banners": [], "probes": "ab" * 32,
                "summary": {}, "failures": [], "files": {}, "inputs": {}}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def render(folder: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REPORTGEN_")}
    words = ["render", str(folder), "--formats", "html", "--json"]
    return subprocess.run(
        [sys.executable, "-m", "reportgen", *words], env=clean, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(("gates", "code"), [({"dead_channels": "warn"}, 3), ({"input_range": "warn"}, 0)])
def test_a_gate_that_is_not_met_ends_the_command_with_3_and_is_named(tmp_path, gates, code):
    made = archived(tmp_path / "reports", "20260101-000000-0123abcd", dead=DEAD, config={"gates": gates})
    done = render(made)
    assert done.returncode == code, done.stderr
    answer = json.loads(done.stdout)
    assert [gate["id"] for gate in answer["gates"]] == (["dead_channels"] if code else [])
    html = Path(answer["files"]["html"]).read_text()
    assert ("A gate is not met: dead channels (fail)" in html) == bool(code)


def test_a_folder_from_before_there_were_verdict_options_still_renders(tmp_path):
    made = archived(tmp_path / "reports", "20260101-000000-0123abcd")
    path = made / "extraction" / RUN_FILE
    content = json.loads(path.read_text())
    for name in ("verdicts", "gates"):
        del content["config"][name]
    path.write_text(json.dumps(content))
    done = render(made)
    assert done.returncode == 0, done.stderr
    html = Path(json.loads(done.stdout)["files"]["html"]).read_text()
    assert "Dead channels" in html and "First report of this run" not in html  # nobody looked then


def test_the_next_report_says_what_changed(tmp_path):
    """The archive remembers the previous report; what is compared is stored before anything is drawn."""
    archive = tmp_path / "reports"
    assert previous_report(archive, "small") is None
    made = archived(archive, "20260101-000000-0123abcd", dead=DEAD)
    earlier = report_of(tmp_path / "earlier", dead=DEAD)
    (made / "report.json").write_text(as_json(earlier))
    manifest = json.loads((made / "manifest.json").read_text())
    summary = next(s for s in json.loads(as_json(earlier))["sections"] if s["id"] == "summary")["content"]
    files = {f"epoch-{i:03d}.keras": {"sha256": f"{i:064x}", "size": 1} for i in (1, 2, 9)}
    (made / "manifest.json").write_text(json.dumps(manifest | {"summary": summary, "inputs": files}))
    known = previous_report(archive, "small")
    assert known is not None and known["checks"]["dead_channels"] == "fail"

    folder = write_folder(tmp_path / "now", dead=())
    path = folder / RUN_FILE
    content = json.loads(path.read_text())
    pages = []
    for previous in (None, known, known):
        content["provenance"]["previous"] = previous
        path.write_text(json.dumps(content))
        run = open_run(folder)
        report = build_report(run, check_options(run.config.sections), lambda *_: None)
        pages.append(as_html(report, {}))
    assert "First report of this run." in pages[0] and pages[1] == pages[2]
    changes = report.changes
    assert [(t.id, t.before, t.now) for t in changes.better] == [("dead_channels", "fail", "pass")]
    assert (changes.new, changes.gone, changes.rewritten) == (("epoch-003.keras",), ("epoch-009.keras",), ())
    assert {n.name: (n.before, n.now) for n in changes.numbers}["dead"] == (3, 0)
    assert "Better: dead channels (fail → pass)." in pages[1] and "dead channels 3 → 0" in pages[1]


def test_a_broken_previous_report_is_passed_over(tmp_path):
    made = archived(tmp_path / "reports", "20260101-000000-0123abcd")
    (made / "report.json").write_text("{")
    assert previous_report(tmp_path / "reports", "small") is None


def test_a_healthy_run_of_eight_probes_has_no_fail_and_at_most_one_warn(tmp_path):
    report = report_of(tmp_path / "e", probes=probe_set(8), dead=())
    said = [c for c in report.checks if c.status != "pass"]
    assert not [c for c in said if c.status == "fail"] and len(said) <= 1, said
