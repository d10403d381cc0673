"""Networks with several inputs: each gets what the configuration names for it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import networks
from networks import stored
from reportgen.checkpoints import read_graph
from reportgen.config import ProbesConfig
from reportgen.errors import ConfigError
from reportgen.extraction.read import read_probes
from reportgen.extraction.write import write_probes
from reportgen.network import open_network
from reportgen.probes import load_probes

Given = dict[str, np.ndarray]


def two_images() -> Any:
    """Return the team's kind of network: a branch for the galaxies before the encounter, one for the model of it."""
    before, model = keras.Input((16, 20, 1), name="init"), keras.Input((16, 20, 1), name="model")
    branches = []
    for image in (before, model):
        x = layers.Conv2D(4, 5, activation="relu", name=f"{image.name}_conv")(image)
        branches.append(layers.Flatten(name=f"{image.name}_flat")(layers.MaxPooling2D(2, name=f"{image.name}_pool")(x)))
    joined = layers.Concatenate(name="joined")(branches)
    x = layers.Dense(6, activation="relu", name="hidden")(layers.Dropout(0.3, name="drop")(joined))
    return keras.Model([before, model], layers.Dense(1, activation="sigmoid", name="score")(x))


def image_and_numbers() -> Any:
    image, numbers = keras.Input((16, 20, 1), name="image"), keras.Input((2,), name="numbers")
    x = layers.GlobalMaxPooling2D(name="peak")(layers.Conv2D(4, 5, name="conv")(image))
    y = layers.Dense(3, activation="tanh", name="catalogue")(numbers)
    joined = layers.Concatenate(name="joined")([x, y])
    return keras.Model([image, numbers], layers.Dense(3, activation="softmax", name="classes")(joined))


def three_nested() -> Any:
    """Return a network whose nested backbone takes two of its three inputs."""
    a, b = keras.Input((16, 20, 1)), keras.Input((8, 10, 1))
    half = layers.AveragePooling2D(2, name="half")(layers.Conv2D(2, 3, padding="same", name="conv")(a))
    both = layers.Add(name="both")([half, layers.Conv2D(2, 1, name="narrow")(b)])
    backbone = keras.Model([a, b], layers.GlobalAveragePooling2D(name="mean")(both), name="backbone")
    image, small = keras.Input((16, 20, 1), name="image"), keras.Input((8, 10, 1), name="small")
    mass = keras.Input((1,), name="mass")
    joined = layers.Concatenate(name="joined")([layers.Dense(2, name="of_mass")(mass), backbone([image, small])])
    return keras.Model([image, mass, small], layers.Dense(1, name="score")(joined))


MODELS = {"two_images": two_images, "image_and_numbers": image_and_numbers, "three_nested": three_nested}


def values_for(model: Any, count: int = 5) -> Given:
    rng = np.random.default_rng(3)
    return {entry.name: rng.normal(size=(count, *entry.shape[1:])).astype("f4") for entry in model.inputs}


def shapes(given: Given) -> dict[str, tuple[int, ...]]:
    return {name: array.shape[1:] for name, array in given.items()}


def close(got: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * max(1e-3, float(np.abs(expected).max())))


def save(model: Any, path: Path) -> Path:
    if path.suffix == ".h5":
        networks.save_as_keras_2(model, path)
    else:
        model.save(path)
    return path


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_predictions_and_activations_are_those_of_keras(name: str, suffix: str, tmp_path: Path) -> None:
    model = networks.fill(MODELS[name]())
    given = values_for(model)
    checkpoint = stored(save(model, tmp_path / f"m{suffix}"))
    measured = open_network(checkpoint, shapes(given)).measure(checkpoint, dict(reversed(given.items())))
    close(measured.predictions, model.predict(list(given.values()), verbose=0))
    results = networks.expected(model, list(given.values()))
    assert len(measured.activations) >= 5
    for layer, maps in measured.activations.items():
        close(maps, results[layer])


def test_the_input_without_a_name_gets_the_image_and_a_number_may_have_no_axis(tmp_path: Path) -> None:
    image, number = keras.Input((6, 8, 1)), keras.Input((), name="mass")
    joined = layers.Concatenate()([layers.Flatten()(image), layers.Reshape((1,))(number)])
    model = networks.fill(keras.Model([image, number], layers.Dense(2, name="out")(joined)))
    model.save(tmp_path / "m.keras")
    images, mass = np.random.default_rng(0).normal(size=(4, 6, 8, 1)).astype("f4"), np.arange(4, dtype="f4")[:, None]
    given = {"": images, "mass": mass}
    checkpoint = stored(tmp_path / "m.keras")
    measured = open_network(checkpoint, shapes(given)).measure(checkpoint, given)
    close(measured.predictions, model.predict([images, mass[:, 0]], verbose=0))


