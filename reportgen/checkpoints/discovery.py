"""From a folder to a Run: its checkpoints in training order, its history, and what cannot be used."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reportgen.checkpoints.borrow import borrow
from reportgen.checkpoints.counter import iterations
from reportgen.checkpoints.epochs import epochs_of, has_date, in_training_order
from reportgen.checkpoints.formats import HEAD, recognise
from reportgen.checkpoints.history import find_history, read_history
from reportgen.checkpoints.kinds import OTHER_SUFFIXES, looks_meant, refusal
from reportgen.checkpoints.limits import CONFIG_LIMIT, parse_json
from reportgen.checkpoints.naming import names_of
from reportgen.checkpoints.run import Checkpoint, History, Run
from reportgen.checkpoints.walk import Found, walk
from reportgen.config.model import RunConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import CheckpointError, ConfigError, Failure, NothingToReport

RECORD = "run.json"


def find_run(config: RunConfig, base: Path) -> Run:
    """Return the training run at `config.path`, which is relative to `base`: a folder, or a single checkpoint.

    Files are recognised by content. What looks like a checkpoint and cannot be used becomes a Failure. Raises
    ConfigError where the path is missing and NothingToReport where there is no checkpoint.
    """
    path = Path(os.path.abspath(base / config.path))  # noqa: PTH100 - a link keeps the user's name for it
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise ConfigError(
            "the training run is not there",
            where="run.path",
            expected="a folder of checkpoints, or one checkpoint",
            received=str(config.path),
            advice=did_you_mean(path.name, siblings) or "Paths are relative to the configuration file.",
        )
    alone = not path.is_dir()
    root = path.parent if alone else path
    looked = [Found(path, path.name, "file", path.stat().st_size)] if alone else list(walk(path, config.checkpoints))
    checkpoints, failures = _sort_out(looked, root, alone)
    if not checkpoints:
        raise _nothing(config, looked, failures)
    record, unread = _read_record(root)
    history, unclear = _read_history(config, base, root, checkpoints)
    checkpoints, copies = _without_copies(_counted_from_one(_hashed(checkpoints), history), record)
    return Run(
        name=config.name or (path.stem if alone else path.name),
        path=root,
        checkpoints=borrow(_named(_ordered(checkpoints)), root),
        history=history,
        record={**record, "copies": copies} if copies else record,
        failures=(*failures, *unread, *unclear),
    )


def _sort_out(looked: Sequence[Found], root: Path, alone: bool) -> tuple[list[Checkpoint], list[Failure]]:
    """Return the checkpoints among what was found, without hash and epoch, and what cannot be used."""
    checkpoints, failures = [], []
    for found in looked:
        meant = alone or looks_meant(found.file)
        if not meant and Path(found.file).suffix.lower() in OTHER_SUFFIXES:
            continue
        error: CheckpointError | None
        try:
            key, error = _examine(found, root)
        except (CheckpointError, OSError) as raised:
            key, error = None, raised if isinstance(raised, CheckpointError) else CheckpointError(str(raised))
        if key is not None:
            checkpoints.append(Checkpoint(found.file, found.file, found.path, key, None, found.size, ""))
        elif error is not None:
            failures.append(error.failure("checkpoint", found.file))
        elif alone:
            raise NothingToReport(
                "the file is no checkpoint", where=found.file, expected="a Keras checkpoint: .keras, or HDF5"
            )
    return checkpoints, failures


def _examine(found: Found, root: Path) -> tuple[str | None, CheckpointError | None]:
    """Return the format of an entry, or why it cannot be used, or neither where it is something else."""
    if found.kind == "link":
        target = Path(os.path.realpath(found.path))
        if target.is_relative_to(os.path.realpath(root)) and target.is_file():
            return None, None  # the file itself is here too
    if found.kind != "file" or not found.size:
        return None, refusal(found, b"")
    with found.path.open("rb") as file:
        head = file.read(HEAD)
    key = recognise(found.path, head)
    return key, None if key else refusal(found, head)


def _nothing(config: RunConfig, looked: Sequence[Found], failures: Sequence[Failure]) -> NothingToReport:
    """Return the error that says what was looked at."""
    if failures:
        told = "; ".join(f"{failure.name}: {failure.problem}" for failure in failures[:3])
        received = f"{len(failures)} that cannot be used: {told}"
    else:
        suffixes = sorted({Path(found.file).suffix or "no suffix" for found in looked})
        received = f"{len(looked)} files ({', '.join(suffixes[:8])})" if looked else "no file"
    links = " Folders that are links are not followed." if any(found.kind == "link" for found in looked) else ""
    return NothingToReport(
        f"no checkpoint in {config.path} that matches {', '.join(config.checkpoints)}",
        where="run.path",
        expected="Keras checkpoints: .keras, or HDF5 under any name",
        received=received,
        advice=(failures[0].advice if failures else "Give the folder that training saved into.") + links,
    )


def _hashed(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Return the checkpoints with sha256 and the epoch their names say."""
    epochs = epochs_of([checkpoint.file for checkpoint in checkpoints])
    hashed = []
    for checkpoint in checkpoints:
        with checkpoint.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        hashed.append(replace(checkpoint, sha256=digest, epoch=epochs[checkpoint.file]))
    return hashed


