"""An architecture for files of weights alone: a whole model's, or JSON's, from the same run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reportgen.checkpoints.architecture import architecture_signature
from reportgen.checkpoints.examine import Call, here
from reportgen.checkpoints.formats import FORMATS, read_checkpoint
from reportgen.checkpoints.json_architecture import read_json_architecture
from reportgen.checkpoints.outline import is_model, leaves
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredLayer, StoredModel
from reportgen.errors import CheckpointError, ReportgenError, printable

_SUFFIXES = (".weights.h5", ".weights.json", ".h5", ".hdf5", ".keras", ".json")
_TELLING = re.compile("model|arch|net|config|struct", re.IGNORECASE)
"""Words in the names of files that describe a network."""
LENDERS = 50
"""How many JSON files, and how many different descriptions in whole models, are looked at."""

Rows = tuple[tuple[str, str, tuple[tuple[str, tuple[int, ...]], ...]], ...]
"""What a file of weights looks like: layers by name and group, their arrays by name and shape."""


@dataclass(frozen=True)
class Lender:
    """One description, and the files that hold it."""

    described: dict[str, Any]
    paths: list[Path]


@dataclass
class Lenders:
    """The descriptions there are, and which of them fitted."""

    root: Path
    call: Call
    known: list[Lender]
    fitting: dict[tuple[str, Rows], list[tuple[Lender, str]]] = field(default_factory=dict)
    """(format, rows) → the lenders that fit such files, with the signature of the network they make of them."""

    def that_fit(self, checkpoint: Checkpoint) -> list[tuple[Path, str]]:
        """Return the files whose description fits a checkpoint, each with the signature of the network."""
        rows = _asked(self.call, _rows_in, checkpoint, size=checkpoint.size)
        if rows is None:
            return []
        key = (checkpoint.format, rows)
        if key not in self.fitting:
            self.fitting[key] = [
                (lender, signature) for lender in self.known if (signature := self._signature(checkpoint, lender, rows))
            ]
        return [(path, signature) for lender, signature in self.fitting[key] for path in lender.paths]

    def _signature(self, checkpoint: Checkpoint, lender: Lender, rows: Rows) -> str:
        if not is_model(lender.described):
            return ""
        path = lender.paths[0]
        lent = replace(checkpoint, architecture=path)
        return _asked(self.call, _fits, lent, lender.described, rows, size=checkpoint.size + _size(path)) or ""


def borrow(checkpoints: Sequence[Checkpoint], root: Path, call: Call = here) -> tuple[Checkpoint, ...]:
    """Return the checkpoints, those of weights alone with the file whose architecture they borrow.

    Where files fit that describe different networks, the one that bears their name is taken; where none does, none is,
    and the checkpoint says which were in question. `call` opens the files.
    """
    if all(FORMATS[checkpoint.format].whole for checkpoint in checkpoints):
        return tuple(checkpoints)
    weights = [checkpoint for checkpoint in checkpoints if not FORMATS[checkpoint.format].whole]
    by_words: dict[str, Lender] = {}
    for path in _json_files(weights, root):
        described = _asked(call, read_json_architecture, path, size=_size(path))
        if described:
            by_words.setdefault(_words(described), Lender(described, [])).paths.append(path)
    whole: dict[str, Lender] = {}
    for checkpoint in checkpoints:
        if FORMATS[checkpoint.format].whole and len(whole) < LENDERS:
            described = _asked(call, _described, checkpoint, size=checkpoint.size)
            if described is not None:
                whole.setdefault(_words(described), Lender(described, [])).paths.append(checkpoint.path)
    for words, lender in whole.items():
        by_words.setdefault(words, Lender(lender.described, [])).paths.extend(lender.paths)
    lenders = Lenders(root, call, list(by_words.values()))
    return tuple(c if FORMATS[c.format].whole else _lend(c, lenders) for c in checkpoints)


def lend(
    checkpoints: Sequence[Checkpoint], path: Path, described: dict[str, Any], call: Call = here, lender: str = ""
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints, those of weights alone and without an architecture with that in `path` where it fits.

    `lender` is what the user knows it as.
    """
    lenders = Lenders(path.parent, call, [Lender(described, [path])])
    given = []
    for c in checkpoints:
        if not FORMATS[c.format].whole and c.architecture is None and lenders.that_fit(c):
            c = replace(c, architecture=path, lender=lender or path.name, unclear="")
        given.append(c)
    return tuple(given)


def _json_files(weights: Sequence[Checkpoint], root: Path) -> list[Path]:
    """Return the JSON files beside the weights that most likely describe a network, by their names."""
    folders = dict.fromkeys([root, *(checkpoint.path.parent for checkpoint in weights)])
    found = [path for folder in folders for path in folder.glob("*.json") if path.is_file() and not path.is_symlink()]
    if len(found) > LENDERS:
        stems = {_stem(checkpoint.path) for checkpoint in weights}
        found.sort(
            key=lambda p: (not any(_named_alike(stem, _stem(p)) for stem in stems), not _TELLING.search(p.name), p)
        )
    return sorted(found[:LENDERS])


