"""Keep what a report needs while a network trains: `model.fit(..., callbacks=[GetWeights("runs/mine")])`."""

from __future__ import annotations

import csv
import json
import logging
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import keras

from reportgen.diagnostics.history import larger_is_better
from reportgen.errors import CheckpointError, ConfigError
from reportgen.versions import git_state, versions

SCHEMA = 1
"""Version of run.json."""
BEST = "highest_weight"
"""Stem of the copy of the best epoch's checkpoint."""

log = logging.getLogger(__name__)


class GetWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Keep one checkpoint an epoch, the best one by a monitored quantity, the history and a record of the run.

    Writes into `folder`: `epoch-001.keras`, …; `highest_weight.keras`, a copy of the best of them; `history.csv`, one
    row an epoch, counted from 1; `run.json`. With `weights_only` the checkpoints are `.weights.h5`. Each file appears
    whole or not at all.

    `monitor` is a column of the history; by default val_loss where there is validation data, else loss. `notes` is
    your own text: it stands in the report.
    """

    def __init__(
        self,
        folder: str | Path,
        monitor: str | None = None,
        mode: Literal["auto", "min", "max"] = "auto",
        notes: str = "",
        weights_only: bool = False,
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.monitor = monitor
        self.mode = mode
        self.notes = notes
        self.suffix = ".weights.h5" if weights_only else ".keras"
        self._rows: list[dict[str, float]] = []
        self._checked = False
        self._started = ""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Make the folder, and read what an earlier fit left in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._rows = _read_rows(self.folder / "history.csv")
        self._checked = False
        self._started = _now()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Refuse to train over an earlier run's checkpoints, before an epoch is spent; raises ConfigError."""
        if self._checked:
            return
        self._checked = True
        last = max((int(row["epoch"]) for row in self._rows), default=0)
        if last > epoch:
            raise ConfigError(
                f"the folder already holds {last} epochs of an earlier fit, and this one begins with epoch {epoch + 1}",
                where=str(self.folder),
                expected="an empty folder, or a fit that goes on where the last one ended",
                advice=f"Choose another folder, or go on with model.fit(..., initial_epoch={last}, epochs=...).",
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch that has just ended; raises ConfigError where the monitored quantity is not in its logs."""
        values = {name: float(value) for name, value in (logs or {}).items()}
        monitor = self.monitor or ("val_loss" if "val_loss" in values else "loss")
        if monitor not in values:
            raise ConfigError(
                f"the monitored quantity {monitor!r} is not in the logs of epoch {epoch + 1}",
                expected=f"one of {', '.join(values) or 'none: the logs are empty'}",
                received=monitor,
                advice="Validation data gives the quantities that begin with val_; metrics are named in compile().",
            )
        self.monitor = monitor
        self._rows.append({"epoch": epoch + 1, **values})
        name = f"epoch-{epoch + 1:03d}{self.suffix}"
        _whole(self.folder / name, self._save)
        if self._best()["epoch"] == epoch + 1:
            _whole(self.folder / f"{BEST}{self.suffix}", lambda path: shutil.copyfile(self.folder / name, path))
        self._write_history()
        self._write_record("running")

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Say in run.json that the run is finished."""
        self._write_record("finished")

    def restore_best(self, model: keras.Model) -> Restored:
        """Load the best weights so far into a model; see the function of the same name."""
        return restore_best(model, self.folder)

    def _save(self, path: Path) -> None:
        if self.suffix == ".keras":
            self.model.save(path)
        else:
            self.model.save_weights(path)

    def _best(self) -> dict[str, Any]:
        larger = larger_is_better(self.monitor or "", self.mode)
        seen = [row for row in self._rows if math.isfinite(row.get(self.monitor or "", math.nan))]
        if not seen:
            return {"epoch": None, "value": None, "file": ""}
        row = (max if larger else min)(seen, key=lambda r: r[self.monitor or ""])
        return {"epoch": int(row["epoch"]), "value": row[self.monitor or ""], "file": f"{BEST}{self.suffix}"}

    def _write_history(self) -> None:
        columns = list(dict.fromkeys(name for row in self._rows for name in row))

        def write(path: Path) -> None:
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, columns, restval="")
                writer.writeheader()
                writer.writerows({**row, "epoch": int(row["epoch"])} for row in self._rows)

        _whole(self.folder / "history.csv", write)

    def _write_record(self, status: str) -> None:
        commit, dirty = git_state(Path.cwd())
        optimizer = getattr(self.model, "optimizer", None)
        record = {
            "schema": SCHEMA,
            "status": status,
            "epochs": len(self._rows),
            "monitor": self.monitor,
            "mode": "max" if larger_is_better(self.monitor or "", self.mode) else "min",
            "best": self._best() if self._rows else None,
            "versions": versions(),
            "commit": commit,
            "dirty": dirty,
            "optimizer": optimizer and {"class_name": type(optimizer).__name__, "config": optimizer.get_config()},
            "loss": _name(getattr(self.model, "loss", None)),
            "input_shape": getattr(self.model, "input_shape", None),
            "parameters": self.model.count_params() if self.model.built else None,
            "notes": self.notes,
            "started": self._started,
            "finished": _now() if status == "finished" else None,
        }
        text = json.dumps(record, indent=1, sort_keys=True, default=str, ensure_ascii=False)
        _whole(self.folder / "run.json", lambda path: path.write_text(text + "\n", encoding="utf-8"))