def test_checkpoints_of_one_network_keep_their_inputs_apart_whatever_keras_called_them(tmp_path: Path) -> None:
    """Names are the user's where they are; where Keras numbered them, a later session numbers on."""

    def network(*names: str | None) -> Any:
        entries = [keras.Input((3,), name=name) for name in names]
        dense = [layers.Dense(2, name=f"dense_{side}")(entry) for side, entry in zip("ab", entries, strict=True)]
        return networks.fill(keras.Model(entries, layers.Subtract(name="out")(dense)), seed=len(names[0] or ""))

    one, two = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("f4")
    for names in (("left", "right"), ("right", "left")):
        network(*names).save(tmp_path / f"{names[0]}.keras")
    first, second = stored(tmp_path / "left.keras"), stored(tmp_path / "right.keras")
    opened = open_network(first, {"left": (3,), "right": (3,)})
    expected = keras.models.load_model(tmp_path / "right.keras").predict([two, one], verbose=0)
    close(opened.measure(second, {"left": one, "right": two}).predictions, expected)

    for name in ("early", "late"):
        network(None, None).save(tmp_path / f"{name}.keras")
    early, late = stored(tmp_path / "early.keras"), stored(tmp_path / "late.keras")
    names = [entry.name for entry in keras.models.load_model(tmp_path / "early.keras").inputs]
    given = dict(zip(names, (one, two), strict=True))
    assert names != [entry.name for entry in keras.models.load_model(tmp_path / "late.keras").inputs]
    expected = keras.models.load_model(tmp_path / "late.keras").predict([one, two], verbose=0)
    close(open_network(early, shapes(given)).measure(late, given).predictions, expected)
    close(open_network(late, shapes(given), read_graph(early)).measure(late, given).predictions, expected)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four galaxies in two pictures, and a catalogue in another order than the files."""
    rng = np.random.default_rng(0)
    for kind in ("model", "init"):
        (tmp_path / kind).mkdir()
        for i in range(4):
            Image.fromarray(rng.integers(0, 255, (16, 20), np.uint8)).save(tmp_path / kind / f"{i}.png")
    write_catalogue(tmp_path, [[str(i), f"{i}.png", f"../init/{3 - i}.png", f"{i / 10}", "17"] for i in (2, 0, 3, 1)])
    return tmp_path


def write_catalogue(folder: Path, rows: list[list[str]]) -> None:
    with (folder / "model" / "all.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "file", "init_file", "z", "mag"], *rows])


def config(**inputs: object) -> ProbesConfig:
    return ProbesConfig.model_validate(
        {
            "images": "model/*.png",
            "catalogue": "model/all.csv",
            "inputs": inputs,
            "prepare": {"steps": [{"scale": 0.5}]},
        }
    )


def pixels(folder: Path, kind: str, *numbers: int) -> np.ndarray:
    return np.stack([np.asarray(Image.open(folder / kind / f"{i}.png"), np.float32)[..., None] for i in numbers])


def test_every_kind_of_source_gives_what_it_says(folder: Path) -> None:
    probes = load_probes(
        config(
            model={"image": True},
            init={"images": "init/*.png"},
            other={"column": "init_file", "prepare": {"flatten": True}},
            numbers={"columns": ["mag", "z"], "mean_std": [[17.0, 0.1], [2.0, 0.2]]},
            scaled={"columns": ["z"], "scale": 10},
            small={"prepare": {"resize": [8, 10], "steps": [{"offset": 1}]}},
        ),
        folder,
    )
    assert probes.failures == () and [probe.id for probe in probes.probes] == ["0", "1", "2", "3"]
    given = probes.given
    assert list(given) == ["model", "init", "other", "numbers", "scaled", "small"]
    np.testing.assert_array_equal(given["model"], pixels(folder, "model", 0, 1, 2, 3) / 2)
    np.testing.assert_array_equal(given["init"], pixels(folder, "init", 0, 1, 2, 3) / 2)
    np.testing.assert_array_equal(given["other"], pixels(folder, "init", 3, 2, 1, 0).reshape(4, -1))
    expected = [[0, (z - 0.1) / 0.2] for z in (0.0, 0.1, 0.2, 0.3)]
    np.testing.assert_allclose(given["numbers"], expected, rtol=0, atol=1e-7)
    np.testing.assert_allclose(given["scaled"][:, 0], [0, 1, 2, 3], rtol=1e-7)
    nearest = [np.asarray(Image.open(folder / "model" / f"{i}.png").resize((10, 8), 0), np.float32) for i in range(4)]
    np.testing.assert_array_equal(given["small"][..., 0], np.stack(nearest) + 1)
    assert probes.others["numbers"].steps == ("minus (17, 0.1), divided by (2, 0.2)",)


def test_others_are_joined_before_selection_and_survive_the_waist(folder: Path) -> None:
    options = config(init={"images": "init/*.png"}, numbers={"columns": ["z"]})
    before = load_probes(options.model_copy(update={"select": ("3", "1")}), folder)
    np.testing.assert_array_equal(before.given["init"], pixels(folder, "init", 3, 1) / 2)
    np.testing.assert_allclose(before.given["numbers"], [[0.3], [0.1]], rtol=1e-7)
    write_probes(folder, before)
    after = read_probes(folder)
    assert list(after.given) == list(before.given) == ["", "init", "numbers"]
    for name, other in before.others.items():
        same = after.others[name]
        np.testing.assert_array_equal(same.values, other.values)
        assert same.values.dtype == other.values.dtype
        assert replace(same, values=other.values) == other


def test_fingerprints_cover_what_every_input_gets_and_only_that(folder: Path) -> None:
    plain, alone = load_probes(config(), folder), load_probes(config(model={"image": True}), folder)
    one, two = (load_probes(config(init={"images": f"{kind}/*.png"}), folder) for kind in ("init", "model"))
    renamed = load_probes(config(before={"images": "init/*.png"}), folder)
    assert plain.sha256 == alone.sha256
    assert len({probes.sha256 for probes in (plain, one, two, renamed)}) == 4
    assert len({probes.probes[0].sha256 for probes in (plain, one, two, renamed)}) == 4
    rows = [[str(i), f"{i}.png", f"../init/{3 - i}.png", "0.5" if i == 1 else "0.1", "17"] for i in range(4)]
    numbers = config(numbers={"columns": ["z"]})
    first = load_probes(numbers, folder)
    write_catalogue(folder, rows)
    second = load_probes(numbers, folder)
    assert [a.sha256 == b.sha256 for a, b in zip(first.probes, second.probes, strict=True)] == [False] * 4


def test_a_probe_without_one_of_its_inputs_is_told_and_left_out_of_all(folder: Path) -> None:
    rows = [["0", "0.png", "nowhere.png", "0.1", "17"], ["1", "1.png", "../init/0.png", "n/a", "?"],
            ["2", "2.png", "../init/1.png", "0.3", "18"], ["3", "3.png", "", "inf", "18"]]  # fmt: skip
    write_catalogue(folder, rows)
    probes = load_probes(config(init={"column": "init_file"}, numbers={"columns": ["z", "mag"]}), folder)
    assert [probe.id for probe in probes.probes] == ["2"] and len(probes.images) == len(probes.inputs) == 1
    np.testing.assert_array_equal(probes.given["init"], pixels(folder, "init", 1) / 2)
    np.testing.assert_allclose(probes.given["numbers"], [[0.3, 18]], rtol=1e-7)
    told = [(failure.name, failure.problem, failure.received) for failure in probes.failures]
    assert told == [
        ("0", "Input init: There is no such picture", "nowhere.png"),
        ("3", "Input init: There is no such picture", "nothing"),
        ("1", "Input numbers: column z holds no number", "z: n/a, mag: ?"),
        ("3", "Input numbers: column z holds no number", "z: inf"),
    ]


def test_an_unreadable_and_a_misshapen_second_picture_cost_their_probes(folder: Path) -> None:
    (folder / "init" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(folder / "init" / "2.png")
    probes = load_probes(config(init={"images": "init"}), folder)
    assert [probe.id for probe in probes.probes] == ["0", "3"]
    np.testing.assert_array_equal(probes.given["init"], pixels(folder, "init", 0, 3) / 2)
    shape = next(failure for failure in probes.failures if failure.name == "2")
    assert shape.problem == "Input init: The probe has another shape than the others"
    assert shape.advice == "Set probes.inputs.init.prepare.resize or crop."


def test_a_row_may_name_one_picture_of_a_stack(folder: Path) -> None:
    np.save(folder / "init.npy", np.arange(4 * 20 * 20, dtype="f4").reshape(4, 20, 20))
    rows = [[str(i), f"{i}.png", f"init.npy[{3 - i}]" if i else "init.npy", "1", "1"] for i in range(4)]
    write_catalogue(folder, rows)
    probes = load_probes(config(init={"column": "init_file", "prepare": {}}), folder)
    np.testing.assert_array_equal(probes.given["init"][:, 0, 0, 0], [800, 400, 0])
    (failure,) = probes.failures
    assert failure.name == "0" and failure.received == "init.npy, which holds 4"


@pytest.mark.parametrize(
    ("inputs", "where", "received"),
    [
        ({"init": {"images": ["init/0.png", "init/1.png"]}}, "probes.inputs.init.images", "2"),
        ({"numbers": {"columns": ["z", "magg"]}}, "model/all.csv:1", "id, file, init_file, z, mag"),
        ({"init": {"column": "file_init"}}, "model/all.csv:1", "id, file, init_file, z, mag"),
        ({"init": {"images": "init", "prepare": {"bands": ["u"]}}}, "probes.inputs.init", "'u'"),
    ],
)
def test_sources_that_cannot_be_meant_stop_everything(
    folder: Path, inputs: dict[str, object], where: str, received: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load_probes(config(**inputs), folder)
    assert error.value.where == where and error.value.received == received
