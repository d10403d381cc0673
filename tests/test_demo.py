"""The demo: its pictures, its classes against each other, its probes, and the folder as a whole."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reportgen.checkpoints.discovery import find_run
from reportgen.config import load
from reportgen.demo import make_demo
from reportgen.demo.baseline import pixel_statistics, ridge_predict
from reportgen.demo.camera import FILLING, PIXELS, SKY_SIGMA, Exposure, draw_exposure, expose, spread
from reportgen.demo.dataset import make_dataset, picture_encounter
from reportgen.demo.light import Light, light_radius
from reportgen.demo.probes import APART, make_probes
from reportgen.demo.train import EPOCHS, REGRESSION_EPOCHS
from reportgen.errors import ConfigError
from reportgen.probes import load_probes


def test_a_picture_has_the_light_it_was_given_and_the_noise_of_the_sky():
    light = Light(np.random.default_rng(5).normal(0, 0.1, (2, 4000)), np.ones((3, 4000)))
    exposure = Exposure(np.zeros(2), 4.0, 50_000.0)
    assert spread(light, exposure).sum() == pytest.approx(3 * 4000)
    image = expose(light, exposure, np.random.default_rng(6))
    # Foreground stars come on top; the middle has none at this seed.
    middle = image[34:94, 34:94]
    assert middle[..., 1].sum() == pytest.approx(50_000, rel=0.01)
    assert image.shape == (PIXELS, PIXELS, 3) and image.dtype == np.float32
    dark = np.sort(image.reshape(-1, 3), axis=0)[:6000]
    assert np.allclose(-np.median(dark, axis=0) / SKY_SIGMA, 0.85, atol=0.25)


def test_the_field_follows_the_light_not_the_class():
    pictures = [one for number in range(6) for one in picture_encounter(number, 7)]
    assert len(pictures) == 96
    kinds = [one.kind for one in pictures]
    assert kinds.count("merger") == 48 and kinds.count("isolated") == kinds.count("chance pair") == 24
    rng = np.random.default_rng(8)
    light = Light(rng.normal(0, 1, (2, 5000)), np.ones((3, 5000)))
    filled = [2 * light_radius(light)[1] / draw_exposure(light, rng).width for _ in range(300)]
    assert FILLING[0] <= min(filled) < 0.32 and 0.72 < max(filled) <= FILLING[1]
    # Light, noise and foreground stars: the classes agree to what 48 pictures can tell.
    merger = np.array([kind == "merger" for kind in kinds])
    flux = np.log([np.median(one.image[..., 1]) + one.image[..., 1].clip(0, 1e4).sum() for one in pictures])
    assert abs(flux[merger].mean() - flux[~merger].mean()) < 3 * flux.std() / np.sqrt(24)
    corner = np.array(
        [one.image[:, :, 1].ravel()[np.argsort(one.image[:, :, 1].ravel())[:800]].mean() for one in pictures]
    )
    assert abs(corner[merger].mean() / corner[~merger].mean() - 1) < 0.03


def test_undisturbed_galaxies_have_no_tails_and_mergers_grow_them():
    pictures = picture_encounter(3, 7)
    assert all(one.target == 0 for one in pictures if one.kind != "merger")
    grown = [one.target for one in pictures if one.kind == "merger"]
    assert grown[:2] == grown[0:1] * 2 and grown[0] < 0.1 < grown[-1] <= 1
    assert [one.time for one in pictures if one.kind == "merger"] == [0.7, 0.7, 1.8, 1.8, 3.2, 3.2, 5.0, 5.0]


def test_no_encounter_is_on_both_sides_of_the_split_and_none_is_a_probe():
    dataset = make_dataset(range(5), 7, lambda image: image[::16, ::16])
    train, held_out = dataset.split(2)
    assert set(train.encounter) == {0, 1, 2} and set(held_out.encounter) == {3, 4}
    assert len(train) + len(held_out) == len(dataset) == 80
    assert (train.merger.mean(), held_out.merger.mean()) == (0.5, 0.5)
    assert dataset.encounter.max() < APART
    seen = {one.tobytes() for one in dataset.inputs}
    assert len(seen) == 80 and not seen & {probe.image[::16, ::16].tobytes() for probe in make_probes(7)}


def test_the_probes_are_the_sixteen_promised_ones():
    probes = make_probes(7)
    assert [probe.kind for probe in probes] == [
        *["encounter"] * 4, *["merger"] * 3, *["isolated"] * 3, *["chance pair"] * 3,
        "blank sky", "lone star", "real pair",
    ]  # fmt: skip
    assert len({probe.id for probe in probes}) == 16
    assert [probe.time for probe in probes[:4]] == ["0.7", "1.8", "3.2", "5"]
    targets = [float(probe.target) for probe in probes[:4]]
    assert targets == sorted(targets) and targets[-1] > 0.5
    sky, star, hubble = (probe.image for probe in probes[13:])
    assert np.allclose(sky.std((0, 1)), SKY_SIGMA, rtol=0.03) and np.abs(sky.mean((0, 1))).max() < 0.05
    assert np.unravel_index(star[..., 1].argmax(), (PIXELS, PIXELS)) == (PIXELS // 2, PIXELS // 2)
    # The reddest galaxy of the cut, low in the middle, is brighter in i than in g.
    assert hubble[75:100, 40:60, 2].sum() > 1.1 * hubble[75:100, 40:60, 0].sum()
    assert not any(probe.label for probe in probes[13:])


def test_a_linear_fit_finds_what_is_linear_and_statistics_are_those_of_numpy():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(200, 4))
    y = x @ np.array([1.0, -2.0, 0.0, 0.5]) + 3
    assert np.allclose(ridge_predict(x[:150], y[:150], x[150:]), y[150:], atol=0.1)
    images = rng.normal(size=(3, 101, 101, 2)).astype(np.float32)
    found = pixel_statistics(images)
    assert np.allclose(found[:, :2], images.mean((1, 2)), atol=1e-6)
    assert np.allclose(found[:, 10:12], np.percentile(images, 50, axis=(1, 2), method="lower"), atol=1e-6)


DIGEST = """
import hashlib
from reportgen.demo.dataset import picture_encounter
from reportgen.demo.probes import make_probes
digest = hashlib.sha256()
for picture in picture_encounter(0, {seed}):
    digest.update(picture.image.tobytes())
