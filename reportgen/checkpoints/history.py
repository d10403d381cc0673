"""What training wrote down: the CSV of Keras' CSVLogger, or any other with a column `epoch`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from reportgen.checkpoints.limits import CONFIG_LIMIT, size
from reportgen.checkpoints.run import History
from reportgen.errors import CheckpointError

COLUMN = "epoch"
PREFERRED = "history.csv"


def find_history(folders: Iterable[Path], root: Path) -> Path | None:
    """Return the one CSV with a column `epoch` in these folders, None without one.

    `history.csv` is taken where there are several. Raises CheckpointError where none of several is called so.
    """
    found = [path for folder in folders for path in sorted(folder.glob("*.csv")) if _has_epochs(path)]
    named = [path for path in found if path.name == PREFERRED]
    if len(found) > 1 and len(named) != 1:
        names = ", ".join(str(path.relative_to(root)) for path in found[:5])
        raise CheckpointError(
            "several CSV files have a column epoch",
            expected=f"one, or one called {PREFERRED}",
            received=names,
            advice="Say which one in run.history.",
        )
    return next(iter(named or found), None)


def read_history(path: Path, file: str) -> History:
    """Return the history in a CSV file, epochs counted from 1; of an epoch written twice the later row counts.

    Raises CheckpointError where it cannot be read or has no column `epoch`.
    """
    try:
        if path.stat().st_size > CONFIG_LIMIT:
            raise CheckpointError("the file is far too large", where=file, expected=f"at most {size(CONFIG_LIMIT)}")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError("the history cannot be read", where=file, received=str(error)) from error
    header = next(iter(text.splitlines()), "")
    rows = list(csv.reader(io.StringIO(text), delimiter=_separator(header)))
    names = [name.strip() for name in rows[0]] if rows else []
    if COLUMN not in names:
        raise CheckpointError(
            "the history has no column epoch", where=file, expected="a column epoch", received=", ".join(names)
        )
    place = names.index(COLUMN)
    by_epoch = {
        int(epoch): row for row in rows[1:] if len(row) > place and np.isfinite(epoch := _number(row[place]))
    }  # a training that was resumed repeats the header, whose epoch is no number
    if not by_epoch:
        raise CheckpointError("the history has no row", where=file, expected="one row an epoch")
    epochs = np.array(sorted(by_epoch), dtype=np.int64)
    ordered = [by_epoch[int(epoch)] for epoch in epochs]
    columns = {}
    for i, name in enumerate(names):
        values = np.array([_number(row[i]) if i < len(row) else np.nan for row in ordered])
        if name and name != COLUMN and np.isfinite(values).any():
            columns[name] = values
    # Keras' CSVLogger counts from 0.
    return History(file, epochs + 1 if epochs[0] == 0 else epochs, columns)


def _has_epochs(path: Path) -> bool:
    """Return whether the first line of a file names a column `epoch`."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline(65536)
    except OSError:
        return False
    return COLUMN in (name.strip().strip('"') for name in header.split(_separator(header)))


def _separator(header: str) -> str:
    """Return what stands between the columns."""
    return max(",;\t", key=header.count)


def _number(text: str) -> float:
    """Return a cell as a number, NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
