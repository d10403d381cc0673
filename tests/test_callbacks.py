"""The callback under a real `fit`, and what it leaves for a report."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from reportgen.callbacks import GetWeights, restore_best
from reportgen.checkpoints.discovery import find_run
from reportgen.config import RunConfig
from reportgen.errors import CheckpointError, ConfigError, NetworkError


@pytest.fixture(autouse=True)
def _same_beginnings():
    keras.utils.set_random_seed(11)


def network(units: int = 1, extra: bool = False, compiled: bool = True) -> keras.Model:
    keras.utils.set_random_seed(1)
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


def fit(model: keras.Model, callback: GetWeights, epochs: int = 3, first: int = 0, validation: bool = True, every=1):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(24, 8, 8, 1)), rng.integers(0, 2, 24)
    more = {"validation_data": (x, y), "validation_freq": every} if validation else {}
    model.fit(x, y, epochs=epochs, initial_epoch=first, verbose=0, callbacks=[callback], **more)


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
    assert (tmp_path / "epoch-001.keras").is_file() and len(rows(tmp_path)) == 1  # the epoch is not lost


@pytest.mark.parametrize("monitor", [None, "val_loss"])
def test_validation_every_second_epoch_compares_those_epochs_alone(tmp_path, monitor, caplog):
    fit(network(), GetWeights(tmp_path, monitor=monitor), epochs=5, every=2)
    assert [row["val_loss"] != "" for row in rows(tmp_path)] == [False, True, False, True, False]
    losses = {int(row["epoch"]): float(row["val_loss"]) for row in rows(tmp_path) if row["val_loss"]}
    record = json.loads((tmp_path / "run.json").read_text())
    best = min(losses, key=losses.get)
    assert (record["monitor"], record["best"]["epoch"], record["status"]) == ("val_loss", best, "finished")
    assert (tmp_path / "highest_weight.keras").read_bytes() == (tmp_path / f"epoch-{best:03d}.keras").read_bytes()
    assert len(list(tmp_path.glob("epoch-*.keras"))) == 5
    warned = [
        r.message
        for r in caplog.records
        if "no val_loss in the logs of epoch 1, which have accuracy, loss" in r.message
    ]
    assert len(warned) == (monitor is not None)


def test_a_misspelt_validation_quantity_is_told_at_the_first_validation(tmp_path):
    with pytest.raises(ConfigError, match="'val_acuracy' is not in the logs of epoch 2"):
        fit(network(), GetWeights(tmp_path, monitor="val_acuracy"), every=2)
    assert (tmp_path / "epoch-002.keras").is_file() and not (tmp_path / "highest_weight.keras").exists()


def test_the_best_is_that_of_the_monitor_even_where_an_earlier_fit_followed_another(tmp_path):
    model = network()
    fit(model, GetWeights(tmp_path, monitor="loss"), epochs=2)
    fit(model, GetWeights(tmp_path, monitor="loss", mode="max"), epochs=3, first=2)
    losses = [float(row["loss"]) for row in rows(tmp_path)]
    best = int(np.argmax(losses)) + 1
    assert best < 3
    assert (tmp_path / "highest_weight.keras").read_bytes() == (tmp_path / f"epoch-{best:03d}.keras").read_bytes()


def test_the_commit_is_that_at_the_start_of_the_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "train.py"
    script.write_text("1")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "train.py"], [*author, "commit", "-qm", "one"]):
        subprocess.run(["git", *words], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    callback = GetWeights(tmp_path / "run")
    model = network()
    change = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: script.write_text("2"))
    images = np.zeros((4, 8, 8, 1))
    model.fit(images, np.zeros(4), epochs=2, verbose=0, callbacks=[change, callback])
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["commit"], record["dirty"]) == (commit, False)


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
    assert restored.kept["hidden"] == "it is not in the file" and "kernel has shape" in restored.kept["out"]
    assert all((a == b).all() for a, b in zip(before["out"], model.get_layer("out").get_weights(), strict=True))
    assert not (before["conv"][0] == model.get_layer("conv").get_weights()[0]).all()
    assert "hidden keeps its own weights" in caplog.text


def of_many_kinds() -> keras.Model:
    layers = keras.layers
    image = layers.Input((8, 8, 1))
    x = layers.Normalization(name="scaled", mean=None)(image)
    x = layers.Reshape((8, 16))(layers.Conv2D(2, 3, padding="same", name="seed_conv")(x))
    x = layers.MultiHeadAttention(2, 3, dropout=0.1, name="attention")(x, x)
    x = layers.TimeDistributed(layers.Dense(3), name="each")(
        layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(x)
    )
    inner = keras.Sequential([layers.Input((8, 3)), layers.Bidirectional(layers.GRU(2), name="ways")], name="inner")
    model = keras.Model(image, layers.Dense(1, activation="sigmoid", name="out")(inner(x)))
    rng = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002 - Keras seeds that one
    for weight in model.weights:
        weight.assign(rng.uniform(0.2, 1, weight.shape))
    model.get_layer("scaled").finalize_state()
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("weights_only", [False, True])
def test_layers_of_every_kind_are_restored_each_with_its_own(tmp_path, weights_only):
    images = np.random.default_rng(1).normal(size=(4, 8, 8, 1))
    callback = GetWeights(tmp_path, weights_only=weights_only)
    trained = of_many_kinds()
    fit(trained, callback, epochs=1)
    model = of_many_kinds()
    assert np.abs(model.predict(images, verbose=0) - trained.predict(images, verbose=0)).max() > 1e-4
    restored = callback.restore_best(model)
    assert restored.taken == ("scaled", "seed_conv", "attention", "both", "each", "inner/ways", "out")
    assert not restored.kept and not restored.unused
    expected = trained.predict(images, verbose=0)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=0, atol=1e-6)


def test_a_model_that_has_run_before_runs_with_the_statistics_it_is_given(tmp_path):
    def scaled(mean: float) -> keras.Model:
        layers = keras.layers
        model = keras.Sequential([
            layers.Input((8, 8, 1)), layers.Normalization(name="scaled"), layers.Flatten(name="flat"),
            layers.Dense(1, name="out", kernel_initializer="ones"),
        ])  # fmt: skip
        model.get_layer("scaled").adapt(np.random.default_rng(1).normal(mean, 1, (20, 8, 8, 1)))
        model.compile("sgd", "mse")
        return model

    images = np.random.default_rng(2).normal(size=(4, 8, 8, 1))
    trained, model = scaled(0.0), scaled(5.0)
    fit(trained, GetWeights(tmp_path), epochs=1)
    before = model.predict(images, verbose=0)
    assert restore_best(model, tmp_path).taken == ("scaled", "out")
    after = model.predict(images, verbose=0)
    np.testing.assert_allclose(after, trained.predict(images, verbose=0), rtol=0, atol=1e-5)
    assert np.abs(after - before).min() > 1


def test_nothing_to_restore_is_a_clear_error(tmp_path):
    with pytest.raises(CheckpointError, match="no best checkpoint"):
        restore_best(network(), tmp_path)


def unnamed(filters: int = 3) -> keras.Model:
    layers = [
        keras.layers.Input((8, 8, 1)),
        keras.layers.Conv2D(filters, 3),
        keras.layers.Conv2D(filters, 3),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "binary_crossentropy")
    return model


def test_the_same_network_built_twice_is_taken_in_order_though_keras_named_its_layers_anew(tmp_path, caplog):
    first, second = unnamed(), unnamed()
    assert first.layers[0].name != second.layers[0].name
    fit(first, GetWeights(tmp_path), epochs=1)
    restored = restore_best(second, tmp_path)
    assert restored.taken == tuple(layer.name for layer in second.layers if layer.weights) and not restored.unused
    assert all((a == b).all() for a, b in zip(first.get_weights(), second.get_weights(), strict=True))
    assert "taken in order" in caplog.text


def test_another_network_with_other_names_takes_nothing_and_says_so(tmp_path):
    fit(unnamed(3), GetWeights(tmp_path), epochs=1)
    other = unnamed(4)
    before = other.get_weights()
    restored = restore_best(other, tmp_path)
    assert restored.taken == () and set(restored.kept.values()) == {"it is not in the file"}
    assert len(restored.unused) == 3
    assert all((a == b).all() for a, b in zip(before, other.get_weights(), strict=True))


def test_a_model_that_is_not_built_yet_is_a_clear_error(tmp_path):
    fit(network(), GetWeights(tmp_path), epochs=1)
    with pytest.raises(NetworkError, match="no weights yet"):
        restore_best(keras.Sequential([keras.layers.Dense(1)]), tmp_path)


def test_a_fit_that_is_cut_short_leaves_whole_files_and_says_it_was_running(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(24, 8, 8, 1)), rng.integers(0, 2, 24)
    model = network()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=3, verbose=0, callbacks=[GetWeights(tmp_path), Stop()])
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "epoch-001.keras", "highest_weight.keras", "history.csv", "run.json",
    ]  # fmt: skip
    record = json.loads((tmp_path / "run.json").read_text())
    assert (record["status"], record["epochs"], record["finished"]) == ("running", 1, None)
    fit(model, GetWeights(tmp_path), epochs=2, first=1)
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2"]
