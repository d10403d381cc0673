"""The callback under a real `fit`, and what it leaves for a report."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from fits import fit, network, rows
from reportgen.callbacks import GetWeights
from reportgen.checkpoints.discovery import find_run
from reportgen.config import RunConfig
from reportgen.errors import ConfigError


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
