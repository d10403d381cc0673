"""SavedModel folders: the architecture out of Keras 2's description, weights bit for bit, and the graph never run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundles
from bundles import arrays, opened
from reportgen.checkpoints import FORMATS, read_graph
from reportgen.checkpoints.counter import iterations
from reportgen.checkpoints.formats import recognise
from reportgen.checkpoints.saved_model import parts_of_folder
from reportgen.errors import CheckpointError
from reportgen.network import open_network
from test_bundle import assert_as_tensorflow_reads

INDEX = "variables/variables.index"


def assert_holds(stored: Any, expected: dict[str, np.ndarray]) -> None:
    """Hold every array against what Keras 2 had in memory."""
    held = arrays(stored)
    assert set(held) == {key for key in expected if "|" in key}
    for key, value in held.items():
        np.testing.assert_array_equal(value, expected[key])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sequential", "nested", "shared"])
def test_a_folder_of_keras_2_predicts_as_keras_2_did(name: str, keras2_files: Path) -> None:
    expected = dict(np.load(keras2_files / f"{name}.npz"))
    folder = keras2_files / f"{name}_folder"
    assert recognise(folder, b"") == "saved-model" and FORMATS["saved-model"].whole
    stored = opened(folder)
    assert_holds(stored, expected)
    measured = open_network(stored, (8, 8, 3)).measure(stored, expected["x"])
    wanted = [expected[key] for key in sorted(expected) if key.startswith("y")]
    given = [measured.predictions] if len(wanted) == 1 else _outputs(measured, stored)
    for ours, theirs in zip(given, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


def _outputs(measured: Any, stored: Any) -> list[np.ndarray]:
    """Return each output of a network that has several, from the layers that make them."""
    return [measured.activations[read_graph(stored).calls[ref.call].name] for ref in read_graph(stored).outputs]


@pytest.mark.slow
def test_what_a_folder_of_keras_2_says_about_itself(keras2_files: Path) -> None:
    stored = opened(keras2_files / "sequential_folder")
    assert (stored.keras_version, stored.optimizer, stored.loss) == ("2.15.0", "Adam", "mse")
    assert stored.other == {"metrics": 4, "optimizer": 2 + 2 * 8}  # 8 trainable arrays, two slots each
    stored = opened(keras2_files / "nested_folder")
    assert stored.other == {"optimizer": 2 + 2 * 11}  # without traces Keras keeps no metrics
    assert "__tuple__" not in json.dumps(stored.config) and "TensorShape" not in json.dumps(stored.config)
    assert [p.name for p in parts_of_folder(keras2_files / "nested_folder")] == [
        "saved_model.pb", "keras_metadata.pb", "variables.index", "variables.data-00000-of-00001",
    ]  # fmt: skip
    assert_as_tensorflow_reads(keras2_files / "nested_folder" / INDEX)
    assert iterations(keras2_files / "nested_folder", "saved-model") == 1


@pytest.mark.slow
def test_two_inputs_and_the_folder_of_a_callback(keras2_files: Path) -> None:
    stored = opened(keras2_files / "two_inputs_folder")
    assert_holds(stored, dict(np.load(keras2_files / "two_inputs.npz")))
    assert [call.name for call in read_graph(stored).inputs] == ["image", "numbers"]
    assert [layer.name for layer in opened(keras2_files / "highest_model").layers] == ["only"]


@pytest.mark.slow
def test_a_subclassed_model_of_keras_2_gives_weights_alone(keras2_files: Path) -> None:
    folder = keras2_files / "own_folder"
    assert recognise(folder, b"") == "exported" and not FORMATS["exported"].whole
    stored = opened(folder)
    assert stored.config is None and stored.keras_version == "2.15.0"
    assert [layer.name for layer in stored.layers] == ["first", "blocks/0", "blocks/1", "stem/mix", "model"]
    loose = arrays(opened(keras2_files / "own.index"))
    for key, value in arrays(stored).items():
        np.testing.assert_array_equal(value, loose[key])


@pytest.mark.slow
def test_the_description_inside_the_graph_as_tensorflow_2_0_to_2_4_put_it(keras2_files: Path, tmp_path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    from reportgen.checkpoints.wire import fields

    folder = tmp_path / "older"
    shutil.copytree(keras2_files / "sequential_folder", folder)
    graph = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    nodes = graph.meta_graphs[0].object_graph_def.nodes
    for _, value in fields((folder / "keras_metadata.pb").read_bytes()):
        said: dict[int, Any] = dict(fields(value))
        held = nodes[said.get(2, 0)].user_object
        held.identifier, held.metadata = said[4].decode(), said[5].decode()
    (folder / "saved_model.pb").write_bytes(graph.SerializeToString())
    (folder / "keras_metadata.pb").unlink()
    assert recognise(folder, b"") == "saved-model"
    older, newer = opened(folder), opened(keras2_files / "sequential_folder")
    assert older.config == newer.config
    assert_holds(older, arrays(newer))


@pytest.mark.slow
def test_damaged_descriptions_are_refused_or_read(keras2_files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(keras2_files / "sequential_folder", folder)
    whole = (folder / "keras_metadata.pb").read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for number in range(400):
        changed = bytearray(whole[: rng.integers(len(whole))] if number % 4 == 0 else whole)
        for _ in range(3):
            if changed:
                changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
        (folder / "keras_metadata.pb").write_bytes(changed)
        try:
            opened(folder)
        except CheckpointError:
            refused += 1
    assert refused > 50
    (folder / "keras_metadata.pb").write_bytes(whole)
    (folder / INDEX).unlink()
    with pytest.raises(CheckpointError, match=r"variables.index is missing"):
        opened(folder)


def test_export_of_keras_3_under_full_names_and_those_of_an_architecture(tmp_path: Path) -> None:
    import keras
    from keras import layers as L

    tower = keras.Sequential([keras.Input((6, 6, 3)), L.Conv2D(2, 3, name="c1"), L.Flatten()], name="tower")
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), L.Conv2D(3, 3, name="c1"), L.BatchNormalization(name="bn"), L.Dropout(0.5), tower,
         L.Dense(2, name="out")], name="net",
    )  # fmt: skip
    model.set_weights([weight + np.random.default_rng(6).random(weight.shape) for weight in model.get_weights()])
    model.export(tmp_path / "e", verbose=False)
    (tmp_path / "a.json").write_text(model.to_json())
    assert recognise(tmp_path / "e", b"") == "exported"
    layers = {"c1": model.layers[0], "bn": model.layers[1], "tower/c1": tower.layers[0], "out": model.layers[-1]}
    # Keras puts the name of a Sequential before its own layers' alone; nothing in the folder tells it from a tower's.
    in_full = {"net/c1": layers["c1"], "net/bn": layers["bn"], "tower/c1": layers["tower/c1"], "net/out": layers["out"]}
    for architecture, named in ((None, in_full), (tmp_path / "a.json", layers)):
        stored = opened(tmp_path / "e", architecture)
        held = arrays(stored)
        expected = {f"{n}|{w.name}": np.asarray(w) for n, layer in named.items() for w in layer.weights}
        assert_holds(stored, expected)
        assert len(held) == len(model.trainable_weights) + 2  # each array once, though the folder holds it twice
        assert set(stored.other) == {"seed generators"}
    assert_as_tensorflow_reads(tmp_path / "e" / INDEX)


def test_a_plain_folder_that_writes_files_when_run_writes_none(tmp_path: Path) -> None:
    import tensorflow as tf

    target = tmp_path / "written"

    class Writer(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(tf.ones((2, 3)), name="dense/kernel")
            self.words = tf.Variable(["a", "b"], name="words")

        @tf.function(input_signature=[tf.TensorSpec((None, 2))])
        def __call__(self, x: Any) -> Any:
            tf.io.write_file(str(target), "ran")
            return x @ self.kernel

    module = Writer()
    tf.saved_model.save(module, tmp_path / "m")
    assert not target.exists()
    stored = opened(tmp_path / "m")
    assert arrays(stored)["model|kernel"].tolist() == np.ones((2, 3)).tolist()
    assert stored.other == {"texts": 1}
    assert not target.exists()
    tf.saved_model.load(tmp_path / "m")(tf.ones((1, 2)))
    assert target.exists()  # that is what running it does


def test_variables_that_lie_elsewhere_and_folders_that_are_none(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    assert recognise(folder, b"") is None
    (folder / "saved_model.pb").write_bytes(b"")
    with pytest.raises(CheckpointError, match="is missing"):
        opened(folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    bundles.write_table(elsewhere / "variables.index", {b"": b"\x08\x01"})
    (folder / "variables").symlink_to(elsewhere)
    with pytest.raises(CheckpointError, match="a link that leads elsewhere"):
        opened(folder)
