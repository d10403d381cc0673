"""From checkpoints and images to a filed report, with real Keras files."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from reportgen.archive import read_manifest, sha256
from reportgen.archive.verify import verify_report
from reportgen.config import load
from reportgen.extraction import open_run
from reportgen.pipeline import render, run

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def quiet(*_):
    pass


def network(seed: int, filters: int = 4) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.layers.Input((24, 24, 3)),
            keras.layers.Conv2D(filters, 5, activation="relu", name="conv"),
            keras.layers.MaxPooling2D(2, name="pool"),
            keras.layers.Dropout(0.5, name="drop"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(1, activation="sigmoid", name="out"),
        ]
    )


def project(folder: Path, epochs: int = 2, depth: str = "quick", more: str = "") -> Path:
    """Write a run of `epochs` checkpoints, five PNG probes with a catalogue, and a configuration; return that."""
    (folder / "run").mkdir(parents=True)
    (folder / "probes").mkdir()
    for epoch in range(1, epochs + 1):
        network(epoch).save(folder / "run" / f"epoch-{epoch:03d}.keras")
    history = "epoch,loss,val_loss\n" + "".join(f"{e},{1 / e},{1 / e + 0.1}\n" for e in range(1, epochs + 1))
    (folder / "run" / "history.csv").write_text(history)
    rng = np.random.default_rng(0)
    rows = ["file,label"]
    for i in range(5):
        pixels = rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "probes" / f"g{i}.png")
        rows.append(f"g{i}.png,{'merger' if i % 2 else 'isolated'}")
    (folder / "probes" / "probes.csv").write_text("\n".join(rows) + "\n")
    config = folder / "small.yaml"
    config.write_text(
        "run: {path: run}\n"
        "probes:\n"
        "  images: probes/*.png\n"
        "  catalogue: probes/probes.csv\n"
        "  prepare: {steps: [{scale: 0.00392156862745098}]}\n"
        "task: {classes: [isolated, merger]}\n"
        f"depth: {depth}\n"
        f"{more}\n"
    )
    return config


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    config = project(tmp_path_factory.mktemp("project"), depth="standard")
    return config, run(load(config), quiet, NOON)


def test_attributions_and_answers_to_changed_probes_come_through_the_processes(made):
    for extraction in open_run(made[1].folder / "extraction").extractions:
        found, stress = extraction.attribution(), extraction.stress()
        assert not found.absent and not stress.absent and found.layer == "conv"
        assert found.maps["integrated"].shape == (5, 24, 24) and found.spearman["gradient"].shape == (2, 2)
        np.testing.assert_allclose(stress.predictions[0], extraction.predictions, atol=1e-6)
        sign = np.where(extraction.predictions[:, 0] >= 0.5, 1, -1)
        np.testing.assert_allclose(found.score, sign * extraction.scores[:, 0], atol=1e-5)


def test_a_report_is_filed_whole_with_the_layout_of_the_archive(made):
    config, outcome = made
    assert outcome.failures == () and outcome.made["checkpoint"] == (2, 2) and outcome.made["format"] == (3, 3)
    home = config.parent / "reports" / "run"
    assert [p.name for p in home.iterdir()] == [outcome.folder.name]
    assert outcome.folder.name.startswith("20260131-120000-")
    names = {p.relative_to(outcome.folder).as_posix() for p in outcome.folder.rglob("*") if p.is_file()}
    assert names == {
        "report.html", "report.pdf", "report.json", "config.yaml", "manifest.json",
        "provenance.json", "rebuild.sh", "log.txt",
        "checkpoints/epoch-001.html", "checkpoints/epoch-002.html",
        "extraction/_run.json", "extraction/_probes.h5", "extraction/epoch-001.h5", "extraction/epoch-002.h5",
    }  # fmt: skip
    manifest = read_manifest(outcome.folder)
    assert set(manifest["files"]) == names - {"manifest.json"}
    assert all(sha256(outcome.folder / name) == known["sha256"] for name, known in manifest["files"].items())
    index = (config.parent / "reports" / "index.html").read_text()
    assert f"run/{outcome.folder.name}/report.html" in index


@pytest.mark.parametrize("epoch", [1, 2])
def test_stored_maps_equal_a_multi_output_model_of_keras_with_dropout_off(made, epoch):
    config, outcome = made
    model = keras.saving.load_model(config.parent / "run" / f"epoch-{epoch:03d}.keras", compile=False)
    images = np.stack([np.asarray(Image.open(p)) for p in sorted((config.parent / "probes").glob("*.png"))])
    several = keras.Model(model.inputs, [layer.output for layer in model.layers])
    expected = dict(
        zip([layer.name for layer in model.layers], several.predict(images / 255.0, verbose=0), strict=True)
    )
    extracted = open_run(outcome.folder / "extraction")
    e = extracted.extractions[epoch - 1]
    assert set(e.measured) == {"conv", "pool", "out"}
    for name in e.measured:
        np.testing.assert_allclose(e.maps(name), expected[name], atol=1e-6)
    np.testing.assert_allclose(e.predictions, expected["out"], atol=1e-6)
    assert (e.arrays("conv")["kernel"] == model.get_layer("conv").get_weights()[0]).all()


def test_an_architecture_that_comes_back_is_asked_with_its_own_weights(tmp_path):
    config = project(tmp_path, epochs=0)
    for epoch, filters in enumerate((2, 3, 4, 2), 1):  # more architectures than are kept, and the first again
        network(epoch, filters).save(tmp_path / "run" / f"epoch-{epoch:03d}.keras")
    config.write_text(config.read_text() + "sections: [symmetry]\nreport: {formats: [json]}\n")
    for e in open_run(run(load(config), quiet, NOON).folder / "extraction").extractions:
        # The first variant is the picture as it is.
        np.testing.assert_allclose(e.stress().predictions[0], e.predictions, atol=1e-5, err_msg=e.name)


def test_every_file_a_report_was_made_from_is_known_and_found_again(made):
    config, outcome = made
    found = verify_report(outcome.folder)
    assert found.whole and found.repeatable
    names = {(kind, name) for kind, name, _ in found.inputs}
    images = {("probe file", f"probes/{path.name}") for path in (config.parent / "probes").glob("*.png")}
    checkpoints = {("checkpoint", path.name) for path in (config.parent / "run").glob("*.keras")}
    assert len(images) == 5 and images | checkpoints <= names


WITHOUT_KERAS = """
import sys
for name in ("tensorflow", "keras", "tf_keras"):
    sys.modules[name] = None
