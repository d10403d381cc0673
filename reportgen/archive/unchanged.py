"""Whether there is a report already that is made from exactly this, without opening a network or an image."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.archive.manifest import read_manifest
from reportgen.archive.outcome import Outcome
from reportgen.archive.provenance import PROVENANCE
from reportgen.archive.store import folder_name, is_report
from reportgen.config.load import Loaded
from reportgen.disk import Stamps
from reportgen.errors import ArchiveError, Failure
from reportgen.remote import have, pull, size_there
from reportgen.store import Key, Reason, difference, sources_of
from reportgen.store.fetching import fetch_inputs
from reportgen.store.made_by import makers
from reportgen.store.store import STORE
from reportgen.versions import git_state


@dataclass(frozen=True)
class Look:
    """What a report would be made from, and whether it has been."""

    key: Key
    outcome: Outcome | None
    """The report there is; None where it has to be made."""
    reason: Reason | None
    """Why it has to be made."""


def bring(loaded: Loaded) -> None:
    """Have here what a configuration names on other machines, where it changed; raises RemoteError."""
    fetch_inputs(loaded.config)
    pull(loaded.base / loaded.config.archive)


def look(loaded: Loaded, run: str, *, force: bool = False, complete: Collection[Path] | None = None) -> Look:
    """Return the report there is of a configuration, or why one has to be made; `run` is the name of the run.

    Files that look the same to the file system as when they were last read are not read again. With `complete`, no
    other file of the run is opened.
    """
    archive = loaded.base / loaded.config.archive
    stamps = stamps_of(archive, run)
    key = key_of(loaded, stamps, complete)
    found: Reason | None = Reason("forced") if force else None
    for folder in sorted(archive.glob(f"*/*-{key.digest[:8]}"), key=lambda path: path.name, reverse=True):
        if force or not is_report(folder):
            continue
        try:
            manifest = read_manifest(folder)
        except ArchiveError as error:
            found = Reason("output damaged", f"{folder.name}: {error.problem}")
            continue
        if manifest.get("key") != key.digest:
            continue
        found = _not_good(folder, manifest, stamps, loaded.base)
        if found is None:
            stamps.save()
            return Look(key, _outcome(folder, manifest), None)
        break
    stamps.save()
    return Look(key, None, found or _why(archive / folder_name(run), key))


def stamps_of(archive: Path, run: str) -> Stamps:
    """Return the remembered sums of the files that reports of a run are made from, and made of."""
    return Stamps(archive / STORE / "stamps" / f"{folder_name(run)}.json")


def key_of(loaded: Loaded, stamps: Stamps, complete: Collection[Path] | None = None) -> Key:
    """Return the key of a report: every file it may depend on, every option but where it is computed, all software."""
    sources = sources_of(loaded.config, loaded.base, stamps.sha256, complete)
    parts = {f"input {name}": found for name, found in sources.items()}
    config = loaded.config.model_dump(mode="json", exclude={"engine"})
    parts |= {f"config {name}": value for name, value in _options(config)}
    return Key(parts | makers("drawing"))


def parts_of(folder: Path) -> dict[str, str]:
    """Return the parts of a report's key, none where it has none that can be read."""
    have(folder / PROVENANCE)
    try:
        parts = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))["parts"]
        return {str(name): str(value) for name, value in parts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _options(values: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every option of a configuration by its dotted name."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from _options(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, json.dumps(values, sort_keys=True, ensure_ascii=False)


def _not_good(folder: Path, manifest: Mapping[str, Any], stamps: Stamps, base: Path) -> Reason | None:
    """Return why a report made from the same does not do, None where it does."""
    for failure in manifest["failures"]:
        if failure.get("passing"):  # nothing in its inputs says that it must happen again
            return Reason("missing", f"{failure['name']}: {failure['problem']}")
    for name, known in manifest["files"].items():
        if not (folder / name).exists() and size_there(folder / name) == known.get("size"):
            continue  # on another machine, as listed
        try:
            if stamps.sha256(folder / name) != known["sha256"]:
                return Reason("output damaged", f"{folder.name}/{name} is not what was written")
        except OSError as error:
            return Reason("output damaged", f"{folder.name}/{name}: {error.strerror}")
    if "DIRTY TREE" in manifest["banners"] and not git_state(base)[1]:
        return Reason("input changed", "the repository has no uncommitted changes any more")
    return None


def _why(home: Path, key: Key) -> Reason:
    """Return what changed since the newest report of the run."""
    newest = [folder for folder in sorted(home.glob("*"), reverse=True) if is_report(folder)][:1]
    if not newest:
        return Reason("missing", "there is no report of this run yet")
    parts = parts_of(newest[0])
    if not parts:
        return Reason("version changed", "the newest report does not say what it is made from")
    return difference(parts, key.parts) or Reason("missing", "there is no report of this any more")


def _outcome(folder: Path, manifest: Mapping[str, Any]) -> Outcome:
    gates: tuple[Any, ...] = ()
    if manifest["gates"]:
        from reportgen.report.gates import Gate  # a large import, for those who have to read it

        gates = tuple(Gate(**gate) for gate in manifest["gates"])
    counts = manifest["made"]
    made = {kind: tuple(counts[kind]) for kind in ("checkpoint", "probe", "section", "format") if kind in counts}
    names = ("report.pdf", "report.html", "report.json")
    files = tuple(folder / name for name in names if name in manifest["files"])
    return Outcome(folder, files, tuple(Failure(**f) for f in manifest["failures"]), made, gates, unchanged=True)
