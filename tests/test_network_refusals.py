"""What the network room refuses: each by name, with what to do, and without running anything."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import networks
from networks import measure, stored
from reportgen.checkpoints.stored import StoredModel, Variable
from reportgen.errors import NetworkError
from reportgen.network import open_network


def edited(path: Path, edit: Any) -> StoredModel:
    """Return a stored model whose configuration was changed after saving."""
    checkpoint = stored(path)
    config = json.loads(json.dumps(checkpoint.config))
    edit(config["config"]["layers"])
    return replace(checkpoint, config=config)


REFUSED: dict[str, tuple[Any, str]] = {
    "Lambda": (lambda ls: ls[3].update(class_name="Lambda"), "Lambda"),
    "custom layer": (lambda ls: ls[3].update(class_name="SEBlock", module="mine"), "SEBlock"),
    "TFSMLayer": (lambda ls: ls[3].update(class_name="TFSMLayer"), "TFSMLayer"),
    "custom activation": (lambda ls: ls[1]["config"].update(activation="my_relu"), "my_relu"),
    "custom activation called relu": (
        lambda ls: ls[1]["config"].update(activation={"class_name": "function", "config": "relu", "module": "mine"}),
        "custom relu",
    ),
    "units bomb": (lambda ls: ls[-1]["config"].update(units=2_000_000), "(5, 2000000)"),
    "negative filters": (lambda ls: ls[1]["config"].update(filters=-4), "filters=-4"),
    "filters as text": (lambda ls: ls[1]["config"].update(filters="4"), "conv_a"),
    "unknown dtype": (lambda ls: ls[1]["config"].update(dtype="float9000"), "conv_a"),
    "huge activations": (
        lambda ls: ls.insert(2, {"class_name": "UpSampling2D", "config": {"name": "up", "size": [3000, 3000]}}), "up"
    ),
    "unknown option": (lambda ls: ls[1]["config"].update(twist=7), "twist"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_built_in_is_refused_by_name(case: str, tmp_path: Path) -> None:
    networks.fill(networks.sequential()).save(tmp_path / "m.keras")
    edit, word = REFUSED[case]
    checkpoint = edited(tmp_path / "m.keras", edit)
    with pytest.raises(NetworkError) as caught:
        measure(checkpoint, networks.inputs())
    assert word in str(caught.value)
    assert len(checkpoint.layers) == 5  # the weights are there all the same


def test_a_custom_layer_is_named_and_its_weights_are_read(tmp_path: Path) -> None:
    import keras

    @keras.saving.register_keras_serializable("galaxies")
    class Gate(keras.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.gain = self.add_weight(shape=(shape[-1],), name="gain")

        def call(self, x: Any) -> Any:
            return x * self.gain

    model = keras.Sequential([keras.Input((6,)), Gate(name="gate"), keras.layers.Dense(1, name="out")])
    model.save(tmp_path / "m.keras")
    checkpoint = stored(tmp_path / "m.keras")
    assert {layer.name: [v.value.shape for v in layer.variables] for layer in checkpoint.layers} == {
        "gate": [(6,)], "out": [(6, 1), (1,)]
    }  # fmt: skip
    with pytest.raises(NetworkError, match="gate is of class Gate"):
        open_network(checkpoint, (6,))


@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        ((20, 20, 3), "2 bands"), ((20, 24, 2), "resize: [20, 20]"), ((800,), "flatten: false"),
    ],
)  # fmt: skip
def test_probes_of_another_shape_are_refused_with_what_to_change(
    shape: tuple[int, ...], advice: str, tmp_path: Path
) -> None:
    networks.fill(networks.sequential()).save(tmp_path / "m.keras")
    with pytest.raises(NetworkError) as caught:
        open_network(stored(tmp_path / "m.keras"), shape)
    assert advice in caught.value.advice
    assert caught.value.expected == "20 × 20 × 2"
    assert caught.value.received == " × ".join(map(str, shape))


def test_a_network_of_flat_vectors_takes_images_rows_first_and_refuses_other_sizes(team_data: Path) -> None:
    single = stored(team_data / "s20team2/checkpoints/2020-04-23_atm4wCurSingleModel_SingleModelPaper.h5")
    images = np.random.default_rng(5).normal(size=(2, 100, 100, 1)).astype(np.float32)
    np.testing.assert_array_equal(
        measure(single, images).predictions, measure(single, images.reshape(2, -1)).predictions
    )
    with pytest.raises(NetworkError) as caught:
        open_network(single, (90, 100, 1))
    assert caught.value.expected == "10000" and "flatten: true" in caught.value.advice


def test_arrays_of_another_shape_name_layer_and_both_shapes(tmp_path: Path) -> None:
    networks.fill(networks.sequential()).save(tmp_path / "m.keras")
    checkpoint = stored(tmp_path / "m.keras")
    layers = list(checkpoint.layers)
    conv = layers[0]
    layers[0] = replace(conv, variables=(Variable("kernel", np.zeros((3, 2, 2, 4), "f4")), conv.variables[1]))
    with pytest.raises(NetworkError) as caught:
        measure(replace(checkpoint, layers=tuple(layers)), networks.inputs())
    assert "conv_a" in str(caught.value) and "(3, 2, 2, 4)" in str(caught.value) and "(3, 3, 2, 4)" in str(caught.value)


def test_weights_alone_say_what_is_missing(tmp_path: Path) -> None:
    networks.fill(networks.sequential()).save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(NetworkError, match="weights alone"):
        open_network(stored(tmp_path / "m.weights.h5"), (20, 20, 2))


def test_a_lambda_with_code_is_refused_and_never_runs(tmp_path: Path) -> None:
    import keras

    mark = tmp_path / "ran"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2.0, name="twice")])
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    evil = {"module": "os", "class_name": "function", "config": "system", "registered_name": f"touch {mark}"}
    config["config"]["layers"][1]["config"]["function"] = evil
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name, data in (members | {"config.json": json.dumps(config).encode()}).items():
            archive.writestr(name, data)
    with pytest.raises(NetworkError, match="Lambda"):
        measure(stored(tmp_path / "m.keras"), np.zeros((1, 3), np.float32))
    assert not mark.exists()


def test_a_result_without_numbers_is_refused_by_the_name_of_its_layer(tmp_path: Path) -> None:
    """Its statistics would be those of nothing."""
    import keras
    from keras import layers

    image = keras.Input((20, 20, 2))
    maps = layers.Conv2D(2, 3, name="conv")(image)
    answer = layers.Dense(1, name="out")(layers.GlobalMaxPooling2D(name="most")(maps))
    keras.Model(image, [answer, maps[:, 0:0]]).save(tmp_path / "m.keras")
    with pytest.raises(NetworkError, match="no number at all") as error:
        open_network(stored(tmp_path / "m.keras"), (20, 20, 2))
    assert "(0, 18, 2)" in error.value.problem and error.value.where.startswith("get_item")
