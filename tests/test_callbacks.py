"""The callback under a real `fit`, and what it leaves for a report."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from reportgen.callbacks import GetWeights, restore_best
from reportgen.checkpoints.discovery import find_run
from reportgen.config import RunConfig
from reportgen.errors import CheckpointError, ConfigError


def network(units: int = 1, extra: bool = False, compiled: bool = True) -> keras.Model:
    layers = [
        keras.layers.Input((8, 8, 1)),
        keras.layers.Conv2D(3, 3, activation="relu", name="conv"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Flatten(name="flat"),
    ]
    layers += [keras.layers.Dense(4, name="hidden")] if extra else []
    layers += [keras.layers.Dropout(0.5, name="drop"), keras.layers.Dense(units, activation="sigmoid", name="out")]
    model = keras.Sequential(layers)
    if compiled:
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def fit(model: keras.Model, callback: GetWeights, epochs: int = 3, first: int = 0, validation: bool = True):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(24, 8, 8, 1)), rng.integers(0, 2, 24)
    data = (x, y) if validation else None
    model.fit(x, y, epochs=epochs, initial_epoch=first, validation_data=data, verbose=0, callbacks=[callback])


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_fit_leaves_an_epoch_a_file_the_best_one_history_and_record(tmp_path):
    folder = tmp_path / "run"
    model = network()
    fit(model, GetWeights(folder, notes="a note"))
    names = sorted(p.name for p in folder.iterdir())
    assert names == [
        "epoch-001.keras", "epoch-002.keras", "epoch-003.keras", "highest_weight.keras", "history.csv", "run.json",
    ]  # fmt: skip
    record = json.loads((folder / "run.json").read_text())
    losses = [float(row["val_loss"]) for row in rows(folder)]
    assert [row["epoch"] for row in rows(folder)] == ["1", "2", "3"]
    best = int(np.argmin(losses)) + 1
    assert record["best"]["epoch"] == best and record["best"]["value"] == pytest.approx(min(losses))
    copy = (folder / "highest_weight.keras").read_bytes()
    assert copy == (folder / f"epoch-{best:03d}.keras").read_bytes()
    assert (record["status"], record["monitor"], record["mode"], record["notes"]) == (
        "finished",
        "val_loss",
        "min",
        "a note",
    )
    assert record["optimizer"]["class_name"] == "Adam" and record["loss"] == "binary_crossentropy"
    assert record["input_shape"] == [None, 8, 8, 1] and record["versions"]["keras"] == keras.__version__
    last = keras.saving.load_model(folder / "epoch-003.keras")
    assert all((a == b).all() for a, b in zip(last.get_weights(), model.get_weights(), strict=True))


def test_the_run_finder_sees_the_epochs_in_order_and_the_best_as_a_copy(tmp_path):
    fit(network(), GetWeights(tmp_path / "run"))
    run = find_run(RunConfig(path=Path("run")), tmp_path)
    assert [c.epoch for c in run.checkpoints] == [1, 2, 3] and run.failures == ()
    assert run.history is not None and run.history.epochs.tolist() == [1, 2, 3]


def test_going_on_appends_and_starting_over_is_refused_before_an_epoch_is_spent(tmp_path):
    model = network()
    fit(model, GetWeights(tmp_path), epochs=2)
    before = (tmp_path / "epoch-001.keras").read_bytes()
    fit(model, GetWeights(tmp_path), epochs=4, first=2)
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3", "4"]
    with pytest.raises(ConfigError, match="already holds 4 epochs") as error:
        fit(network(), GetWeights(tmp_path), epochs=1)
    assert "initial_epoch=4" in error.value.advice
    assert (tmp_path / "epoch-001.keras").read_bytes() == before and len(rows(tmp_path)) == 4


def test_a_quantity_that_is_not_there_is_named_with_those_that_are(tmp_path):
    with pytest.raises(ConfigError, match="'val_f1' is not in the logs") as error:
        fit(network(), GetWeights(tmp_path, monitor="val_f1"))
    assert "val_accuracy" in error.value.expected


def test_without_validation_data_the_loss_is_monitored_and_accuracy_is_best_when_largest(tmp_path):
    fit(network(), GetWeights(tmp_path / "a"), validation=False)
    assert json.loads((tmp_path / "a" / "run.json").read_text())["monitor"] == "loss"
    fit(network(), GetWeights(tmp_path / "b", monitor="val_accuracy"))
    record = json.loads((tmp_path / "b" / "run.json").read_text())
    assert record["mode"] == "max"
    assert record["best"]["value"] == max(float(row["val_accuracy"]) for row in rows(tmp_path / "b"))


def test_weights_only_files_load_in_keras(tmp_path):
    model = network()
    fit(model, GetWeights(tmp_path, weights_only=True), epochs=1)
    other = network(compiled=False)
    other.load_weights(tmp_path / "epoch-001.weights.h5")
    assert all((a == b).all() for a, b in zip(other.get_weights(), model.get_weights(), strict=True))
    assert (tmp_path / "highest_weight.weights.h5").is_file()


@pytest.mark.parametrize("weights_only", [False, True])
def test_the_best_weights_come_back(tmp_path, weights_only):
    callback = GetWeights(tmp_path, weights_only=weights_only)
    fit(network(), callback)
    if weights_only:
        network().save(tmp_path / "architecture.keras")
    model = network()
    restored = callback.restore_best(model)
    assert restored.taken == ("conv", "norm", "out") and not restored.kept and not restored.unused
    suffix = ".weights.h5" if weights_only else ".keras"
    epoch = json.loads((tmp_path / "run.json").read_text())["best"]["epoch"]
    reference = network(compiled=False)
    reference.load_weights(tmp_path / f"epoch-{epoch:03d}{suffix}")
    assert all((a == b).all() for a, b in zip(model.get_weights(), reference.get_weights(), strict=True))


def test_a_network_that_differs_in_part_takes_what_fits_and_says_what_does_not(tmp_path, caplog):
    fit(network(), GetWeights(tmp_path), epochs=1)
    model = network(units=2, extra=True)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    restored = restore_best(model, tmp_path)
    assert restored.taken == ("conv", "norm")
    assert restored.kept["hidden"] == "it is not in the file" and "shapes differ" in restored.kept["out"]
    assert all((a == b).all() for a, b in zip(before["out"], model.get_layer("out").get_weights(), strict=True))
    assert not (before["conv"][0] == model.get_layer("conv").get_weights()[0]).all()
    assert "hidden keeps its own weights" in caplog.text


def test_nothing_to_restore_is_a_clear_error(tmp_path):
    with pytest.raises(CheckpointError, match="no best checkpoint"):
        restore_best(network(), tmp_path)
