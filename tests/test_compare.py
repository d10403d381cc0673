"""Two reports beside each other: what is said, what is refused, and that an archive may move."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.stats import binomtest

from extractions import probe_set
from filed import file_report, quiet
from reportgen.archive import find_report, read_manifest
from reportgen.archive.compare import Chosen, compare
from reportgen.archive.verify import verify_report
from reportgen.cli.entry import exit_code_of
from reportgen.diagnostics.churn import agreement, churn
from reportgen.diagnostics.similarity import cka, gram
from reportgen.errors import ArchiveError, ConfigError
from reportgen.extraction import Extraction, open_run
from reportgen.figures import Limits
from reportgen.pipeline import render
from reportgen.sections.pairs.beside import beside


def other_weights(folder: Path, seed: int) -> None:
    """Give every checkpoint of an extraction other weights, maps and answers, as another seed would."""
    rng = np.random.default_rng(seed)
    for path in folder.glob("epoch-*.h5"):
        with h5py.File(path, "r+") as file:
            for group in [*file["weights"].values(), *file["activations"].values(), {"p": file["predictions"]}]:
                for data in group.values():
                    if data.dtype.kind == "f" and data.ndim > 1:
                        data[...] = np.clip(data[...] + rng.normal(0, 0.2, data.shape), 0.02, 0.98)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Four runs: one, another seed of it, one on other probes, and one that answers with a number."""
    base = tmp_path_factory.mktemp("compared")
    many = probe_set(12)
    file_report(base, "one", 0, epochs=3, probes=many)
    two = file_report(base, "two", 1, epochs=3, probes=many)
    other_weights(two / "extraction", 5)
    file_report(base, "elsewhere", 2, epochs=2, probes=replace(probe_set(12, seed=9), sha256="ef" * 32))
    targets = replace(many, probes=tuple(replace(p, target=i / 12) for i, p in enumerate(many.probes)))
    file_report(base, "number", 3, epochs=2, probes=targets, config={"task": {"kind": "regression", "output": "score"}})
    return base


def made(base, a, b, *formats, **more):
    sides = [Chosen(find_report(w.split(":")[0], base / "reports"), w.partition(":")[2]) for w in (a, b)]
    done = compare(*sides, quiet, formats or ("html",), **more)
    report = json.loads((done.folder / "report.json").read_text())
    return done, {section["id"]: section for section in report["sections"]}, (done.folder / "report.html").read_text()


def extraction(base, run, name="epoch-002"):
    """Return the checkpoint as stored; epoch 2 is the best of each run."""
    return Extraction(find_report(run, base / "reports") / "extraction" / f"{name}.h5")


def test_churn_counts_what_changed_and_tests_it_as_mcnemar_does():
    a, b, truth = [0, 0, 1, 1, None, 1, 0], [0, 1, 1, 0, 1, 0, 0], [0, 1, 1, 1, 1, None, 1]
    found = churn(a, b, truth)
    assert (found.n, found.changed, found.labelled, found.gained, found.lost) == (6, 3, 5, 1, 1)
    assert found.fraction == 0.5 and found.p == 1.0
    many = churn([0] * 9 + [1], [1] * 9 + [0], [1] * 10)
    assert many.p == pytest.approx(binomtest(9, 10).pvalue) and many.p < 0.03
    assert churn([0], [0], [0]).p is None and churn([None], [0], [0]).fraction is None


def test_agreement_leaves_out_what_is_not_finite():
    found = agreement(np.array([0.0, 1, 2, np.nan]), np.array([1.0, 3, 2, 5]))
    assert (found.n, found.mean, found.absolute, found.largest) == (3, 1.0, 1.0, 2.0)
    assert found.correlation == pytest.approx(np.corrcoef([0, 1, 2], [1, 3, 2])[0, 1])
    assert agreement(np.array([np.nan]), np.array([1.0])).absolute is None


