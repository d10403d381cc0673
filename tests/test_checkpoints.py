"""The checkpoints room: files of every layout give the same arrays, under the user's names."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import checkpoint_files as files
import networks
from networks import stored
from reportgen.checkpoints import architecture_signature, read_graph
from reportgen.checkpoints.formats import FORMATS, HEAD, recognise
from reportgen.checkpoints.graph import Ref
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import CheckpointError


def assert_holds(model: StoredModel, expected: dict[str, dict[str, np.ndarray]]) -> None:
    """Hold layers, names, order and every bit of the arrays against what was written."""
    assert [layer.name for layer in model.layers] == list(expected)
    for layer in model.layers:
        assert [v.name for v in layer.variables] == list(expected[layer.name])
        for variable in layer.variables:
            np.testing.assert_array_equal(variable.value, expected[layer.name][variable.name])


WRITERS: dict[str, tuple[str, Any]] = {
    "keras": ("keras", lambda path: files.write_keras(path)),
    "keras without names": ("keras", lambda path: files.write_keras(path, named=False)),
    "whole HDF5": ("hdf5", lambda path: files.write_hdf5(path)),
    "HDF5 behind a user block": ("hdf5", lambda path: files.write_hdf5(path, userblock=2048)),
    "weights HDF5": ("hdf5-weights", lambda path: files.write_hdf5(path, config=None)),
}


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "highest_weight", "a.b.checkpoint"])
@pytest.mark.parametrize("writer", WRITERS)
def test_content_decides_whatever_the_name(writer: str, name: str, tmp_path: Path) -> None:
    key, write = WRITERS[writer]
    path = tmp_path / name
    write(path)
    assert recognise(path, path.read_bytes()[:HEAD]) == key
    assert_holds(stored(path), files.arrays())


def test_what_a_file_says_about_itself(tmp_path: Path) -> None:
    modern = stored(files.write_keras(tmp_path / "a.keras", iterations=7))
    assert (modern.keras_version, modern.saved) == ("3.15.1", "2026-11-22 18:02:45")
    assert (modern.optimizer, modern.loss) == ("Adam", "MeanSquaredError")
    older = stored(files.write_hdf5(tmp_path / "a.h5", iterations=7))
    assert (older.keras_version, older.saved) == ("2.3.1", "")
    assert (older.optimizer, older.loss) == ("Adam", "mean_squared_error")
    assert stored(files.write_keras(tmp_path / "b.keras")).optimizer == ""  # described, but no state in the file


def test_weights_alone_are_named_by_the_file_where_it_has_names(tmp_path: Path) -> None:
    files.write_v3(tmp_path / "m.weights.h5")
    assert_holds(stored(tmp_path / "m.weights.h5"), files.arrays())
    files.write_v3(tmp_path / "n.weights.h5", named=False)
    names = [layer.name for layer in stored(tmp_path / "n.weights.h5").layers]
    assert names == ["conv2d", "conv2d_1", "dense"]


def test_optimiser_state_and_seeds_are_no_layers(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dropout(0.5, seed=1)])
    model.add(keras.layers.Dense(1, name="b"))
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4)), np.ones(4), verbose=0)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    for name in ("m.keras", "m.weights.h5"):
        read = stored(tmp_path / name)
        assert sorted(layer.name for layer in read.layers) == ["a", "b"]
        assert read.optimizer.lower() == "adam"
    assert stored(tmp_path / "m.keras").loss == "mse"


@pytest.mark.parametrize("topology", networks.NETWORKS)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_every_format_holds_the_weights_keras_holds(topology: str, tmp_path: Path) -> None:
    model = networks.fill(networks.NETWORKS[topology]())
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    networks.save_as_keras_2(model, tmp_path / "older") if topology not in {"branches", "many"} else None
    expected = keras_arrays(model)
    for path in (p for p in (tmp_path / "m.keras", tmp_path / "m.h5", tmp_path / "older") if p.exists()):
        read = {layer.name: {v.name: v.value for v in layer.variables} for layer in stored(path).layers}
        assert set(read) == set(expected)
        for name, variables in expected.items():
            assert set(read[name]) == set(variables)
            for word, values in variables.items():
                np.testing.assert_array_equal(read[name][word], values)


def keras_arrays(model: Any, prefix: str = "") -> dict[str, dict[str, np.ndarray]]:
    """Return what Keras holds, by the user's names; layers of nested models as `backbone/conv1`."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found |= keras_arrays(layer, f"{prefix}{layer.name}/")
        elif layer.weights:
            words = {weight.path.rpartition(f"{layer.name}/")[2]: weight.numpy() for weight in layer.weights}
            found[prefix + layer.name] = words
    return found


def test_the_same_network_has_one_signature_in_keras_and_hdf5(tmp_path: Path) -> None:
    one, two = stored(files.write_keras(tmp_path / "a.keras", 1)), stored(files.write_keras(tmp_path / "b.keras", 2))
    assert architecture_signature(one) == architecture_signature(two)
    other = json.loads(json.dumps(files.MODEL))
    other["config"]["layers"][1]["config"]["activation"] = "elu"
    changed = stored(files.write_keras(tmp_path / "c.keras", config=other))
    assert architecture_signature(changed) != architecture_signature(one)
    older, again = stored(files.write_hdf5(tmp_path / "a.h5", 1)), stored(files.write_hdf5(tmp_path / "b.h5", 2))
    assert architecture_signature(older) == architecture_signature(again)


