"""Which epoch a checkpoint is of, from its name, and the order of training."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

_SUFFIXES = re.compile(r"(\.(weights|weight|keras|h5|hdf5|hdf|ckpt|checkpoint|model|tf|pb))+$", re.IGNORECASE)
_DATE = re.compile(
    r"(?<!\d)(19|20)\d\d[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)"
    r"([T_ -]?([01]\d|2[0-3])[-:h_.]?[0-5]\d([-:m_.]?[0-5]\d)?(?!\d))?"
)
_STEP = re.compile(r"(?<![a-z])(?:iter(?:ation)?s?|steps?|batch(?:es)?)[-_. =]*(\d+)", re.IGNORECASE)
_FLOAT = re.compile(r"(?<!\d)(?:(?:0|[1-9]\d*)\.\d+(?:e[-+]?\d+)?|\d+e-\d+)", re.IGNORECASE)
_EPOCH = (
    re.compile(r"(?<![a-z])(?:epochs?|ep)[-_. =]*(\d{1,7})(?!\d)", re.IGNORECASE),
    re.compile(r"(?<![a-z0-9])e(\d{1,7})(?![a-z0-9])", re.IGNORECASE),
    re.compile(r"(?<![\d.])(\d{1,7})[-_ ]?epochs?(?![a-z])", re.IGNORECASE),
    re.compile(r"(?<![a-z])(?:cp|ckpt|chkpt|checkpoint|weights?)[-_. =]*(\d{1,7})(?![\d])", re.IGNORECASE),
)
"""Words that say that the number beside them is an epoch."""
_FREE = re.compile(r"(?<![A-Za-z0-9])\d{1,7}(?![A-Za-z0-9])")
"""A number that is not part of a word: 12 in `_12`, none in `conv12`."""


def epochs_of(files: Sequence[str]) -> dict[str, int | None]:
    """Return the epoch each name says, None where it says none.

    A word like epoch or cp decides; else a number that is alone in its name and padded with zeros, or that is what
    tells the files of a series apart. Dates, losses and numbers inside words are none.
    """
    epochs: dict[str, int | None] = {}
    series: dict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for file in files:
        path = PurePosixPath(file)
        text = _bare(_SUFFIXES.sub("", path.name))
        epochs[file] = _said(text, _EPOCH)
        if epochs[file] is None:
            folders = (_said(_bare(part.name), _EPOCH[:1]) for part in path.parents if part.name)
            epochs[file] = next((epoch for epoch in folders if epoch is not None), None)
        if epochs[file] is None and (numbers := _FREE.findall(text)):
            series[f"{path.parent}/{_FREE.sub('#', text)}"].append((file, numbers))
    for pattern, members in series.items():
        column = _telling([numbers for _, numbers in members], alone=not pattern.rpartition("/")[2].strip("#-_. "))
        epochs.update({file: int(number) for (file, _), number in zip(members, column, strict=False)})
    return epochs


def in_training_order(
    files: Sequence[str], epochs: Mapping[str, int | None], counters: Mapping[str, int | None]
) -> list[str]:
    """Return the files by epoch; those without one after them, by step, by iteration counter, else by name and date."""
    rest = [file for file in files if epochs[file] is None]
    steps = {file: _step(file) for file in rest}
    by = next((m for m in (steps, counters) if rest and all(m.get(file) is not None for file in rest)), {})

    def place(file: str) -> tuple[int, int, tuple[tuple[int, int, str], ...]]:
        epoch = epochs[file]
        return (1, by.get(file) or 0, natural(file)) if epoch is None else (0, epoch, natural(file))

    return sorted(files, key=place)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key under which file9 comes before file10."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((1, int(part), part) if part.isdecimal() else (0, 0, part) for part in parts)


def has_date(file: str) -> bool:
    """Return whether a date is in a file's name."""
    return _DATE.search(PurePosixPath(file).name) is not None


def _step(file: str) -> int | None:
    """Return the training step in a name, if there is one."""
    found = _STEP.search(PurePosixPath(file).name)
    return int(found[1]) if found else None


def _bare(name: str) -> str:
    """Return a name without dates, steps and numbers with a decimal point."""
    for pattern in (_DATE, _STEP, _FLOAT):
        name = pattern.sub("~", name)
    return name


def _said(text: str, patterns: Sequence[re.Pattern[str]]) -> int | None:
    """Return the epoch that a word in the text says."""
    found = next((found for pattern in patterns if (found := pattern.search(text))), None)
    return int(found[1]) if found else None


def _telling(rows: list[list[str]], *, alone: bool) -> Sequence[str]:
    """Return, of the numbers in the names of a series, the one of each name that is its epoch; nothing if none is.

    `alone` says that the names hold nothing else.
    """
    columns = list(zip(*rows, strict=True))
    if len(columns) == 1 and (alone or any(len(n) > 1 and n.startswith("0") for n in columns[0])):
        return columns[0]
    return next((c for c in columns if len({int(n) for n in c}) == len(rows) > 1), ())