@dataclass(frozen=True)
class Restored:
    """Which layers of a model got the best weights of a run, and which kept their own."""

    file: Path
    taken: tuple[str, ...]
    """Names of layers whose arrays were all replaced."""
    kept: dict[str, str]
    """Layer → why it kept its own: it is not in the file, or shapes differ."""
    unused: tuple[str, ...]
    """Layers of the file that the model does not have."""


def restore_best(model: keras.Model, folder: str | Path) -> Restored:
    """Load the best weights of a run into a built model, layer by layer by name, and say what was taken.

    Layers of a nested model are named `backbone/conv1`. Raises CheckpointError where there is no best checkpoint or it
    cannot be read.
    """
    from reportgen.checkpoints.discovery import find_run
    from reportgen.checkpoints.formats import read_checkpoint
    from reportgen.config import RunConfig

    found = [
        path for path in (Path(folder) / f"{BEST}{suffix}" for suffix in (".keras", ".weights.h5")) if path.exists()
    ]
    if not found:
        raise CheckpointError(
            "there is no best checkpoint to restore", where=str(folder), expected=f"{BEST}.keras or {BEST}.weights.h5",
            advice="Train with GetWeights into this folder first.",
        )  # fmt: skip
    checkpoint = find_run(RunConfig(path=found[0].resolve()), Path()).checkpoints[0]
    stored = {layer.name: layer for layer in read_checkpoint(checkpoint).layers}
    taken, kept = [], {}
    layers = dict(_weighted(model))
    for name, layer in layers.items():
        values = [variable.value for variable in stored[name].variables] if name in stored else None
        shapes = [tuple(weight.shape) for weight in layer.weights if "seed" not in weight.path]
        if values is None:
            kept[name] = "it is not in the file"
        elif [value.shape for value in values] != shapes:
            kept[name] = f"shapes differ: {[value.shape for value in values]} in the file, {shapes} in the model"
        else:
            for weight, value in zip((w for w in layer.weights if "seed" not in w.path), values, strict=True):
                weight.assign(value)
            taken.append(name)
    result = Restored(found[0], tuple(taken), kept, tuple(sorted(stored.keys() - layers.keys())))
    log.info("%s: took %s", found[0].name, ", ".join(taken) or "no layer")
    for name, why in kept.items():
        log.warning("%s keeps its own weights: %s", name, why)
    return result


def _weighted(model: keras.Model, prefix: str = "") -> list[tuple[str, Any]]:
    """Return the layers of a model that have weights of their own, nested models taken apart."""
    found: list[tuple[str, Any]] = []
    for layer in model.layers:
        name = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Model):
            found += _weighted(layer, f"{name}/")
        elif layer.weights:
            found.append((name, layer))
    return found


def _read_rows(path: Path) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: float(v) for name, v in row.items() if v not in ("", None)} for row in csv.DictReader(file)]


def _whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under a hidden name with the same ending, then rename it."""
    temporary = path.with_name(f".part-{path.name}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _name(loss: Any) -> str | None:
    return loss if isinstance(loss, str) or loss is None else getattr(loss, "name", None) or type(loss).__name__


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
