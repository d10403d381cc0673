"""Whether the files and folders that a configuration names are there."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterator
from pathlib import Path

from reportgen.config.positions import Document, Key, Value, dotted
from reportgen.config.problems import Problem
from reportgen.config.suggest import nearest
from reportgen.places import is_url

PATHS: tuple[tuple[Key, str], ...] = (
    (("run", "path"), "file or folder"), (("run", "history"), "file"), (("probes", "catalogue"), "file"),
    (("templates",), "folder"), (("theme", "logo"), "file"), (("theme", "font"), "file"),
)  # fmt: skip
REMOTE = {("run", "path"), ("run", "history"), ("probes", "catalogue")}
"""Those that may be a URL."""


def missing_files(document: Document, base: Path) -> list[Problem]:
    """Return a problem for each path in the document that leads nowhere from the folder `base`.

    What a URL leads to is seen when it is listed.
    """
    problems = []
    for key, kind in PATHS:
        written = _at(document.value, key)
        if is_url(written) and key in REMOTE:
            continue
        if isinstance(written, str) and not (base / written).exists():
            problems.append(_problem(document, key, f"no such {kind}: {written}", base, written))
        elif isinstance(written, str) and kind == "file" and not (base / written).is_file():
            problems.append(Problem(str(document.spot(key)), dotted(key), f"{written} is a folder, not a file"))
        elif isinstance(written, str) and kind == "folder" and not (base / written).is_dir():
            problems.append(Problem(str(document.spot(key)), dotted(key), f"{written} is a file, not a folder"))
    if isinstance(written := _at(document.value, ("run", "model")), str):
        file = written.rpartition(":")[0]
        if file and not (base / file).is_file():
            problems.append(_problem(document, ("run", "model"), f"no such file: {file}", base, file))
    for key, pattern in _image_patterns(document.value):
        if not is_url(pattern) and not any(matches(base, pattern)):
            is_pattern = glob.has_magic(pattern)
            words = f"nothing matches {pattern}" if is_pattern else f"no such file or folder: {pattern}"
            if (base / pattern).is_dir():
                words = f"no file in the folder {pattern}"
            problems.append(_problem(document, key, words, base, pattern))
    return problems


def matches(base: Path, pattern: str) -> Iterator[Path]:
    """Yield the files an image pattern stands for: a file, the files of a folder, or what a glob matches."""
    there = base / pattern
    if there.is_file():
        yield there
    elif there.is_dir():
        yield from (file for file in there.iterdir() if file.is_file() and not file.name.startswith("."))
    else:
        # Path.glob takes no absolute pattern.
        found = (base / name for name in glob.iglob(pattern, root_dir=base, recursive=True))  # noqa: PTH207
        yield from (file for file in found if file.is_file())


def _image_patterns(value: Value) -> Iterator[tuple[Key, str]]:
    inputs = _at(value, ("probes", "inputs"))
    named: list[Key] = [("probes", "inputs", name, "images") for name in (inputs if isinstance(inputs, dict) else ())]
    for key in (("probes", "images"), *named):
        images = _at(value, key)
        groups = images.items() if isinstance(images, dict) else [(None, images)]
        for band, patterns in groups:
            here = (*key, band) if band is not None else key
            if isinstance(patterns, str):
                yield here, patterns
            elif isinstance(patterns, list):
                yield from (((*here, i), item) for i, item in enumerate(patterns) if isinstance(item, str))


def _at(value: Value, key: Key) -> Value:
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _problem(document: Document, key: Key, words: str, base: Path, written: str) -> Problem:
    """Name the file that was probably meant: the nearest name where the path stops being real."""
    parts = Path(written).parts
    real = next(i for i in range(len(parts), -1, -1) if i == 0 or (base / Path(*parts[:i])).exists())
    parent = base / Path(*parts[:real])
    advice = "paths are relative to the configuration file"
    if real < len(parts) and parent.is_dir() and not glob.has_magic(parts[real]):
        with contextlib.suppress(OSError):
            if found := nearest(parts[real], (entry.name for entry in os.scandir(parent))):
                advice = f"did you mean {Path(*parts[:real], found, *parts[real + 1 :])}?"
    return Problem(str(document.spot(key)), dotted(key), words, advice)