def test_a_list_of_layers_as_keras_2_1_wrote_it(tmp_path: Path) -> None:
    model = {"class_name": "Sequential", "config": files.MODEL["config"]["layers"][1:]}
    model["config"][0]["config"]["batch_input_shape"] = [None, 8, 8, 1]
    graph = read_graph(stored(files.write_hdf5(tmp_path / "m.h5", config=model)))
    assert [call.name for call in graph.calls] == ["input", "conv_b", "conv2d", "flat", "out"]
    assert graph.calls[0].config["shape"] == [8, 8, 1]
    assert graph.outputs == (Ref(4),)


def test_bfloat16_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    values = np.array([1.0, -2.5, 3.140625, 0.0], np.float32)
    halves = (values.view(np.uint32) >> 16).astype("<u2").view("V2")
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = halves
        file["layers/dense/vars/0"].attrs["dtype"] = "bfloat16"
    np.testing.assert_array_equal(stored(path).layers[0].variables[0].value, values)


def test_long_lists_of_names_are_read_in_pieces(tmp_path: Path) -> None:
    path = files.write_hdf5(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        names = file["model_weights"].attrs["layer_names"]
        del file["model_weights"].attrs["layer_names"]
        file["model_weights"].attrs["layer_names0"], file["model_weights"].attrs["layer_names1"] = names[:2], names[2:]
    assert_holds(stored(path), files.arrays())


def test_functional_models_of_keras_2_count_a_nested_models_inside_as_its_first_use() -> None:
    inner = {"class_name": "Functional", "name": "inner", "inbound_nodes": [[["x", 0, 0, {}]], [["y", 0, 0, {}]]],
             "config": {"name": "inner", "trainable": False, "layers": [
                 {"class_name": "InputLayer", "name": "i", "config": {"name": "i", "batch_input_shape": [None, 4]},
                  "inbound_nodes": []},
                 {"class_name": "Dense", "name": "d", "config": {"name": "d", "units": 4, "trainable": True},
                  "inbound_nodes": [[["i", 0, 0, {}]]]}],
                 "input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]}}  # fmt: skip
    ends = [{"class_name": "InputLayer", "name": n, "config": {"name": n, "batch_input_shape": [None, 4]},
             "inbound_nodes": []} for n in ("x", "y")]  # fmt: skip
    scaled = {"class_name": "TFOpLambda", "name": "tf.math.multiply", "inbound_nodes": [["inner", 2, 0, {"y": 2.0}]],
              "config": {"name": "tf.math.multiply", "trainable": True, "function": "math.multiply"}}  # fmt: skip
    add = {"class_name": "Add", "name": "add", "config": {"name": "add", "trainable": True},
           "inbound_nodes": [[["inner", 1, 0, {}], ["tf.math.multiply", 0, 0, {}]]]}  # fmt: skip
    config = {"name": "m", "layers": [*ends, inner, scaled, add],
              "input_layers": [["x", 0, 0], ["y", 0, 0]], "output_layers": [["add", 0, 0]]}  # fmt: skip
    graph = read_graph(StoredModel((), {"class_name": "Functional", "config": config}, keras_version="2.15.0"))
    told = [(call.name, call.class_name, [ref.call for ref in call.inputs]) for call in graph.calls]
    assert told == [
        ("x", "InputLayer", []), ("y", "InputLayer", []), ("inner/d", "Dense", [0]),
        ("inner/d (call 2)", "Dense", [1]), ("tf.math.multiply", "math.multiply", [3]), ("add", "Add", [2, 4]),
    ]  # fmt: skip
    assert graph.calls[2].trainable is False and graph.era == 2


def test_a_subclassed_model_has_weights_and_no_graph(tmp_path: Path) -> None:
    model = stored(files.write_keras(tmp_path / "m.keras", config={"class_name": "MyNet", "config": {"depth": 3}}))
    assert {layer.name for layer in model.layers} == {"conv_b", "conv2d", "out"}
    with pytest.raises(CheckpointError, match="MyNet"):
        read_graph(model)


def test_reading_needs_no_tensorflow_and_little_time(tmp_path: Path) -> None:
    path = files.write_keras(tmp_path / "m.keras")
    program = (
        "import sys\nfrom pathlib import Path\nfrom reportgen.checkpoints import find_run, read_checkpoint\n"
        "from reportgen.config.model import RunConfig\n"
        "read_checkpoint(find_run(RunConfig(path=sys.argv[1]), Path('.')).checkpoints[0])\n"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    made = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
    kind = FORMATS["keras"]
    times = []
    for _ in range(20):
        start = time.process_time()
        kind.read(path, None)
        times.append(time.process_time() - start)
    assert min(times) < 0.03


def test_a_checkpoint_that_changed_or_went_away_since_is_an_error(tmp_path: Path) -> None:
    from reportgen.checkpoints import find_run, read_checkpoint
    from reportgen.config.model import RunConfig

    path = files.write_keras(tmp_path / "epoch-3.keras")
    checkpoint = find_run(RunConfig(path=tmp_path), tmp_path).checkpoints[0]
    path.unlink()
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(checkpoint)
    assert caught.value.where == "epoch-3.keras"
    with pytest.raises(CheckpointError):
        read_checkpoint(replace(checkpoint, path=tmp_path))
