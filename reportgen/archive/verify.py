"""Whether reports are still what they were when they were filed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from reportgen.archive.find import comparisons_of, reports_of
from reportgen.archive.inputs import State, state_of, states
from reportgen.archive.manifest import NAME, read_manifest
from reportgen.archive.store import is_report
from reportgen.errors import ArchiveError, ConfigError
from reportgen.remote import have


@dataclass(frozen=True)
class Verified:
    """One report, file by file."""

    folder: Path
    files: dict[str, str]
    """unchanged, changed, missing, extra, or not checked: it cannot be read."""
    inputs: tuple[tuple[str, str, State], ...]
    """Kind, name and state of each."""
    problem: str = ""
    """Why nothing could be verified: the manifest is damaged."""

    @property
    def whole(self) -> bool:
        """Whether the report is what was filed, whatever became of its inputs."""
        return not self.problem and set(self.files.values()) <= {"unchanged"}

    @property
    def repeatable(self) -> bool:
        """Whether every input is still there as it was."""
        return all(state == "unchanged" for _, _, state in self.inputs)

    @property
    def counts(self) -> dict[str, int]:
        """How many files are in which state."""
        return dict(Counter(self.files.values()))


def verify(place: Path) -> list[Verified]:
    """Verify a report, or every report and comparison of an archive; raise ConfigError where there is none."""
    if is_report(place):
        return [verify_report(place)]
    folders = [*reports_of(place), *comparisons_of(place)]
    if not folders:
        raise ConfigError(
            "there is no report here", where=str(place), expected="a report, or an archive with reports in it",
            received="an empty folder" if place.is_dir() and not any(place.iterdir()) else "no manifest.json in it",
        )  # fmt: skip
    return [verify_report(folder) for folder in folders]


def verify_report(folder: Path) -> Verified:
    """Hold every file of a report, and every input, against the manifest."""
    have(folder)
    try:
        manifest = read_manifest(folder)
    except ArchiveError as error:
        return Verified(folder, {}, (), f"{error.problem}: {error.received}")
    found: dict[str, str] = {}
    for name, about in manifest["files"].items():
        state = state_of(folder / name, about)
        found[name] = "missing" if state == "gone" else state
    there = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if not path.is_dir())
    found |= dict.fromkeys((name for name in there if name != NAME and name not in found), "extra")
    return Verified(folder, found, tuple(states(folder, manifest)))
