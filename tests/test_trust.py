"""Which way a network is opened: rebuilt where that is safe, by the user's code, or on trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import live_networks as live
from live_expected import IMAGES, SHAPE, assert_close, assert_same, squeezing
from reportgen.checkpoints.architecture import architecture_signature, read_graph
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import CheckpointError, NetworkError, NotBuiltIn
from reportgen.network import network as ordinary
from reportgen.network.choose import Ways, network_for
from reportgen.network.network import Network
from reportgen.network.user_model import described

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")


def graph_of(stored: StoredModel) -> Any:
    try:
        return read_graph(stored)
    except CheckpointError:
        return None


def choose(stored: StoredModel, path: Path, spec: str | None = None, trust: bool = False, format: str = "keras") -> Any:
    return network_for(stored, {"": SHAPE}, Ways(spec, path.parent, trust), path, format)


def with_lambda() -> Any:
    return keras.Sequential([
        keras.Input(SHAPE), layers.Conv2D(3, 3, name="conv"), layers.Lambda(lambda x: x * 2.0 + 1.0, name="own"),
        layers.GlobalAveragePooling2D(name="mean"), layers.Dense(1, activation="sigmoid", name="score"),
    ])  # fmt: skip


@pytest.mark.parametrize(("suffix", "format"), [(".keras", "keras"), (".h5", "hdf5"), ("", "hdf5")])
def test_a_lambda_runs_on_trust_alone(suffix: str, format: str, tmp_path: Path) -> None:
    model = live.fill(with_lambda())
    path = tmp_path / f"m{suffix or '.h5'}"
    model.save(path)
    path = path.rename(tmp_path / "highest_weight") if not suffix else path
    stored = live.stored(path)
    with pytest.raises(NotBuiltIn, match="class Lambda") as error:
        choose(stored, path, format=format)
    assert "run.model: your_file.py:build_model" in error.value.advice and "run.trust: true" in error.value.advice
    measured = choose(stored, path, trust=True, format=format).measure(stored, IMAGES)
    assert_close(measured.predictions, model.predict(IMAGES, verbose=0), "prediction")
    conv = model.get_layer("conv")(IMAGES)
    assert_close(measured.activations["own"], conv * 2.0 + 1.0, "own")


def test_trust_is_not_asked_for_what_can_be_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = live.fill(keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(1, name="d")]))
    stored = live.save(model, tmp_path / "m.keras")
    monkeypatch.setattr(keras.saving, "load_model", lambda *a, **k: pytest.fail("Keras was asked"))
    network = choose(stored, tmp_path / "m.keras", spec="nowhere.py:build", trust=True)
    assert isinstance(network, Network)
    assert_close(network.measure(stored, IMAGES).predictions, model.predict(IMAGES, verbose=0), "prediction")


def test_what_stops_a_network_is_said_with_both_ways_out(tmp_path: Path) -> None:
    whole = live.save(live.squeezing(), tmp_path / "m.keras")
    with pytest.raises(NotBuiltIn, match="SEBlock") as error:
        choose(whole, tmp_path / "m.keras")
    assert "run.model" in error.value.advice and "run.trust" in error.value.advice
    subclass = live.save(live.built(live.Own()), tmp_path / "o.keras")
    with pytest.raises(NotBuiltIn, match="Own") as error:
        choose(subclass, tmp_path / "o.keras")
    assert "run.model" in error.value.advice and "run.trust" in error.value.advice
    weights = live.save(live.built(live.Own()), tmp_path / "o.weights.h5")
    for trust in (False, True):  # trust cannot make a network of weights
        with pytest.raises(NotBuiltIn, match="weights alone") as error:
            choose(weights, tmp_path / "o.weights.h5", trust=trust, format="weights")
        assert "run.model" in error.value.advice and "run.trust" not in error.value.advice
    with pytest.raises(NetworkError, match="cannot load") as failed:
        choose(subclass.__class__(subclass.layers, subclass.config), tmp_path / "nothing.keras", trust=True)
    assert "run.model" in failed.value.advice


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_with_custom_layers_opens_with_their_code(suffix: str, tmp_path: Path) -> None:
    model = live.fill(live.squeezing())
    stored = live.save(model, tmp_path / f"m{suffix}")
    network = network_for(
        stored, {"": SHAPE}, Ways("live_networks.py:squeezing", Path(__file__).parent), tmp_path, "keras"
    )
    measured = network.measure(stored, IMAGES)
    assert_same(measured, model, squeezing(model))


def test_a_described_model_lends_its_description(tmp_path: Path) -> None:
    """A functional model of the user's goes the ordinary way: its names count, whatever the file calls its groups."""

    def make() -> Any:
        image = keras.Input(SHAPE)
        late = layers.Conv2D(3, 3, name="late")
        first = layers.Conv2D(2, 3, name="conv2d")(image)
        return keras.Model(image, layers.Dense(1, name="out")(layers.Flatten(name="flat")(late(first))))

    model = live.fill(make())
    live.save(model, tmp_path / "m.weights.h5")
    architecture = tmp_path / "architecture.json"
    architecture.write_text(json.dumps(described(make())))
    stored = live.stored(live.unlabelled(tmp_path / "m.weights.h5"), architecture)
    measured = ordinary.open_network(stored, SHAPE).measure(stored, IMAGES)
    assert_close(measured.predictions, model.predict(IMAGES, verbose=0), "prediction")
    assert described(live.built(live.Own())) is None


def test_two_classes_with_equal_arrays_are_two_networks(tmp_path: Path) -> None:
    """What an unknown class computes is known to its code alone; sharing one's live network would show another's."""

    @keras.saving.register_keras_serializable("test_trust")
    class Plain(keras.Model):
        def __init__(self, power: int = 1, **options: Any) -> None:
            super().__init__(**options)
            self.power = power
            self.out = layers.Dense(1, name="out")

        def call(self, x: Any) -> Any:
            return self.out(x**self.power)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "power": self.power}

    @keras.saving.register_keras_serializable("test_trust")
    class Squared(Plain):
        def call(self, x: Any) -> Any:
            return self.out(x) ** 2

    signatures = []
    for i, model in enumerate((Plain(), Plain(), Plain(2), Squared())):  # Keras numbers the names of the first two
        model(np.ones((1, 4), "f4"))
        signatures.append(architecture_signature(live.save(model, tmp_path / f"{i}.keras")))
    assert signatures[0] == signatures[1] and len(set(signatures)) == 3


def test_where_the_users_network_is_another_trust_is_tried_and_else_it_is_said_whose_it_was(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(
        "import keras\ndef build():\n    return keras.Sequential([keras.Input((20, 20, 2)), keras.layers.Flatten(),"
        " keras.layers.Dense(7)])\ndef fails():\n    raise RuntimeError('not today')\n"
    )
    path = tmp_path / "m.keras"
    model = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Lambda(lambda x: x * 2.0),
                              layers.Dense(2)])  # fmt: skip
    stored = live.save(model, path)
    for spec in ("other.py:build", "other.py:fails"):
        measured = choose(stored, path, spec=spec, trust=True).measure(stored, IMAGES)
        assert_close(measured.predictions, model.predict(IMAGES, verbose=0), spec)
        with pytest.raises(NetworkError, match=r"run\.model was used, because the file's own cannot be rebuilt"):
            choose(stored, path, spec=spec)
