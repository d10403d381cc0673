"""From a folder to a Run: its checkpoints in training order, its history, and what cannot be used."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reportgen.checkpoints.beside import history_of, record_of
from reportgen.checkpoints.borrow import borrow
from reportgen.checkpoints.epochs import epochs_of, has_date, in_training_order
from reportgen.checkpoints.examine import Call, Examined, examine, here
from reportgen.checkpoints.formats import FORMATS
from reportgen.checkpoints.kinds import OTHER_SUFFIXES, looks_meant
from reportgen.checkpoints.naming import names_of
from reportgen.checkpoints.run import Checkpoint, History, Run
from reportgen.checkpoints.walk import Found, is_saved_model, size_of_folder, size_with_parts, walk
from reportgen.config.model import RunConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError, Failure, NothingToReport, ReportgenError

FRESH = 60.0
"""A file that cannot be read and was changed this long ago may still be being written [s]."""
WAIT = 1.0
"""How long such files are waited for, once a run [s]."""


def find_run(config: RunConfig, base: Path, call: Call = here, complete: Collection[Path] | None = None) -> Run:
    """Return the training run at `config.path`, which is relative to `base`: a folder, or a single checkpoint.

    Files are recognised by content; `call` opens them. What looks like a checkpoint and cannot be used becomes a
    Failure. With `complete`, no other file is opened: training is still writing those. Raises ConfigError where the
    path is missing and NothingToReport where there is no checkpoint.
    """
    path = Path(os.path.abspath(base / config.path))  # noqa: PTH100 - a link keeps the user's name for it
    index = path.with_name(f"{path.name}.index")
    if not path.exists() and index.is_file():
        path = index  # of a TensorFlow checkpoint users know the prefix alone
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise ConfigError(
            "the training run is not there",
            where="run.path",
            expected="a folder of checkpoints, or one checkpoint",
            received=str(config.path),
            advice=did_you_mean(path.name, siblings) or "Paths are relative to the configuration file.",
        )
    saved = is_saved_model(path)
    alone = saved or not path.is_dir()
    root = path.parent if alone else path
    if alone:
        size = size_of_folder(path) if saved else path.stat().st_size
        looked = [Found(path, path.name, "model folder" if saved else "file" if path.is_file() else "other", size)]
    else:
        looked = [
            found for found in walk(path, config.checkpoints)
            if complete is None or found.kind == "model folder" or found.path in complete
        ]  # fmt: skip
    checkpoints, steps, failures = _sort_out(looked, root, alone, call)
    if not checkpoints:
        raise _nothing(config, looked, failures, alone)
    record, unread = record_of(root, call)
    folders = dict.fromkeys([root, *(checkpoint.path.parent for checkpoint in checkpoints)])
    history, unclear = history_of(config, base, root, list(folders), call)
    checkpoints, copies = _without_copies(_counted_from_one(_dated(checkpoints), history), record)
    return Run(
        name=run_name(config, base) if config.name or not alone else Path(checkpoints[0].file).stem,
        path=root,
        checkpoints=borrow(_named(_ordered(checkpoints, steps)), root, call),
        history=history,
        record={**record, "copies": copies} if copies else record,
        failures=(*failures, *unread, *unclear),
    )


def run_name(config: RunConfig, base: Path) -> str:
    """Return the name of a run before anything is opened; that of a single file may lose a second suffix later."""
    path = Path(os.path.abspath(base / config.path))  # noqa: PTH100 - a link keeps the user's name for it
    return config.name or (path.name if path.is_dir() and not is_saved_model(path) else path.stem)


def _sort_out(
    looked: Sequence[Found], root: Path, alone: bool, call: Call
) -> tuple[list[Checkpoint], dict[str, int | None], list[Failure]]:
    """Return the checkpoints among what was found, without epoch, their training steps, and what cannot be used."""
    wanted = [
        found for found in looked
        if alone or looks_meant(found.file) or Path(found.file).suffix.lower() not in OTHER_SUFFIXES
    ]  # fmt: skip
    known = [(found, _examined(found, root, call)) for found in wanted]
    known = _waited_for(known, root, call)
    owned = {part for _, examined in known for part in examined.parts}
    checkpoints, failures, steps = [], [], {}
    for found, examined in known:
        if str(found.path) in owned:
            continue
        if examined.format is not None:
            file = found.file.removesuffix(FORMATS[examined.format].unsaid)
            steps[file] = examined.steps
            checkpoints.append(
                Checkpoint(
                    file, file, found.path, examined.format, None, examined.size, examined.sha256,
                    modified=examined.modified,
                )
            )  # fmt: skip
        elif examined.problem is not None:
            failures.append(examined.problem.failure("checkpoint", found.file))
        elif alone:
            raise NothingToReport(
                "the file is no checkpoint", where=found.file, expected="a Keras checkpoint: .keras, or HDF5"
            )
    return checkpoints, steps, failures


def _examined(found: Found, root: Path, call: Call) -> Examined:
    """Return what an entry is, also where looking at it killed the process that looked."""
    try:
        examined: Examined = call(examine, found, root, size=size_with_parts(found))
    except ReportgenError as error:
        return Examined(None, error)
    return examined


def _waited_for(known: list[tuple[Found, Examined]], root: Path, call: Call) -> list[tuple[Found, Examined]]:
    """Return the entries, those that may still be being written looked at again after a while."""
    before = {found.path: _stamp(found.path) for found, examined in known if examined.problem and found.kind == "file"}
    now = time.time()
    fresh = {path for path, (_, changed) in before.items() if now - changed < FRESH}
    if not fresh:
        return known
    time.sleep(WAIT)
    again = []
    for found, examined in known:
        if found.path in fresh:
            (was, _), (size, _) = before[found.path], _stamp(found.path)
            if before[found.path] != _stamp(found.path):
                examined = Examined(None, ReportgenError(
                    "the file is still being written", expected="a finished file",
                    received=f"{was:,} byte, {size:,} byte {WAIT:.0f} s later",
                    advice="Run again when training has closed it.",
                ))  # fmt: skip
            else:
                examined = _examined(found, root, call)
        again.append((found, examined))
    return again


def _stamp(path: Path) -> tuple[int, float]:
    """Return size [byte] and time of the last change [s] of a file; zeros where it has gone."""
    try:
        about = path.stat()
    except OSError:
        return 0, 0.0
    return about.st_size, about.st_mtime


def _nothing(config: RunConfig, looked: Sequence[Found], failures: Sequence[Failure], alone: bool) -> NothingToReport:
    """Return the error that says what was looked at; of a single file its own reason."""
    if alone and failures:
        (own,) = failures[:1]
        return NothingToReport(own.problem, where=own.name, expected=own.expected, received=own.received,
                               advice=own.advice)  # fmt: skip
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


def _dated(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Return the checkpoints with the epoch their names say."""
    epochs = epochs_of([checkpoint.file for checkpoint in checkpoints])
    return [replace(checkpoint, epoch=epochs[checkpoint.file]) for checkpoint in checkpoints]


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


def _ordered(checkpoints: Sequence[Checkpoint], steps: Mapping[str, int | None]) -> list[Checkpoint]:
    """Return the checkpoints in training order."""
    rest = [c for c in checkpoints if c.epoch is None]
    dated = all(has_date(c.file) for c in rest)
    counters = {} if dated or len(rest) < 2 else {c.file: steps[c.file] for c in rest}
    by_file = {c.file: c for c in checkpoints}
    order = in_training_order(list(by_file), {c.file: c.epoch for c in checkpoints}, counters)
    return [by_file[file] for file in order]


def _named(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Return the checkpoints with names that are unique and safe."""
    names = names_of([checkpoint.file for checkpoint in checkpoints])
    return [replace(checkpoint, name=names[checkpoint.file]) for checkpoint in checkpoints]
