"""A network with several inputs from `init` to the rendered page."""

from __future__ import annotations

import csv
import dataclasses
import json
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from keras import layers
from PIL import Image

import networks
from extractions import probe_set, write_folder
from reportgen.archive import probe_files
from reportgen.cli.check import check_configuration
from reportgen.config import load
from reportgen.errors import ReportgenError
from reportgen.extraction import open_run
from reportgen.pipeline import run
from reportgen.probes.probeset import OtherInput
from reportgen.starter.write import write_configuration
from reportgen.store.inputs import sources_of


def network(seed: int) -> keras.Model:
    """Return the team's kind of network, with a number of the catalogue and a second answer."""
    init, model = keras.Input((20, 30, 1), name="init"), keras.Input((20, 30, 1), name="model")
    z = keras.Input((1,), name="z")
    flat = [
        layers.Flatten(name=f"{name}_flat")(layers.Conv2D(3, 5, activation="relu", name=f"{name}_conv")(image))
        for name, image in (("init", init), ("model", model))
    ]  # fmt: skip
    x = layers.Dense(4, activation="relu", name="hidden")(layers.Concatenate(name="joined")([*flat, z]))
    answers = {
        "stage": layers.Dense(3, activation="softmax", name="stages")(x),
        "fitness": layers.Dense(1, activation="sigmoid", name="score")(x),
    }
    return networks.fill(keras.Model([init, model, z], answers), seed)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two epochs, four galaxies in two pictures, a catalogue with a redshift."""
    rng = np.random.default_rng(0)
    for kind in ("run", "model", "init"):
        (tmp_path / kind).mkdir()
    for epoch in (1, 2):
        network(epoch).save(tmp_path / "run" / f"epoch-{epoch}.keras")
    y, x = np.mgrid[:40, :60]
    with (tmp_path / "model" / "all.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "target", "z"])
        for i in range(4):
            for kind, width in (("model", 12), ("init", 5)):
                blob = 200 * np.exp(-((y - 20) ** 2 + (x - 15 - 8 * i) ** 2) / width**2) + rng.normal(20, 4, (40, 60))
                Image.fromarray(blob.clip(0, 255).astype(np.uint8)).save(tmp_path / kind / f"{i}.png")
            rows.writerow([f"{i}.png", i / 4, 0.02 * (i + 1)])
    return tmp_path


CONFIG = """\
run: {path: run}
probes:
  images: model/*.png
  catalogue: model/all.csv
  prepare: {resize: [20, 30], steps: [{scale: 0.00392156862745098}]}
  inputs:
    init: {images: init/*.png}
    z: {columns: [z], mean_std: [[0.05], [0.03]]}
task: {kind: regression, prediction: fitness}
"""


def written(project: Path, text: str = CONFIG) -> Path:
    (project / "c.yaml").write_text(text)
    return project / "c.yaml"


def test_a_whole_run_measures_and_shows_what_each_input_got(project: Path) -> None:
    file = written(project)
    assert check_configuration(file, ()).lines[2].split(maxsplit=1)[1] == (
        "4 image files, inputs init, z, 4 rows in model/all.csv"
    )
    outcome = run(load(file), lambda *_: None)
    assert outcome.failures == ()
    extracted = open_run(outcome.folder / "extraction")

    def pictures(kind: str) -> np.ndarray:
        images = [Image.open(project / kind / f"{i}.png").resize((30, 20), 0) for i in range(4)]
        return np.stack([np.asarray(image, np.float32)[..., None] for image in images]) * np.float32(1 / 255)

    z = (np.array([[0.02], [0.04], [0.06], [0.08]]) - 0.05) / 0.03
    for epoch, extraction in enumerate(extracted.extractions, 1):
        model = network(epoch)
        expected = model.predict([pictures("init"), pictures("model"), z.astype("f4")], verbose=0)
        np.testing.assert_allclose(extraction.predictions, expected["fitness"], rtol=0, atol=1e-6)
        assert extraction.other_outputs == ("stage",) and extraction.output_activation == "sigmoid"
    html = next(path for path in outcome.files if path.suffix == ".html").read_text("utf-8")
    for words in ("another picture: init/*.png", "numbers of the catalogue: z", "minus (0.05), divided by (0.03)",
                  "What the input init gets of the same probes", "the one without a source of its own"):  # fmt: skip
        assert words in html
    report = json.loads((outcome.folder / "report.json").read_text())
    section = next(s for s in report["sections"] if s["id"] == "probes")
    told = {row["name"]: row for row in section["content"]["inputs"]}
    assert told["init"]["shape"] == [20, 30, 1] and told["z"]["shape"] == [1]
    assert told["z"]["minimum"] == pytest.approx(-1) and told["z"]["maximum"] == pytest.approx(1)
    checks = [check for check in report["checks"] if check["id"] == "input_range"]
    assert [check["facts"]["input"] for check in checks] == ["", "init", "z"]
    assert told["init"]["mean"] == pytest.approx(float(pictures("init").mean()), rel=1e-6)


def test_a_missing_source_fails_each_checkpoint_with_what_to_add(project: Path) -> None:
    text = CONFIG.replace("    init: {images: init/*.png}\n", "") + "report: {formats: [json]}\n"
    outcome = run(load(written(project, text)), lambda *_: None)
    failures = [failure for failure in outcome.failures if failure.kind == "checkpoint"]
    assert [failure.name for failure in failures] == ["epoch-1.keras", "epoch-2.keras"]
    assert "has 3 inputs, init (20 × 30 × 1), model (20 × 30 × 1), z (1)" in failures[0].problem
    assert failures[0].advice.endswith("inputs: {init: {image: true}, model: {images: other/*.png}}")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[z]", "[redshift]", "no column 'redshift'"),
        ("init/*.png", "'init/[01].png'", "not one picture a probe"),
        ("{images: init/*.png}", "{column: init_file}", "no column 'init_file'"),
        ("init/*.png", "int/*.png", "nothing matches int/*.png"),
    ],
)
def test_check_tells_what_is_wrong_with_a_source(project: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ReportgenError, match=told.replace("*", ".")):
        check_configuration(written(project, CONFIG.replace(old, new)), ())


def test_pictures_that_the_catalogue_names_belong_to_what_a_report_is_made_from(project: Path) -> None:
    """One that changes is another input: `unchanged` would be a lie."""
    rows = (project / "model" / "all.csv").read_text("utf-8").splitlines()
    names = sorted(path.name for path in (project / "init").glob("*.png"))
    added = [f"{row},../init/{name}" for row, name in zip(rows[1:], names, strict=False)]
    (project / "model" / "all.csv").write_text("\n".join([f"{rows[0]},init_file", *added]), "utf-8")
    loaded = load(written(project, CONFIG.replace("{images: init/*.png}", "{column: init_file}")))

    def sums() -> dict[str, str]:
        return sources_of(loaded.config, loaded.base, lambda path: sha256(path.read_bytes()).hexdigest())

    before = sums()
    pictures = {f"init/{name}" for name in names[: len(added)]}
    assert pictures <= set(before) and pictures <= set(probe_files(loaded.config.probes, loaded.base))
    (project / "init" / names[0]).write_bytes((project / "init" / names[1]).read_bytes())
    assert [name for name, found in sums().items() if before[name] != found] == [f"init/{names[0]}"]


def test_init_asks_what_each_input_gets(project: Path) -> None:
    _, answer = write_configuration(project / "run", [str(project / "model")], project / "c.yaml")
    text = (project / "c.yaml").read_text("utf-8")
    assert yaml.safe_load(text)["probes"]["inputs"] == dict.fromkeys(("init", "model", "z"), "CHOOSE")
    assert [words for words in answer["choose"] if words.startswith("probes.inputs")] == [
        "probes.inputs.init: what does this input get? It takes 20 × 30 × 1.",
        "probes.inputs.model: what does this input get? It takes 20 × 30 × 1.",
        "probes.inputs.z: what does this input get? It takes 1.",
    ]
    assert "z: {columns: [z]}" in text and "prediction: stage # of stage, fitness" in text
    with pytest.raises(ReportgenError, match=r"probes\.inputs\.z: still to be chosen"):
        check_configuration(project / "c.yaml", ())


def test_extractions_without_other_inputs_stay_readable(tmp_path: Path) -> None:
    import h5py

    probes = probe_set()
    folder = write_folder(tmp_path / "e", probes=probes)
    with h5py.File(folder / "_probes.h5", "r+") as file:
        about = json.loads(file.attrs["about"])
        del about["others"], about["image_inputs"]
        file.attrs["about"] = json.dumps(about)
    assert open_run(folder).probes.others == {} and list(open_run(folder).probes.given) == [""]


def test_a_second_picture_from_fits_is_turned_as_it_is_shown(tmp_path: Path) -> None:
    from reportgen.sections.probes import SectionOptions, build

    values = np.zeros((6, 4, 4, 1), "f4")
    values[:, 0] = 1
    probes = dataclasses.replace(
        probe_set(), others={"sky": OtherInput(values, "another picture: sky.fits", (), ("r",), (4, 4, 1), True)}
    )
    section = build(open_run(write_folder(tmp_path / "e", probes=probes)), SectionOptions())
    turned = next(figure for figure in section.figures if figure.facts.get("input") == "sky")
    upright = dataclasses.replace(
        probes,
        others={"sky": dataclasses.replace(probes.others["sky"], values=values[:, ::-1].copy(), bottom_up=False)},
    )
    other = build(open_run(write_folder(tmp_path / "f", probes=upright)), SectionOptions())
    same = next(figure for figure in other.figures if figure.facts.get("input") == "sky")
    assert [p.picture for p in turned.placed] == [p.picture for p in same.placed]
