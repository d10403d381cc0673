"""What lies beside the checkpoints: the history, and what the callback wrote about the run; a user's files, too."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.checkpoints.examine import Call, here
from reportgen.checkpoints.formats import FOREIGN
from reportgen.checkpoints.history import find_history, read_history
from reportgen.checkpoints.json_text import parse_json
from reportgen.checkpoints.limits import CONFIG_LIMIT
from reportgen.checkpoints.members import read_regular
from reportgen.checkpoints.run import History
from reportgen.checkpoints.wording import in_words
from reportgen.config.model import RunConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import CheckpointError, Failure, ReportgenError

RECORD = "run.json"


def record_of(root: Path, call: Call = here) -> tuple[dict[str, Any], list[Failure]]:
    """Return what the callback wrote about the run, and a Failure where it cannot be read; `call` opens it."""
    path = root / RECORD
    if not os.path.lexists(path):
        return {}, []
    return _asked(call, RECORD, {}, read_record, path, size=_size(path))


def read_record(path: Path) -> dict[str, Any]:
    """Return the contents of run.json; raises CheckpointError where it is no file of its own, or no JSON object."""
    record = parse_json(read_regular(path, CONFIG_LIMIT), RECORD, CONFIG_LIMIT)
    if not isinstance(record, dict):
        raise CheckpointError("the record of the run is no JSON object", expected="an object {…}")
    return record


def history_of(
    config: RunConfig, base: Path, root: Path, folders: Sequence[Path], call: Call = here
) -> tuple[History | None, list[Failure]]:
    """Return the history of a run, and a Failure where there is one that cannot be read; `call` opens the files.

    It is `config.history`, relative to `base`, which may be a link as the user named it, or lies in one of `folders`.
    """
    if config.history is not None:
        name, path = str(config.history), base / config.history
        if not os.path.exists(path):  # noqa: PTH110 - False for whatever cannot be a path, too
            others = [entry.name for entry in path.parent.glob("*.csv")] if path.parent.is_dir() else []
            advice = did_you_mean(path.name, others) or "Paths are relative to the configuration file."
            missing = CheckpointError("the history is not there", expected="a CSV file", advice=advice)
            return None, [missing.failure("history", name)]
        path = Path(os.path.realpath(path))
    else:
        found, failures = _asked(call, "history", None, find_history, folders, root, size=0)
        if found is None:
            return None, failures
        name, path = found.relative_to(root).as_posix(), found
    history, failures = _asked(call, name, None, read_history, path, name, size=_size(path))
    if history is None:
        return None, failures
    # The arrays may lie in memory that the next question takes.
    columns = {key: np.array(values) for key, values in history.columns.items()}
    return History(history.file, np.array(history.epochs), columns), failures


def _asked(
    call: Call, name: str, otherwise: Any, function: Callable[..., Any], *args: object, size: int
) -> tuple[Any, list[Failure]]:
    """Return what a function makes of a file, or `otherwise` and the Failure that says why it makes nothing of it."""
    try:
        return call(function, *args, size=size), []
    except ReportgenError as error:
        return otherwise, [error.failure("history", name)]
    except FOREIGN as error:
        told = CheckpointError("it cannot be read", received=in_words(error))
        return otherwise, [told.failure("history", name)]


def _size(path: Path) -> int:
    """Return the size of a file [byte], 0 where it has gone."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0
