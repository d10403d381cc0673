"""The whole configuration file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportgen.checkpoints.run import Run
from reportgen.config import CHOOSE
from reportgen.errors import ConfigError
from reportgen.starter.columns import Columns, find_catalogue
from reportgen.starter.draft import Draft
from reportgen.starter.images import Images, look_at_images, relative
from reportgen.starter.inputs import draft_inputs
from reportgen.starter.meaning import draft_task
from reportgen.starter.network import Network, read_run, shape_in_words
from reportgen.starter.preparation import draft_preparation


def write_configuration(
    run: Path, probes: Sequence[str], file: Path, *, force: bool = False
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Look at a run and at images, write the configuration, and return what to tell the user, and scripts.

    Raises ConfigError where the file is there already, or no image can be read, and
    NothingToReport where there is no checkpoint.
    """
    if file.exists() and not force:
        raise ConfigError("the file is already there", where=str(file), advice="Give another with -o, or use --force.")
    base = file.parent
    found, network = read_run(run)
    images = look_at_images(probes, base)
    catalogue, near = find_catalogue(images.files)
    draft = Draft()
    draft.lines += [
        "# Written by `reportgen init`. What it guessed is marked `# guessed:`. Where it says",
        f"# {CHOOSE}, only you know: put one of the lines shown there in place of the line with {CHOOSE}.",
        "# Paths are relative to this file.",
        "# Every option there is: configs/example.yaml of reportgen; for editors: `reportgen config schema`.",
    ]
    draft.given("version", 1)
    draft.blank()
    _draft_run(draft, found, network, relative(run, base))
    draft.blank()
    _draft_probes(draft, images, catalogue, near, base)
    draft_preparation(draft, images, network)
    if network and len(network.inputs) > 1:
        draft_inputs(draft, network, catalogue)
    draft.blank()
    labels = (catalogue.labels if catalogue else ()) or images.labels
    targets = images.targets or bool(catalogue and "target" in catalogue.meaning)
    draft_task(draft, network, labels, targets)
    draft.blank()
    draft.given("archive", "reports", "folder the reports are filed in")
    base.mkdir(parents=True, exist_ok=True)
    file.write_text(draft.text(), "utf-8")
    return _told(draft, file)


def _draft_run(draft: Draft, run: Run, network: Network | None, path: str) -> None:
    draft.given("run.path", path)
    names = [checkpoint.file for checkpoint in run.checkpoints]
    if len(names) > 1:
        draft.note("run.checkpoints", f"{len(names)} checkpoints, in this order: {names[0]} … {names[-1]}")
    for failure in run.failures:
        draft.note("run.checkpoints", f"cannot be used: {failure.name}: {failure.problem}")
    if run.history:
        draft.note("run.history", f"{run.history.file}, with {', '.join(run.history.columns)}")
    if network is None:
        draft.note("run.path", "No checkpoint here says what its network is: it holds weights alone.")
    else:
        shape = " and ".join(
            (f"{name} " if len(network.inputs) > 1 else "") + shape_in_words(shape)
            for name, shape in network.inputs.items()
        )
        units = f"{network.units or 'unknown'} × {network.activation or 'unknown activation'}"
        loss = f", loss {network.loss}" if network.loss else ""
        draft.note("run.path", f"{network.file}: input {shape}, output {units}{loss}")


def _draft_probes(draft: Draft, images: Images, catalogue: Columns | None, near: Sequence[Path], base: Path) -> None:
    patterns = images.patterns
    draft.given("probes.images", patterns[0] if len(patterns) == 1 else list(patterns))
    height, width, bands = images.shapes[0]
    more = f", and {len(images.shapes) - 1} other sizes" if len(images.shapes) > 1 else ""
    draft.note(
        "probes.images",
        f"{len(images.files)} file{'s' if len(images.files) > 1 else ''}; {height} × {width} pixels, {bands} "
        f"band{'s' if bands > 1 else ''}, {images.dtype} from {images.low:.4g} to {images.high:.4g}{more}",
    )
    if images.hdus == "galaxies":
        draft.guess("probes.fits.hdus", "galaxies", "the HDUs have different sizes")
    if catalogue is None:
        said = f"not clear which of {', '.join(file.name for file in near)}" if near else "no CSV beside the images"
        draft.note("probes.catalogue", f"catalogue: probes.csv  # ids, labels, targets; {said}")
        return
    draft.guess(
        "probes.catalogue",
        relative(catalogue.file, base),
        f"the CSV beside the images, {catalogue.rows} rows",
    )
    for option, (column, why) in catalogue.meaning.items():
        draft.guess(f"probes.columns.{option}", column, why)
    free = [name for name in catalogue.header if name not in {column for column, _ in catalogue.meaning.values()}]
    if free:
        draft.note("probes.columns", f"kept as free metadata: {', '.join(free)}")


def _told(draft: Draft, file: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
    lines = [f"wrote {file}"]
    lines += ["", "guessed:", *(f"  {guess}" for guess in draft.guessed)] if draft.guessed else []
    lines += ["", "for you to choose, in the file:", *(f"  {choice}" for choice in draft.open)] if draft.open else []
    lines += ["", f"then: reportgen check {file}"]
    return tuple(lines), {"file": str(file), "guessed": draft.guessed, "choose": draft.open}