def _counted_from_one(checkpoints: list[Checkpoint], history: History | None) -> list[Checkpoint]:
    """Return the checkpoints with epochs counted from 1 where their names count from 0 and the history says so."""
    epochs = [checkpoint.epoch for checkpoint in checkpoints if checkpoint.epoch is not None]
    if history is None or not epochs or min(epochs) != 0 or max(epochs) + 1 != int(history.epochs.max()):
        return checkpoints
    return [c if c.epoch is None else replace(c, epoch=c.epoch + 1) for c in checkpoints]


def _without_copies(checkpoints: list[Checkpoint], record: dict[str, Any]) -> tuple[list[Checkpoint], dict[str, str]]:
    """Return the checkpoints without those that only repeat an epoch, and copy → original."""
    of_epoch = {c.epoch: c for c in checkpoints if c.epoch is not None}
    of_content = {c.sha256: c for c in of_epoch.values()}
    best = record.get("best")
    best = best if isinstance(best, dict) else {}
    copies = {}
    for checkpoint in checkpoints:
        if checkpoint.epoch is None:
            original = of_content.get(checkpoint.sha256)
            if original is None and best.get("file") == checkpoint.file and isinstance(best.get("epoch"), int):
                original = of_epoch.get(best["epoch"])
            if original is not None:
                copies[checkpoint.file] = original.file
    return [c for c in checkpoints if c.file not in copies], copies


def _ordered(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Return the checkpoints in training order."""
    rest = [c for c in checkpoints if c.epoch is None]
    dated = all(has_date(c.file) for c in rest)
    counters = {} if dated or len(rest) < 2 else {c.file: iterations(c.path, c.format) for c in rest}
    by_file = {c.file: c for c in checkpoints}
    order = in_training_order(list(by_file), {c.file: c.epoch for c in checkpoints}, counters)
    return [by_file[file] for file in order]


def _named(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Return the checkpoints with names that are unique and safe."""
    names = names_of([checkpoint.file for checkpoint in checkpoints])
    return [replace(checkpoint, name=names[checkpoint.file]) for checkpoint in checkpoints]


def _read_record(root: Path) -> tuple[dict[str, Any], list[Failure]]:
    """Return what the callback wrote about the run, and a Failure where it cannot be read."""
    path = root / RECORD
    if not path.is_file():
        return {}, []
    try:
        record = parse_json(path.read_bytes(), RECORD, CONFIG_LIMIT)
        if not isinstance(record, dict):
            raise CheckpointError("the record of the run is no JSON object", expected="an object {…}")
    except (CheckpointError, OSError) as error:
        told = error if isinstance(error, CheckpointError) else CheckpointError(str(error))
        return {}, [told.failure("history", RECORD)]
    return record, []


def _read_history(
    config: RunConfig, base: Path, root: Path, checkpoints: Sequence[Checkpoint]
) -> tuple[History | None, list[Failure]]:
    """Return the history of a run, and a Failure where there is one that cannot be read."""
    name = str(config.history) if config.history else "history"
    try:
        if config.history is not None:
            path = base / config.history
            if not path.is_file():
                others = [entry.name for entry in path.parent.glob("*.csv")] if path.parent.is_dir() else []
                advice = did_you_mean(path.name, others) or "Paths are relative to the configuration file."
                raise CheckpointError("the history is not there", expected="a CSV file", advice=advice)
            return read_history(path, name), []
        folders = dict.fromkeys([root, *(checkpoint.path.parent for checkpoint in checkpoints)])
        found = find_history(folders, root)
        if found is None:
            return None, []
        name = found.relative_to(root).as_posix()
        return read_history(found, name), []
    except CheckpointError as error:
        return None, [error.failure("history", name)]
