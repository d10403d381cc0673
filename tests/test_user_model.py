"""The user's own code: run as it is, left as it is, and every failure of it told in its own lines."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import live_networks as live
from reportgen.errors import NetworkError
from reportgen.network.choose import network_for
from reportgen.network.engine import start_tensorflow
from reportgen.network.live import LiveNetwork
from reportgen.network.user_model import described, user_model

start_tensorflow()
IMAGES = np.random.default_rng(1).normal(size=(5, 20, 20, 2)).astype(np.float32)

CODE = """
import keras
from keras import layers
from widths import WIDTH          # a neighbour of this file

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(WIDTH, 3, activation="relu")
        self.flat = layers.Flatten()
        self.dense = layers.Dense(2, activation="softmax")
    def call(self, x):
        return self.dense(self.flat(self.conv(x)))

def build_model():
    return Net()                  # never called: it is built when it sees the probes

def plain():
    return keras.Sequential([keras.Input((20, 20, 2)), layers.Flatten(), layers.Dense(2, name="out")])

def needs(size):
    return Net()

def raises():
    size = 0
    return 1 / size

def leaves():
    raise SystemExit(3)

def wrong():
    return "a model"

def other():
    return keras.Sequential([keras.Input((20, 20, 2)), layers.Flatten(), layers.Dense(3, name="head")])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "net.py").write_text(CODE)
    (tmp_path / "code" / "widths.py").write_text("WIDTH = 4\n")
    return tmp_path


@pytest.fixture(autouse=True)
def forget_neighbours() -> None:
    sys.modules.pop("widths", None)


def test_the_users_network_measures_weights_that_say_nothing_of_it(folder: Path) -> None:
    model = user_model("code/net.py:build_model", folder)
    model(IMAGES)
    stored = live.save(live.fill(model), folder / "m.weights.h5")
    path = folder / "m.weights.h5"
    network = network_for(None, stored, IMAGES.shape[1:], "code/net.py:build_model", folder, False, path, "weights")
    assert isinstance(network, LiveNetwork)
    measured = network.measure(stored, IMAGES)
    np.testing.assert_allclose(measured.predictions, model.predict(IMAGES, verbose=0), rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        next(iter(measured.activations.values())), model.conv(IMAGES), rtol=0, atol=1e-6 * 10
    )  # fmt: skip
    assert measured.output_activation == "softmax" and measured.scores is not None


def test_nothing_is_left_behind(folder: Path) -> None:
    paths, files, bytecode = list(sys.path), sorted(folder.rglob("*")), sys.dont_write_bytecode
    user_model("code/net.py:build_model", folder)
    with pytest.raises(NetworkError):
        user_model("code/net.py:raises", folder)
    assert sys.path == paths and sys.dont_write_bytecode == bytecode
    assert sorted(folder.rglob("*")) == files
    assert "net" not in sys.modules


def test_descriptions_of_what_is_made_of_layers_alone(folder: Path) -> None:
    described_plain = described(user_model("code/net.py:plain", folder))
    assert described_plain is not None and described_plain["class_name"] == "Sequential"
    assert described_plain["config"]["layers"][-1]["config"]["name"] == "out"
    assert described(user_model("code/net.py:build_model", folder)) is None
    with_block = described(live.squeezing())
    assert with_block is not None and with_block["class_name"] == "Functional"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("code/no.py:build_model", ["no file code/no.py", "relative to the configuration file"]),
        ("code/net.py:biuld_model", ["no function biuld_model", "build_model"]),
        ("code/net.py:raises", ["net.py:26", "ZeroDivisionError: division by zero", "raises() of net.py fails"]),
        ("code/net.py:leaves", ["net.py:29", "SystemExit"]),
        ("code/net.py:needs", ["size", "without arguments"]),
        ("code/net.py:wrong", ["returns no model", "builtins.str"]),
    ],
)
def test_what_is_wrong_with_the_code_is_told_in_its_own_lines(folder: Path, spec: str, told: list[str]) -> None:
    with pytest.raises(NetworkError) as error:
        user_model(spec, folder)
    assert all(words in str(error.value) for words in told), str(error.value)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def build_model(:\n    pass\n", ["bad.py:1", "SyntaxError"]),
        ("import keras\n\nimport no_such_library_anywhere\n", ["bad.py:3", "Install no_such_library_anywhere"]),
        ("x = 1\nraise RuntimeError('not today')\n", ["bad.py:2", "RuntimeError: not today"]),
        ("from helper import value\n", ["helper.py:2", "KeyError"]),
    ],
)
def test_a_file_that_cannot_be_imported(folder: Path, code: str, told: list[str]) -> None:
    (folder / "bad.py").write_text(code)
    (folder / "helper.py").write_text("table = {}\nvalue = table['nothing']\n")
    sys.modules.pop("helper", None)
    with pytest.raises(NetworkError, match="cannot be imported") as error:
        user_model("bad.py:build_model", folder)
    assert all(words in str(error.value) for words in told), str(error.value)


def test_code_of_another_architecture_than_the_file(folder: Path) -> None:
    model = keras.Sequential([keras.Input((20, 20, 2)), layers.Conv2D(2, 3, name="conv"), live.SEBlock(name="se")])
    stored = live.save(model, folder / "m.weights.h5")
    path = folder / "m.weights.h5"
    with pytest.raises(NetworkError, match="layer head") as error:
        network_for(None, stored, IMAGES.shape[1:], "code/net.py:other", folder, False, path, "weights")
    assert "(800, 3)" in error.value.expected and "conv" in error.value.received
    assert "the code this file was trained with" in error.value.advice
    wider = keras.Sequential([keras.Input((20, 20, 2)), layers.Flatten(), layers.Dense(4, name="head")])
    stored = live.save(wider, folder / "w.weights.h5")
    with pytest.raises(NetworkError, match="head") as error:
        network_for(None, stored, IMAGES.shape[1:], "code/net.py:other", folder, False, path, "weights")
    assert "(800, 4)" in str(error.value) and "(800, 3)" in str(error.value)


def test_probes_of_another_size_are_told_as_such(folder: Path) -> None:
    model = user_model("code/net.py:plain", folder)
    stored = live.save(model, folder / "m.weights.h5")
    with pytest.raises(NetworkError, match="takes inputs of shape 20 × 20 × 2"):
        network_for(None, stored, (30, 30, 2), "code/net.py:plain", folder, False, folder / "m.weights.h5", "weights")
