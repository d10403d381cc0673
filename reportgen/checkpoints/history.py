"""What training wrote down: the CSV of Keras' CSVLogger, or any other with a column `epoch`."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from reportgen.checkpoints.limits import CONFIG_LIMIT
from reportgen.checkpoints.members import read_regular, read_start
from reportgen.checkpoints.run import History
from reportgen.errors import CheckpointError

COLUMN = "epoch"
PREFERRED = "history.csv"
HEADER = 65536
"""How much of a CSV file is read to see whether it has the column [byte]."""
EPOCH_LIMIT = 2**53
"""From here on not every whole number is a float64."""
COLUMN_LIMIT, CELL_LIMIT = 1000, 2_000_000


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

    Raises CheckpointError where it cannot be read, is no file of its own, is too large or has no column `epoch`.
    """
    try:
        data = read_regular(path, CONFIG_LIMIT)
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        names, by_epoch = _rows(text)
    except CheckpointError as error:
        raise CheckpointError(
            error.problem, where=file, expected=error.expected, received=error.received, advice=error.advice
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CheckpointError("the history cannot be read", where=file, received=str(error)) from error
    epochs = np.array(sorted(by_epoch), dtype=np.int64)
    table = np.array([by_epoch[int(epoch)] for epoch in epochs]).T
    columns = {
        name: np.ascontiguousarray(values)
        for name, values in zip(names, table, strict=True)
        if name and name != COLUMN and np.isfinite(values).any()
    }
    # Keras' CSVLogger counts from 0.
    return History(file, epochs + 1 if epochs[0] == 0 else epochs, columns)


def _rows(text: str) -> tuple[list[str], dict[int, list[float]]]:
    """Return the names of the columns, and the numbers of each epoch under them; NaN where there is none."""
    reader = csv.reader(io.StringIO(text), delimiter=_separator(text.partition("\n")[0]))
    names = [name.strip() for name in next(reader, [])]
    if COLUMN not in names:
        raise CheckpointError(
            "the history has no column epoch", expected="a column epoch", received=", ".join(names[:20])
        )
    if len(names) > COLUMN_LIMIT:
        raise CheckpointError(f"the history has {len(names):,} columns", expected=f"at most {COLUMN_LIMIT:,}")
    place = names.index(COLUMN)
    by_epoch: dict[int, list[float]] = {}
    for row in reader:
        epoch = _number(row[place]) if len(row) > place else math.nan
        if not math.isfinite(epoch):  # a training that was resumed repeats the header, whose epoch is no number
            continue
        if abs(epoch) >= EPOCH_LIMIT:
            raise CheckpointError("the history has an epoch that is none", expected="0, 1, 2, …", received=row[place])
        values = [_number(cell) for cell in row[: len(names)]]
        by_epoch[int(epoch)] = values + [math.nan] * (len(names) - len(values))
        if len(by_epoch) * len(names) > CELL_LIMIT:
            raise CheckpointError("the history holds far too many numbers", expected=f"at most {CELL_LIMIT:,}")
    if not by_epoch:
        raise CheckpointError("the history has no row", expected="one row an epoch")
    return names, by_epoch


def _has_epochs(path: Path) -> bool:
    """Return whether the first line of a file names a column `epoch`; what is no file of its own is passed over.

    Raises CheckpointError where that is called `history.csv`.
    """
    try:
        header = read_start(path, HEADER).decode("utf-8-sig", "replace").replace("\r", "\n").partition("\n")[0]
    except OSError:
        return False
    except CheckpointError as error:
        if path.name != PREFERRED:
            return False
        raise CheckpointError(
            error.problem, expected=error.expected, advice="Name the history in run.history, or remove this one."
        ) from error
    return COLUMN in (name.strip().strip('"') for name in header.split(_separator(header)))


def _separator(header: str) -> str:
    """Return what stands between the columns."""
    return max(",;\t", key=header.count)


def _number(text: str) -> float:
    """Return a cell as a number, NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