def test_a_and_b_share_their_limits_and_the_difference_is_about_zero():
    a, b = np.zeros((4, 4, 2)), np.zeros((4, 4, 2))
    a[0, 0, 0], b[1, 1, 1] = 2.0, 6.0
    figure = beside("x", a, b, ["0", "1"], {}, signed=False)
    assert (figure.facts["low"], figure.facts["high"], figure.facts["difference"]) == (0.0, 6.0, 6.0)
    assert len(figure.placed) == 6 and [label.text for label in figure.labels if label.strong] == ["A", "B", "B − A"]
    assert figure.bar == Limits("magnitude", 0.0, 6.0).bar()


def test_two_seeds_are_compared_number_by_number(base):
    done, sections, html = made(base, "one", "two")
    a, b = extraction(base, "one"), extraction(base, "two")
    assert done.limits == () and done.new and not done.failures and "PROBE SETS DIFFER" not in html
    answers = sections["answers"]["content"]
    assert answers["agreement"]["absolute"] == pytest.approx(np.abs(a.predictions - b.predictions).mean(), rel=1e-6)
    assert answers["churn"]["changed"] == int(((a.predictions >= 0.5) != (b.predictions >= 0.5)).sum())
    row = next(r for r in sections["distances"]["content"]["rows"] if r["layer"] == "conv")
    x, y = (np.concatenate([v.ravel() for v in e.arrays("conv").values()]).astype(float) for e in (a, b))
    assert row["weights"]["relative"] == pytest.approx(np.linalg.norm(y - x) / np.linalg.norm(x))
    assert row["cka"] == pytest.approx(cka(gram(a.maps("conv")), gram(b.maps("conv"))))
    table = next(f for f in sections["distances"]["figures"] if f["id"] == "pair-cka")
    assert len(table["data"]["values"]) == len(table["data"]["a"]) == 2
    maps = next(f for f in sections["same_maps"]["figures"] if f["id"].startswith("pair-maps"))["facts"]
    number = [p.id for p in probe_set(12).probes].index(maps["probe"])
    apart = b.maps(maps["layer"], number).astype(float) - a.maps(maps["layer"], number)
    assert maps["difference"] == pytest.approx(np.abs(apart).max())
    assert {v["name"] for v in sections["metrics"]["content"]["probes"]} >= {"accuracy", "AUC of merger"}


def test_verdicts_gained_and_lost_are_those_of_the_two_reports(base):
    folder = find_report("two", base / "reports")
    said = json.loads((folder / "report.json").read_text())
    changed = json.loads(json.dumps(said))
    turned = next(c for c in changed["checks"] if c["status"] == "pass")
    turned["status"] = "fail"
    (folder / "report.json").write_text(json.dumps(changed))
    try:
        _, sections, html = made(base, "one", "two", force=True)
    finally:
        (folder / "report.json").write_text(json.dumps(said))
    rows = sections["verdict_changes"]["content"]["rows"]
    assert rows[0]["id"] == turned["id"] and rows[0]["turn"] == "worse" and "▼ worse" in html


def test_numbers_of_two_probe_sets_are_refused_and_the_rest_compared(base):
    done, sections, html = made(base, "one", "elsewhere")
    assert "probe sets differ" in done.limits[0] and "PROBE SETS DIFFER" in html
    assert sections["answers"]["content"] is None and "other galaxies" in sections["answers"]["absent"]
    assert sections["same_maps"]["content"] is None and sections["metrics"]["content"]["probes"] == []
    assert sections["metrics"]["content"]["history"] and sections["distances"]["content"]["rows"]
    assert all(row["cka"] is None for row in sections["distances"]["content"]["rows"])
    assert sections["verdict_changes"]["content"]["rows"]
    names = {row["name"] for row in sections["differences"]["content"]["rows"]}
    assert {"run.path", "report.title", "probes.images"} <= names


def test_two_questions_are_compared_by_rank_alone(base):
    done, sections, html = made(base, "one", "number")
    content = sections["answers"]["content"]
    assert content["churn"] is None and not content["same_task"] and "Spearman" in html
    assert [f["facts"]["kind"] for f in sections["answers"]["figures"]] == ["scatter"]
    assert any("different questions" in words for words in done.limits)


