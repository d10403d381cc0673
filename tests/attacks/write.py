"""All attacks, and their folder."""

from __future__ import annotations

from pathlib import Path

from attacks import architectures, code, disk, foreign_formats, names, several_files, storage, zips
from attacks.attack import SECRET, Attack, Place

ATTACKS: dict[str, Attack] = {
    attack.file: attack
    for room in (disk, zips, storage, architectures, code, names, foreign_formats, several_files)
    for attack in room.ATTACKS
}
"""By the name of the file."""


def write_all(folder: Path, markers: Path, *, isolated: bool = True) -> dict[str, Attack]:
    """Write every attack into a run folder; `markers` is where code would leave its traces, were it run.

    Without `isolated` those are left out that need a child process under limits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    markers.mkdir(parents=True, exist_ok=True)
    foreign = folder.parent / "foreign.txt"
    foreign.write_text(f"{SECRET}\n" * 100)
    chosen = {file: attack for file, attack in ATTACKS.items() if isolated or not attack.isolated}
    for number, (file, attack) in enumerate(chosen.items()):
        attack.write(Place(folder / file, markers / f"{number:03d}", foreign))
    return chosen
