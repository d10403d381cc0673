"""Every file that a report may depend on, found without opening one."""

from __future__ import annotations

import ast
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from reportgen import places
from reportgen.checkpoints.kinds import OTHER_SUFFIXES, looks_meant
from reportgen.checkpoints.limits import FILE_LIMIT
from reportgen.checkpoints.walk import Found, is_saved_model, matching, model_folders, walk
from reportgen.config import Config, ProbesConfig, RunConfig
from reportgen.config.files import matches

BESIDE = {".csv", ".json"}
"""Suffixes of what may be a history, the record of the run, or a description of a network."""
MODULES = 500
"""Files of the user's own code that are followed."""


def sources_of(
    config: Config, base: Path, sha256: Callable[[Path], str], complete: Collection[Path] | None = None
) -> dict[str, str]:
    """Return the sha256 of each file that a report may depend on, by its name relative to `base`.

    What is not read has the reason in place of a sum. With `complete`, no other file of the run is opened.
    """
    others = [*probe_files(config.probes, base), *look_files(config, base)]
    if config.run.history is not None:
        others.append(base / config.run.history)
    if config.run.model is not None:
        others += code_files(base / config.run.model.rpartition(":")[0])
    found = {name_of(path, base): state_of(path, sha256) for path in others}
    for path in run_files(config.run, base, complete):
        # A link in a run is refused, wherever it leads, and not even looked through.
        name = name_of(path, base)
        found[name] = f"a link to {path.readlink()}" if path.is_symlink() else state_of(path, sha256)
    return found


def state_of(path: Path, sha256: Callable[[Path], str]) -> str:
    """Return the sha256 of a regular file of a size that is read, or in words what else is there."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            return "no regular file"
        if about.st_size > FILE_LIMIT:
            return f"{about.st_size} byte, of {about.st_mtime_ns}"
        return sha256(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def run_files(config: RunConfig, base: Path, complete: Collection[Path] | None = None) -> list[Path]:
    """Return the files of a training run that may be checkpoints, or tell something of them."""
    path = Path(os.path.abspath(base / config.path))  # noqa: PTH100 - a link keeps the user's name for it
    if path.is_dir() and not is_saved_model(path):
        found = list(_wanted(path, config))
    elif path.is_dir():
        found = [*_below(path), *_beside(path)]
    else:
        stem = path.name.removesuffix(".index")
        found = [file for file in path.parent.glob(f"{stem}*") if file.is_file()] + _beside(path)
    unique = dict.fromkeys(found)
    return sorted(file for file in unique if complete is None or file in complete)


def wanted_names(names: Collection[str], patterns: Sequence[str]) -> set[str]:
    """Return which files of a run folder, by their names in it, a run may open: run_files, before they are here."""
    entries = [
        Found(Path(name), name, "file") for name in names
        if not any(part.startswith(".") or part == "__pycache__" for part in name.split("/"))
    ]  # fmt: skip
    asked, folders = matching(patterns), model_folders(names)
    chosen = {found.file for found in entries if asked.fullmatch(found.file) and _may_be(found)}
    stems = {_stem(found) for found in entries if found.file in chosen}
    beside = {f.file for f in entries if f.path.suffix.lower() in BESIDE or _stem(f) in stems}
    return chosen | beside | {name for name in names if any(name.startswith(folder) for folder in folders)}


def probe_files(config: ProbesConfig, base: Path) -> list[Path]:
    """Return the files of the probe set: images, those of further inputs, the catalogue and pictures it names."""
    found = [file for pattern in image_patterns(config) for file in sorted(matches(base, pattern))]
    if config.catalogue is not None:
        found.append(base / config.catalogue)
    if any(source.column for source in config.inputs.values()):
        from reportgen.probes.catalogue import named_pictures  # a large import, for those who name pictures so

        found += named_pictures(config, base)
    return list(dict.fromkeys(found))


def image_patterns(config: ProbesConfig) -> list[str]:
    """Return the patterns of the images and of those of further inputs."""
    groups = [config.images, *(source.images for source in config.inputs.values() if source.images is not None)]
    return [
        pattern
        for images in groups
        for several in (images.values() if isinstance(images, dict) else [images])
        for pattern in several
    ]


def look_files(config: Config, base: Path) -> list[Path]:
    """Return the user's own templates, logo and font."""
    files = [base / path for path in (config.theme.logo, config.theme.font) if path is not None]
    if config.templates is not None:
        files += sorted(path for path in (base / config.templates).rglob("*") if path.is_file())
    return files


def code_files(path: Path) -> list[Path]:
    """Return a Python file and those beside it that it imports, directly or not; nothing is executed."""
    found: list[Path] = []
    pending = [path]
    while pending and len(found) < MODULES:
        file = pending.pop()
        if file in found or not file.is_file():
            continue
        found.append(file)
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        pending += [there for name in _imports(tree) for there in _modules(name, path.parent)]
    return sorted(found)


def name_of(path: Path, base: Path) -> str:
    """Return a path as the user knows it, whatever bytes are in it."""
    return os.fsencode(places.name_of(path, base)).decode("utf-8", "backslashreplace")


def _wanted(folder: Path, config: RunConfig) -> Iterator[Path]:
    """Yield the files of a run folder that a run may open."""
    asked = {found.file for found in walk(folder, config.checkpoints)}
    entries = list(walk(folder, ("**/*",)))
    stems = {_stem(found) for found in entries if found.file in asked and _may_be(found)}
    for found in entries:
        suffix = found.path.suffix.lower()
        if found.kind == "model folder" and found.file in asked:
            yield from _below(found.path)
        elif found.kind in ("file", "link") and (
            (found.file in asked and _may_be(found)) or suffix in BESIDE or _stem(found) in stems
        ):
            yield found.path


def _may_be(found: Found) -> bool:
    return looks_meant(found.file) or Path(found.file).suffix.lower() not in OTHER_SUFFIXES


def _stem(found: Found) -> str:
    """Return what the files of one checkpoint in several files have in common."""
    name = found.path.name
    for mark in (".data-0", ".index", ".weights"):
        name = name.partition(mark)[0]
    return str(found.path.with_name(name))


def _below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _beside(path: Path) -> list[Path]:
    return [file for file in path.parent.iterdir() if file.suffix.lower() in BESIDE and file.is_file()]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = f"{node.module}." if node.module else ""
            yield from (f"{start}{alias.name}" for alias in node.names)


def _modules(name: str, folder: Path) -> Iterator[Path]:
    """Yield the files that a dotted name may stand for, with those of the packages around it."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        there = folder.joinpath(*parts[:end])
        yield there.with_suffix(".py") if end == 1 else there.parent / f"{there.name}.py"
        yield there / "__init__.py"
