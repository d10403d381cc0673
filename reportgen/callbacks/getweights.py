"""The callback: a checkpoint an epoch, the best of them, the history and a record of the run."""

from __future__ import annotations

import csv
import json
import logging
import math
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import keras

from reportgen.callbacks.beside import start_watch
from reportgen.callbacks.restore import BEST, Restored, restore_best
from reportgen.diagnostics.history import larger_is_better
from reportgen.errors import ConfigError
from reportgen.versions import git_state, versions

log = logging.getLogger(__name__)

SCHEMA = 1
"""Version of run.json."""


class GetWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Keep one checkpoint an epoch, the best one by a monitored quantity, the history and a record of the run.

    Writes into `folder`: `epoch-001.keras`, …; `highest_weight.keras`, a copy of the best of them; `history.csv`, one
    row an epoch, counted from 1; `run.json`. With `weights_only` the checkpoints are `.weights.h5`. Each file appears
    whole or not at all.

    `monitor` is a column of the history; by default val_loss where there is validation data, else loss. An epoch
    without it (validation_freq) is kept, but is never the best. `notes` is your own text: it stands in the report.

    With `report`, a configuration, `reportgen watch` reports meanwhile in a process of its own, at the lowest priority
    and without a GPU; what it says goes to report.log. Whatever becomes of it, training goes on.
    """

    def __init__(
        self,
        folder: str | Path,
        monitor: str | None = None,
        mode: Literal["auto", "min", "max"] = "auto",
        notes: str = "",
        weights_only: bool = False,
        report: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.monitor = monitor
        self.mode = mode
        self.notes = notes
        self.report = report
        self.suffix = ".weights.h5" if weights_only else ".keras"
        self._rows: list[dict[str, float]] = []
        self._checked = False
        self._copied: int | None = None
        self._warned = False
        self._started = ""
        self._git: tuple[str, bool] | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Make the folder, and read what an earlier fit left in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._rows = _read_rows(self.folder / "history.csv")
        self._checked, self._warned, self._copied = False, False, None
        self._started = _now()
        self._git = git_state(Path.cwd())
        if self.report is not None:
            self._write_record("running")  # an earlier fit's record would say that all is over
            start_watch(Path(self.report), self.folder / "report.log")

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
        """Keep the epoch that has just ended; raises ConfigError where the monitored quantity can never come."""
        self._rows.append({"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}})
        _whole(self.folder / f"epoch-{epoch + 1:03d}{self.suffix}", self._save)
        self._write_history()
        best = self._best()["epoch"]
        source = self.folder / f"epoch-{best or 0:03d}{self.suffix}"
        if best != self._copied and source.is_file():  # the best may be of an earlier fit
            _whole(self.folder / f"{BEST}{self.suffix}", lambda path: shutil.copyfile(source, path))
            self._copied = best
        self._write_record("running")
        self._check_monitor(epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Say in run.json that the run is finished."""
        self._write_record("finished")

    def _check_monitor(self, epoch: int) -> None:
        """Warn while validation data may still bring the monitored quantity; raise ConfigError once nothing can."""
        names = list(dict.fromkeys(name for row in self._rows for name in row if name != "epoch"))
        if self.monitor is None or self.monitor in names:
            return
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in names):
            if not self._warned:
                log.warning(
                    "no %s in the logs of epoch %d, which have %s: no epoch is the best until validation data gives it",
                    self.monitor, epoch + 1, ", ".join(names) or "nothing",
                )  # fmt: skip
            self._warned = True
            return
        raise ConfigError(
            f"the monitored quantity {self.monitor!r} is not in the logs of epoch {epoch + 1}",
            expected=f"one of {', '.join(names) or 'none: the logs are empty'}",
            received=self.monitor,
            advice="Validation data gives the quantities that begin with val_; metrics are named in compile().",
        )

    def restore_best(self, model: keras.Model) -> Restored:
        """Load the best weights so far into a model; see the function of the same name."""
        return restore_best(model, self.folder)

    def _save(self, path: Path) -> None:
        if self.suffix == ".keras":
            self.model.save(path)
        else:
            self.model.save_weights(path)

    def _monitored(self) -> str:
        """Return the quantity that is compared, given the epochs so far."""
        return self.monitor or ("val_loss" if any("val_loss" in row for row in self._rows) else "loss")

    def _best(self) -> dict[str, Any]:
        name = self._monitored()
        seen = [row for row in self._rows if math.isfinite(row.get(name, math.nan))]
        if not seen:
            return {"epoch": None, "value": None, "file": ""}
        row = (max if larger_is_better(name, self.mode) else min)(seen, key=lambda r: r[name])
        return {"epoch": int(row["epoch"]), "value": row[name], "file": f"{BEST}{self.suffix}"}

    def _write_history(self) -> None:
        columns = list(dict.fromkeys(name for row in self._rows for name in row))

        def write(path: Path) -> None:
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, columns, restval="")
                writer.writeheader()
                writer.writerows({**row, "epoch": int(row["epoch"])} for row in self._rows)

        _whole(self.folder / "history.csv", write)

    def _write_record(self, status: str) -> None:
        commit, dirty = self._git or git_state(Path.cwd())
        optimizer = getattr(self.model, "optimizer", None)
        record = {
            "schema": SCHEMA,
            "status": status,
            "epochs": len(self._rows),
            "monitor": self._monitored(),
            "mode": "max" if larger_is_better(self._monitored(), self.mode) else "min",
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
