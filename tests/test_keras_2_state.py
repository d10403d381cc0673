"""What Keras 2.15 keeps in its files beside weights, read from files it writes itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from reportgen.checkpoints.formats import read_checkpoint, recognise
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel

KERAS_2 = Path(__file__).parents[1] / ".keras2" / "bin" / "python"
pytestmark = pytest.mark.skipif(not KERAS_2.exists(), reason="the environment with Keras 2.15 is not there")

WRITER = """
import os, sys, warnings
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")
import keras, numpy as np
from keras import layers
folder = sys.argv[1]
model = keras.Sequential([
    keras.Input((8, 8, 1)), layers.RandomFlip(name="flip"), layers.RandomRotation(0.1, name="turn"),
    layers.Conv2D(3, 3, name="conv"), layers.Dropout(0.2, name="drop"), layers.Flatten(name="flat"),
    layers.Dense(2, name="out"),
])
model.compile("adam", "mse", metrics=["mae"])
model.fit(np.zeros((4, 8, 8, 1)), np.zeros((4, 2)), verbose=0)
for name in ("m.keras", "m.h5"):
    model.save(f"{folder}/{name}")
model.save_weights(f"{folder}/m.weights.h5")
np.savez(f"{folder}/arrays.npz", states=len(model.optimizer.variables),
         **{w.name.split(":")[0]: w.numpy() for layer in ("conv", "out") for w in model.get_layer(layer).weights})

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.c, self.d = layers.Conv2D(3, 3, name="mine"), layers.Dropout(0.1)
    def call(self, x):
        return self.d(self.c(x))

net = Net()
net(np.zeros((1, 8, 8, 1)))
net.save_weights(f"{folder}/net.weights.h5")
np.save(f"{folder}/kernel.npy", net.c.kernel.numpy())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("keras_2")
    (place / "write.py").write_text(WRITER)
    done = subprocess.run([KERAS_2, place / "write.py", place], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return place


def read(path: Path) -> StoredModel:
    key = recognise(path, path.read_bytes()[:4096])
    assert key is not None
    return read_checkpoint(Checkpoint(path.name, path.name, path, key, None, 1, ""))


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5"])
def test_state_beside_weights_is_told_and_is_no_layer(name: str, folder: Path) -> None:
    stored = read(folder / name)
    with np.load(folder / "arrays.npz") as kept:
        arrays = {key: kept[key] for key in kept.files}
    states = int(arrays.pop("states"))
    # In `.weights.h5` nothing says what the user called a layer.
    own = {"conv2d": "conv", "dense": "out"} if "weights" in name else {}
    found = {f"{own.get(layer.name, layer.name)}/{v.name}": v.value for layer in stored.layers for v in layer.variables}
    assert set(found) == set(arrays)
    for key, value in found.items():
        np.testing.assert_array_equal(value, arrays[key])
    assert stored.other.pop("metrics", 0) == (0 if name == "m.h5" else 4)
    # The learning rate is a variable of the optimiser and is not saved.
    assert stored.other.pop("optimizer") in {states, states - 1} and not stored.other


def test_layers_of_a_subclassed_model_are_told_apart_as_far_as_the_file_says(folder: Path) -> None:
    (layer,) = read(folder / "net.weights.h5").layers
    assert layer.group == "layers/conv2d" and [v.name for v in layer.variables] == ["kernel", "bias"]
    np.testing.assert_array_equal(layer.variables[0].value, np.load(folder / "kernel.npy"))