from reportgen.cli import main
main(["render", sys.argv[1]])
"""


def test_render_redraws_the_same_bytes_without_tensorflow_as_a_new_report(made, tmp_path):
    config, outcome = made
    moved = tmp_path / "moved"  # the archive may be moved, and the checkpoints be gone
    shutil.copytree(config.parent / "reports", moved)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_KERAS, str(moved / "run" / outcome.folder.name)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    folders = sorted(p for p in (moved / "run").iterdir())
    assert len(folders) == 2
    for name in ("report.html", "report.pdf", "report.json", "checkpoints/epoch-001.html"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_the_same_input_gives_the_same_bytes_in_two_folders_and_two_processes(tmp_path):
    digests = []
    first = project(tmp_path / "a")
    second = tmp_path / "another place" / "b"
    shutil.copytree(first.parent, second)
    for config in (first, second / "small.yaml"):
        environment = {**os.environ, "PYTHONHASHSEED": str(len(digests)), "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, "-m", "reportgen", "run", str(config), "--json"],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        (folder,) = (config.parent / "reports" / "run").iterdir()
        digests.append(
            {
                n: hashlib.sha256((folder / n).read_bytes()).hexdigest()
                for n in ("report.html", "report.pdf", "report.json")
            }
        )
    assert digests[0] == digests[1]


def test_every_kind_of_failure_costs_only_itself_and_is_named(tmp_path, monkeypatch):
    config = project(tmp_path / "p")
    folder = config.parent / "run"
    good = (folder / "epoch-001.keras").read_bytes()
    (folder / "epoch-003.keras").write_bytes(b"")
    (folder / "epoch-004.keras").write_bytes(good[: len(good) // 2])
    (folder / "epoch-005.h5").write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    network(6, filters=6).save(folder / "epoch-006.keras")  # another architecture: a group, not an error

    @keras.saving.register_keras_serializable("mine")
    class Halo(keras.layers.Layer):
        def call(self, x):
            return x * 2

    strange = keras.Sequential(
        [keras.layers.Input((24, 24, 3)), keras.layers.Conv2D(2, 3, name="c"), Halo(name="halo")]
    )
    strange.save(folder / "epoch-007.keras")
    sick = network(8)
    kernel, bias = sick.get_layer("conv").get_weights()
    kernel[0, 0, 0, 0] = np.nan
    sick.get_layer("conv").set_weights([kernel, bias])
    sick.save(folder / "epoch-008.keras")
    (config.parent / "probes" / "g5.png").write_bytes(b"\x89")
    Image.fromarray(np.zeros((30, 24, 3), np.uint8)).save(config.parent / "probes" / "g6.png")
    with (config.parent / "probes" / "probes.csv").open("a") as file:
        file.write("g5.png,merger\ng6.png,merger\n")
    from reportgen.sections import SECTIONS

    def broken(run, options):
        raise RuntimeError("planted in a section")

    monkeypatch.setattr(SECTIONS["kernels"], "build", broken)
    outcome = run(load(config), quiet, NOON)

    named = {(f.kind, f.name.split("/")[-1]) for f in outcome.failures if f.status == "failed"}
    assert named == {
        ("checkpoint", "epoch-003.keras"), ("checkpoint", "epoch-004.keras"), ("checkpoint", "epoch-005.h5"),
        ("checkpoint", "epoch-007.keras"), ("probe", "g5.png"), ("probe", "g6"), ("section", "kernels"),
    }  # fmt: skip
    assert all(f.problem and (f.advice or f.expected) for f in outcome.failures)
    custom = next(f for f in outcome.failures if "007" in f.name)
    assert "Halo" in custom.problem + custom.received + custom.advice
    report = json.loads((outcome.folder / "report.json").read_text())
    assert "PARTIAL" in report["banners"] and report["verdict"] == "fail"
    check = next(c for c in report["checks"] if c["id"] == "weights_not_finite")
    assert check["status"] == "fail" and "epoch-008.keras" in check["facts"]["where"][0]
    groups = next(s for s in report["sections"] if s["id"] == "architecture")["content"]["groups"]
    assert [len(g["checkpoints"]) for g in groups] == [3, 1, 1]
    assert [bool(g["problem"]) for g in groups] == [False, False, True] and "Halo" in groups[2]["problem"]
    html = (outcome.folder / "report.html").read_text()
    assert all(f"epoch-00{i}" in html for i in (3, 4, 5, 7)) and "g5.png" in html and "planted in a section" in html
    assert (outcome.folder / "report.pdf").stat().st_size > 10_000
    extracted = open_run(outcome.folder / "extraction")
    weights_only = next(e for e in extracted.extractions if e.name == "epoch-007")
    assert weights_only.predictions is None and weights_only.arrays("c")["kernel"].shape == (3, 3, 3, 2)


def test_an_error_on_the_way_leaves_no_half_report_and_no_trace(tmp_path, monkeypatch):
    config = project(tmp_path / "p", epochs=1, more="report: {formats: [html]}")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reportgen.pipeline.write_manifest", full)
    with pytest.raises(OSError):
        run(load(config), quiet, NOON)
    assert list((config.parent / "reports" / "run").iterdir()) == []


def test_two_reports_of_one_second_do_not_touch_each_other(tmp_path):
    config = project(tmp_path / "p", epochs=1, more="report: {formats: [html]}")
    first = run(load(config), quiet, NOON)
    before = {p: p.read_bytes() for p in first.folder.rglob("*") if p.is_file()}
    second = run(load(config), quiet, NOON, force=True)
    assert second.folder.name > first.folder.name
    assert before == {p: p.read_bytes() for p in first.folder.rglob("*") if p.is_file()}
    third = render(first.folder, quiet, ["json"])
    assert {p.name for p in third.files} == {"report.json"}


def test_a_changed_probe_set_is_a_visible_event(tmp_path):
    config = project(tmp_path / "p", epochs=1, more="report: {formats: [html]}")
    first = run(load(config), quiet, NOON)
    again = run(load(config), quiet, NOON)
    pixels = np.asarray(Image.open(config.parent / "probes" / "g0.png")).copy()
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(config.parent / "probes" / "g0.png")
    changed = run(load(config), quiet, NOON)
    banners = [json.loads((o.folder / "report.json").read_text())["banners"] for o in (first, again, changed)]
    assert banners == [[], [], ["PROBE SET CHANGED"]]
    assert "must not be compared" in (changed.folder / "report.html").read_text()
