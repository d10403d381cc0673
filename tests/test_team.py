"""The student team's own networks of 2020 on the team's own images, as the team prepared them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from reportgen.config import load
from reportgen.extraction import open_run
from reportgen.pipeline import run

CNN = "2020-04-07_atm4wCurModel_conv12-12-12.h5"
SINGLE = "2020-04-23_atm4wCurSingleModel_SingleModelPaper.h5"

CONFIG = """
run:
  path: run
  name: s20team2
probes:
  images: images/*_model.png
  catalogue: probes.csv
  prepare:               # what their notebook did: Xception's scaling, and then / 255 once more
    resize: 100
    method: nearest
    steps:
      - keras: xception
      - scale: 0.00392156862745098
task:
  kind: regression
  output: human score
"""


@pytest.fixture(scope="module")
def made(team_data: Path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("team")
    team = team_data / "s20team2"
    (folder / "run").mkdir()
    (folder / "images").symlink_to(team / "images")
    shutil.copy(team / "checkpoints" / CNN, folder / "run")
    shutil.copy(team / "checkpoints" / SINGLE, folder / "run" / "SingleModelPaper")  # published without a suffix
    scores = (team / "scores" / "humanScores.txt").read_text().split()
    rows = [f"{i:04d},{i:04d}_model.png,{scores[i]}" for i in range(0, 931, 30)]
    (folder / "probes.csv").write_text("id,file,target\n" + "\n".join(rows) + "\n")
    (folder / "team.yaml").write_text(CONFIG)
    outcome = run(load(folder / "team.yaml"), lambda *_: None)
    return folder, outcome, json.loads((outcome.folder / "report.json").read_text())


@pytest.fixture(scope="module")
def by_hand(made):
    """The team's CNN built layer by layer from the arrays in the file, on images read with Pillow alone."""
    import keras

    folder = made[0]
    model = keras.Sequential(
        [
            keras.layers.Input((100, 100, 1)),
            keras.layers.Conv2D(16, 12, activation="relu"),
            keras.layers.Conv2D(16, 12, activation="relu"),
            keras.layers.MaxPooling2D(4),
            keras.layers.Conv2D(8, 12, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    with h5py.File(folder / "run" / CNN) as file:
        group = file["model_weights"]
        names = [n.decode() if isinstance(n, bytes) else n for n in group.attrs["layer_names"]]
        arrays = [group[n][w][()] for n in names for w in group[n].attrs["weight_names"]]
    model.set_weights(arrays)
    files = sorted((folder / "images").glob("*_model.png"))
    images = np.stack(
        [np.asarray(Image.open(f).convert("L").resize((100, 100), Image.Resampling.NEAREST)) for f in files]
    )
    inputs = ((images[..., None] / 127.5 - 1) / 255).astype("float32")
    several = keras.Model(model.inputs, [layer.output for layer in model.layers])
    return [np.asarray(o) for o in several.predict(inputs, verbose=0)], inputs


def section(report, id):
    return next(s for s in report["sections"] if s["id"] == id)


def test_nothing_is_missing_and_both_networks_have_their_group(made):
    _, outcome, report = made
    assert outcome.failures == () and outcome.made["checkpoint"] == (2, 2) and outcome.made["probe"] == (32, 32)
    groups = section(report, "architecture")["content"]["groups"]
    assert [(g["letter"], g["parameters"]) for g in groups] == [("A", 58_153), ("B", 10_001)]
    rows = section(report, "run")["content"]["rows"]
    assert [r["keras_version"] for r in rows] == ["2.3.1", "2.3.1"] and rows[1]["file"] == "SingleModelPaper"


def test_dead_channels_are_those_an_independent_computation_finds(made, by_hand):
    maps, _ = by_hand
    expected = [np.flatnonzero(m.max(axis=(0, 1, 2)) == 0).tolist() for m in (maps[0], maps[1], maps[3])]
    rows = section(made[2], "activations")["content"]["networks"][0]["dead"]
    found = [(r["dead"], r["of"]) for r in rows if r["class_name"] == "Conv2D"]
    assert found == list(zip(expected, (16, 16, 8), strict=True))
    html = (made[1].folder / "report.html").read_text()
    for dead, of in found:
        assert f"{len(dead)} of {of} dead" in html


def test_maps_and_predictions_equal_the_network_built_by_hand(made, by_hand):
    maps, inputs = by_hand
    extracted = open_run(made[1].folder / "extraction")
    cnn, single = extracted.extractions
    np.testing.assert_allclose(extracted.probes.inputs, inputs, atol=1e-9)
    for name, expected in zip([n for n in cnn.measured if "dense" not in n], maps[:4], strict=True):
        np.testing.assert_allclose(cnn.maps(name), expected[list(cnn.shown)], atol=1e-6)
        np.testing.assert_allclose(cnn.channels(name).maximum, expected.max(axis=(1, 2)), atol=1e-6)
    assert len(cnn.shown) == 16
    np.testing.assert_allclose(cnn.predictions, maps[-1], atol=1e-5)
    weights = single.arrays(single.weighted[0])
    z = inputs.reshape(len(inputs), -1).astype(float) @ weights["kernel"].astype(float) + weights["bias"]
    np.testing.assert_allclose(single.predictions, 1 / (1 + np.exp(-z)), atol=1e-5)


def test_kernels_maps_and_scores_are_shown(made):
    report = made[2]
    kernels = {f["facts"]["layer"]: f["facts"] for f in section(report, "kernels")["figures"]}
    first = next(f for f in kernels.values() if f["kind"] == "bands")
    assert first["size"] == [12, 12] and (first["shown"], first["of"]) == (16, 16)
    dense = next(f for f in kernels.values() if f["kind"] == "dense")
    assert dense["size"] == [100, 100] and dense["shown"] == 1
    said = section(report, "predictions")["content"]["networks"][0]
    assert said["kind"] == "regression" and said["activation"] == "sigmoid" and said["score"]["n"] == 32
    assert said["score"]["correlation"] > 0.7  # with their preparation; without it, see below
    check = next(c for c in report["checks"] if c["id"] == "input_range")
    assert check["status"] == "warn" and check["value"] == pytest.approx(1 / 255)


def test_the_wrong_preparation_is_seen(made, tmp_path):
    """Values of 0 to 255, the commonest mistake: the report must say that something is wrong."""
    folder = made[0]
    text = CONFIG[: CONFIG.index("    steps:")] + CONFIG[CONFIG.index("task:") :]
    (folder / "wrong.yaml").write_text(text)
    outcome = run(load(folder / "wrong.yaml", sets=["archive=wrong"]), lambda *_: None)
    report = json.loads((outcome.folder / "report.json").read_text())
    checks = {c["id"]: c["status"] for c in report["checks"]}
    assert checks["input_range"] == "warn"
    assert checks.get("predictions_constant") == "fail" or checks.get("predictions_saturated") == "warn"