def test_two_checkpoints_of_one_run_by_name_file_or_epoch(base, monkeypatch, capsys):
    done, sections, _ = made(base, "one:epoch-001", "one:3")
    assert [s["checkpoint"] for s in sections["compared"]["content"]["sides"]] == ["epoch-001.keras", "epoch-003.keras"]
    assert sections["same_maps"]["content"]["relatives"]
    verdicts = sections["verdict_changes"]["content"]
    rows = {row["id"]: row for row in verdicts["rows"]}
    assert verdicts["alone"] and "best_is_last" not in rows  # a verdict on a whole training
    largest = [np.abs(extraction(base, "one", n).predictions - 0.5).max() for n in ("epoch-001", "epoch-003")]
    assert rows["predictions_saturated"]["a"]["status"] == "pass" and max(largest) < 0.5
    spread = [np.ptp(extraction(base, "one", name).predictions) for name in ("epoch-001", "epoch-003")]
    assert [rows["predictions_constant"][side]["value"] for side in "ab"] == pytest.approx(spread, rel=1e-5)
    monkeypatch.chdir(base)
    words = ["compare", "one", "--checkpoints", "1,epoch-003.keras", "--formats", "html", "--json", "-q"]
    assert exit_code_of(words) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert Path(told["folder"]).resolve() == done.folder.resolve() and not told["new"]