def _asked(call: Call, function: Callable[..., Any], *args: object, size: int) -> Any:
    """Return what a function finds in a file, or None where it cannot be read: its turn to say so comes later."""
    try:
        return call(function, *args, size=size)
    except (ReportgenError, OSError):
        return None


def _lend(checkpoint: Checkpoint, lenders: Lenders) -> Checkpoint:
    """Return a checkpoint of weights with the file it borrows from, if any does, or those in question."""
    fitting = lenders.that_fit(checkpoint)
    own, folder = _stem(checkpoint.path), checkpoint.path.parent
    fitting.sort(key=lambda f: (f[0].parent != folder, -_common(own, _stem(f[0])), f[0]))
    clear = fitting
    if _differ(clear):
        alike = [f for f in fitting if _named_alike(own, _stem(f[0]))]
        longest = max((len(_stem(path)) for path, _ in alike), default=0)
        named = [f for f in alike if len(_stem(f[0])) == longest]
        clear = [f for f in named if f[0].parent == folder] or named
    if not clear or _differ(clear):  # a folder of its own says whose a description is, the run's does not
        clear = [f for f in fitting if f[0].parent == folder != lenders.root]
    if clear and not _differ(clear):
        path = clear[0][0]
        return replace(checkpoint, architecture=path, lender=_shown(path, lenders.root))
    one_each = {signature: path for path, signature in reversed(fitting)}
    names = [_shown(path, lenders.root) for path in sorted(one_each.values())]
    return replace(checkpoint, unclear=", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else ""))


def _differ(fitting: Sequence[tuple[Path, str]]) -> bool:
    """Return whether files describe different networks."""
    return len({signature for _, signature in fitting}) > 1


def _named_alike(own: str, other: str) -> bool:
    """Return whether a stem says that its file belongs to that of another: model2 to model2_weights, or to model2-7."""
    return own == other or (own.startswith(other) and bool(other) and own[len(other)] in "._- ")


def _shown(path: Path, root: Path) -> str:
    """Return a file's name as the user knows it, relative to the run's folder where it is in it."""
    return printable(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name, 120)


def _words(described: dict[str, Any]) -> str:
    """Return what tells one description from another: all it says, and the major version of its Keras."""
    return repr({**described, "keras_version": str(described.get("keras_version", "")).partition(".")[0]})


def _size(path: Path) -> int:
    """Return the size of a file [byte]; 0 of a folder, or where it has gone."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _fits(lent: Checkpoint, described: dict[str, Any], rows: Rows) -> str:
    """Return the signature of the network where every array of a file finds its layer in it, else nothing."""
    try:
        stored = read_checkpoint(lent)
        known = dict(leaves(stored.config or described))
    except CheckpointError:
        return ""
    fits = _shapes(_rows(stored)) == _shapes(rows) and all(_has_sizes(x, known.get(x.name)) for x in stored.layers)
    return architecture_signature(stored) if fits else ""


def _has_sizes(layer: StoredLayer, entry: dict[str, Any] | None) -> bool:
    """Return whether a layer's kernel has the sizes that an entry of an architecture gives it."""
    if entry is None:
        return False
    config = entry["config"] if isinstance(entry["config"], dict) else {}
    kernel = next((v.value.shape for v in layer.variables if v.name == "kernel"), None)
    if kernel is None or entry.get("class_name") not in ("Dense", "Conv1D", "Conv2D", "Conv3D"):
        return True
    size = config.get("kernel_size", [])
    given = (*(size if isinstance(size, list) else [size]), config.get("filters", config.get("units")))
    return (*kernel[:-2], kernel[-1]) == given


def _rows_in(checkpoint: Checkpoint) -> Rows:
    """Return what a file of weights looks like."""
    return _rows(read_checkpoint(checkpoint))


def _rows(stored: StoredModel) -> Rows:
    return tuple(
        (layer.name, layer.group, tuple((v.name, tuple(v.value.shape)) for v in layer.variables))
        for layer in stored.layers
    )


def _shapes(rows: Rows) -> Counter[tuple[int, ...]]:
    """Return how many arrays there are of each shape."""
    return Counter(shape for _, _, variables in rows for _, shape in variables)


def _described(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """Return the architecture in a checkpoint, and the Keras that wrote it."""
    stored = read_checkpoint(checkpoint)
    return stored.config and {"keras_version": stored.keras_version, **stored.config}


def _stem(path: Path) -> str:
    """Return a file's name without its suffix."""
    return next((path.name.removesuffix(s) for s in _SUFFIXES if path.name.endswith(s)), path.name)


def _common(one: str, other: str) -> int:
    """Return how many characters two names begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
