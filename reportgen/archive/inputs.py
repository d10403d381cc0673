"""The files a report was made from: which they were, and whether they still are."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from reportgen.archive.manifest import sha256
from reportgen.config import ProbesConfig
from reportgen.errors import RemoteError
from reportgen.places import is_url, name_of, place, url_of
from reportgen.remote import list_again
from reportgen.store.inputs import image_patterns

log = logging.getLogger(__name__)

State = Literal["unchanged", "changed", "gone", "not checked"]


def probe_files(config: ProbesConfig, base: Path) -> dict[str, dict[str, Any]]:
    """Return hash and size of every file the probe set was read from, by its path relative to `base`.

    One that cannot be read is left out: the probe set names it among what is missing.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in _named(config, base):
        name = name_of(path, base)
        with suppress(OSError):
            found[name] = {"sha256": sha256(path), "size": path.stat().st_size}
    return found


def _named(config: ProbesConfig, base: Path) -> Iterator[Path]:
    from reportgen.probes.catalogue import named_pictures
    from reportgen.probes.files import find_files

    yield from (path for path in find_files(image_patterns(config), base) if isinstance(path, Path))
    if config.catalogue is not None:
        yield base / config.catalogue
    yield from named_pictures(config, base)


def states(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, State]]:
    """Yield kind, name and state of each input of a report; a comparison's inputs are the manifests of two reports."""
    base = base_of(folder, manifest)
    path = place(str(_config(folder).get("run", {}).get("path", "")))
    listed: dict[Path, int] = {}
    if url_of(path):
        listed = _listed(path, deep=True) or _listed(path.parent, deep=False)
    for parent in {place(name).parent for name in manifest.get("probe_files", {}) if is_url(name)}:
        listed |= _listed(parent, deep=False)
    for kind, key in (("checkpoint", "inputs"), ("probe file", "probe_files"), ("report", "reports")):
        start = folder if kind == "report" else base
        for name, about in manifest.get(key, {}).items():
            far = path / name if kind == "checkpoint" else place(name)
            if url_of(far):
                yield kind, name, _state_there(path if path in listed and kind == "checkpoint" else far, about, listed)
                continue
            if start is None:
                # Where the configuration lay when the report was put somewhere else is not known.
                yield kind, name, "not checked" if url_of(folder) else "gone"
                continue
            file = start / path / name if kind == "checkpoint" else start / name
            if kind == "checkpoint" and (start / path).is_file():
                file = start / path
            yield kind, name, state_of(file, about)


def _listed(folder: Path, *, deep: bool) -> dict[Path, int]:
    """Return size [byte] of what lies on another machine; nothing where it does not answer."""
    try:
        return list_again(folder, deep=deep)
    except RemoteError as error:
        log.warning("not checked: %s", error)
        return {folder: -1}


def _state_there(path: Path, about: Mapping[str, Any], listed: Mapping[Path, int]) -> State:
    """Return what became of a file on another machine: by its copy here where there is one, else by its size."""
    if any(listed.get(folder) == -1 for folder in (path, *path.parents)):
        return "not checked"
    if path not in listed:
        return "not checked" if path.with_name(f"{path.name}.index") in listed else "gone"
    if path.is_file():
        return state_of(path, about)
    return "changed" if listed[path] != about.get("size", listed[path]) else "not checked"


def state_of(path: Path, about: Mapping[str, Any]) -> State:
    """Return what became of a file; one that cannot be read, or is of several parts, is not checked."""
    try:
        if path.is_dir() or (not path.exists() and path.with_name(f"{path.name}.index").is_file()):
            return "not checked"
        if not path.is_file():
            return "gone"
        if path.stat().st_size != about.get("size", path.stat().st_size):
            return "changed"
        return "unchanged" if sha256(path) == about["sha256"] else "changed"
    except OSError:
        return "not checked"


def base_of(folder: Path, manifest: Mapping[str, Any]) -> Path | None:
    """Return the folder of the configuration a report was made by, where it still lies as it did; else None."""
    archive = folder.resolve().parent.parent
    if "base" in manifest:
        base = Path(os.path.normpath(archive / manifest["base"]))
        return base if base.is_dir() else None
    # Manifests of the first versions do not say; the configuration says where the archive was, seen from it.
    written = Path(str(_config(folder).get("archive", "reports")))
    if written.is_absolute() or ".." in written.parts:
        return None
    base = archive
    for _ in written.parts:
        base = base.parent
    return base if (base / written).resolve() == archive else None


def _config(folder: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}