def test_a_comparison_is_made_once_and_again_when_it_is_damaged(base):
    first, _, html = made(base, "two", "one")
    again, _, _ = made(base, "two", "one")
    assert again.folder == first.folder and not again.new
    (first.folder / "report.html").write_text("")
    third, _, fresh = made(base, "two", "one")
    assert third.new and third.folder != first.folder and fresh == html
    assert verify_report(third.folder).whole and verify_report(third.folder).repeatable
    shutil.rmtree(first.folder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["one", "one"], "not compared with itself"), (["one:9", "one:1"], "no such checkpoint"),
        (["one"], "two things"), (["one", "two", "number"], "two things"),
        (["one", "--checkpoints", "1"], "two things"), (["one", "tow"], "did you mean two"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_ends_with_2_and_says_why(base, monkeypatch, capsys, words, said):
    monkeypatch.chdir(base)
    assert exit_code_of(["compare", *words, "--json", "-q"]) == 2
    assert said in json.loads(capsys.readouterr().out.splitlines()[-1])["errors"][0]


def test_a_comparison_and_a_report_without_numbers_are_not_compared(base):
    done, _, _ = made(base, "one", "two")
    one = find_report("one", base / "reports")
    with pytest.raises(ConfigError, match="nothing stored here"):
        compare(Chosen(done.folder), Chosen(one), quiet)
    (one / "report.json").rename(one / "aside")
    with pytest.raises(ArchiveError, match="numbers of this report cannot be read"):
        compare(Chosen(one), Chosen(find_report("two", base / "reports")), quiet, force=True)
    (one / "aside").rename(one / "report.json")


def test_a_dense_layer_on_a_flat_image_is_compared_as_that_image(tmp_path):
    """The networks of one layer: no maps, and kernels that are pictures."""
    for minute, run in enumerate(("first", "second")):
        folder = file_report(tmp_path, run, minute, epochs=1) / "extraction"
        with h5py.File(folder / "epoch-001.h5", "r+") as file:
            layers = json.loads(file["layers"].asstr()[()])
            flat = next(row for row in layers if row["name"] == "flatten")
            flat |= {"inputs": ["input"], "output_shape": [1200]}
            out = next(row for row in layers if row["name"] == "out") | {"parameters": 1201}
            del file["layers"], file["weights/0000"], file["activations/0000"], file["activations/0001"]
            file["layers"] = json.dumps([layers[0], flat, out])
            file.move("weights/0001", "weights/0000")
            file.move("activations/0002", "activations/0000")
            kernel = np.random.default_rng(minute).normal(size=(1200, 1)).astype("f4")
            del file["weights/0000/0"]
            file["weights/0000"].create_dataset("0", data=kernel).attrs["variable"] = "kernel"
    _, sections, _ = made(tmp_path, "first", "second")
    figure = next(f for f in sections["distances"]["figures"] if f["id"] == "pair-kernels")["facts"]
    kernels = [extraction(tmp_path, run, "epoch-001").arrays("out")["kernel"] for run in ("first", "second")]
    assert figure["size"] == [20, 20] and figure["of"] == 3
    assert figure["high"] == pytest.approx(max(np.abs(k).max() for k in kernels))
    assert "no channel" in sections["same_maps"]["absent"].lower()


def test_what_could_not_be_run_or_is_not_finite_costs_only_itself(base, tmp_path):
    """Weights alone against a network; answers and weights that are NaN; a run without history."""
    shutil.copytree(base / "reports", tmp_path / "reports")
    two = find_report("two", tmp_path / "reports")
    with h5py.File(two / "extraction" / "epoch-002.h5", "r+") as file:
        del file["predictions"], file["activations"]
    done, sections, _ = made(tmp_path, "one:2", "two:2", force=True)
    assert not done.failures and "B could not be run" in done.limits[0]
    assert "could not be run" in sections["answers"]["absent"] and sections["distances"]["content"]["rows"]
    with h5py.File(two / "extraction" / "epoch-003.h5", "r+") as file:
        file["predictions"][3], file["weights/0000/0"][0, 0] = np.nan, np.inf
        file["activations/0000/maps"][3, 2, 2] = np.nan
    record = json.loads((two / "extraction" / "_run.json").read_text())
    (two / "extraction" / "_run.json").write_text(json.dumps(record | {"history": None}))
    done, sections, html = made(tmp_path, "one:3", "two:3", force=True)
    answers = sections["answers"]["content"]
    assert not done.failures and answers["agreement"]["n"] == answers["churn"]["n"] == 11
    assert answers["rows"][-1]["number"] == 3 and answers["rows"][-1]["b"] is None
    conv = next(r for r in sections["distances"]["content"]["rows"] if r["layer"] == "conv")
    assert conv["weights"]["relative"] is None and "infinite" in conv["weights"]["problem"] and "infinite" in html


def hashes(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("report.*")}


def links(page):
    """Return the files that a page links to and that are not there."""
    found = [word for word in re.findall(r'href="([^"#]+)', page.read_text()) if not word.startswith("data:")]
    assert found
    return [word for word in found if not (page.parent / word).is_file()]


def test_an_archive_that_moved_and_lost_its_checkpoints_draws_and_compares_the_same_bytes(base, tmp_path):
    archive = tmp_path / "before" / "reports"
    shutil.copytree(base / "reports", archive)
    shutil.rmtree(archive / "comparisons", ignore_errors=True)
    first = compare(Chosen(find_report("one", archive)), Chosen(find_report("two", archive)), quiet)
    drawn = render(find_report("one", archive), quiet, ["html", "pdf"])
    moved = tmp_path / "another disk" / "years later"
    shutil.move(archive, moved)
    assert not list((tmp_path / "before").iterdir())  # neither checkpoints nor probes nor a configuration
    pages = [moved / "index.html", moved / first.folder.relative_to(archive) / "report.html"]
    pages += [moved / drawn.folder.relative_to(archive.resolve()) / "report.html"]
    assert [links(page) for page in pages] == [[], [], []]
    again = render(moved / drawn.folder.relative_to(archive.resolve()), quiet, ["html", "pdf"])
    assert hashes(again.folder) == hashes(moved / drawn.folder.relative_to(archive.resolve()))
    sides = [next((moved / run).glob("20260131*")) for run in ("one", "two")]
    second = compare(Chosen(sides[0]), Chosen(sides[1]), quiet, force=True)
    assert second.new and hashes(second.folder) == hashes(moved / first.folder.relative_to(archive))
    assert {"report.html", "report.pdf", "report.json"} == set(hashes(second.folder))
    states = {state for _, _, state in verify_report(sides[0]).inputs}
    assert verify_report(sides[0]).whole and states == {"gone"}
    assert read_manifest(second.folder)["kind"] == "comparison"
    assert open_run(sides[0] / "extraction").measured