for probe in make_probes({seed}):
    digest.update(probe.image.tobytes())
print(digest.hexdigest())
"""


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    def digest(seed: int) -> str:
        code = DIGEST.format(seed=seed)
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    here = hashlib.sha256()
    for picture in picture_encounter(0, 7):
        here.update(picture.image.tobytes())
    for probe in make_probes(7):
        here.update(probe.image.tobytes())
    assert digest(7).strip() == here.hexdigest() != digest(8).strip()


@pytest.fixture(scope="module")
def small_demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "try"
    lines: list[str] = []
    configs = make_demo(folder, seed=3, progress=lines.append, encounters=5)
    return folder, configs, lines


@pytest.mark.slow
def test_a_demo_is_two_runs_their_probes_and_valid_configurations(small_demo):
    folder, configs, lines = small_demo
    assert configs == (folder / "classification.yaml", folder / "regression.yaml")
    assert [path.name for path in folder.parent.iterdir()] == ["try"]
    for path, epochs in zip(configs, (EPOCHS, REGRESSION_EPOCHS), strict=True):
        loaded = load(path)
        run = find_run(loaded.config.run, loaded.base)
        assert [c.epoch for c in run.checkpoints] == list(range(1, epochs + 1)) and run.failures == ()
        record = json.loads((folder / "runs" / run.name / "run.json").read_text())
        assert "ridge fit on global pixel statistics" in record["notes"] and record["status"] == "finished"
        probes = load_probes(loaded.config.probes, loaded.base)
        assert probes.inputs.shape == (16, 64, 64, 3) and probes.bands == ("g", "r", "i") and probes.failures == ()
        assert "pixel_scale" in probes.probes[0].metadata
    assert any(line.startswith("baseline: ") for line in lines)
    with (folder / "probes" / "probes.csv").open(newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)][:10] == ["merger"] * 7 + ["undisturbed"] * 3


@pytest.mark.slow
def test_the_network_was_trained_on_what_the_configuration_prepares(small_demo):
    _, (classification, regression), _ = small_demo
    assert load(classification).config.probes.prepare == load(regression).config.probes.prepare
    raw = np.load(classification.parent / "probes" / "probes.npy")
    assert raw.dtype == np.float32 and raw.shape == (16, PIXELS, PIXELS, 3)
    loaded = load(classification)
    seen = load_probes(loaded.config.probes, loaded.base).inputs
    mean = raw.reshape(16, 64, 2, 64, 2, 3).mean((2, 4))
    assert np.allclose(seen, 0.5 * np.arcsinh(mean / 2), atol=1e-5)


def test_a_folder_with_files_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ConfigError, match="a folder of its own"):
        make_demo(tmp_path, encounters=2)
    with pytest.raises(ConfigError, match="a folder of its own"):
        make_demo(tmp_path / "mine.txt", encounters=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_interrupted_demo_leaves_nothing_and_an_old_rest_is_cleared(tmp_path):
    rest = tmp_path / ".try.unfinished"
    (rest / "runs").mkdir(parents=True)

    def stop(line: str) -> None:
        assert not (rest / "runs").exists() or line.startswith("simulation")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_demo(tmp_path / "try", progress=stop, encounters=2)
    assert list(tmp_path.iterdir()) == []


def test_importing_the_demo_costs_no_tensorflow():
    code = "import sys, reportgen.demo; print({'keras', 'tensorflow', 'scipy'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


@pytest.mark.slow
def test_the_classifier_beats_the_pixel_statistics(tmp_path):
    lines: list[str] = []
    make_demo(tmp_path / "demo", progress=lines.append)
    baseline = float(next(line for line in lines if line.startswith("baseline")).split("gets ")[1].split()[0])
    with (Path(tmp_path) / "demo/runs/classification/history.csv").open(newline="") as file:
        accuracy = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
    # 0.74 and 0.85 where this was written; rounding differs between processors, and a fit follows it.
    assert baseline < 0.8 and max(accuracy) > max(0.8, baseline + 0.05) and max(accuracy) > accuracy[0] + 0.05
    with (Path(tmp_path) / "demo/runs/regression/history.csv").open(newline="") as file:
        errors = [float(row["val_loss"]) for row in csv.DictReader(file)]
    assert min(errors) < 0.045
