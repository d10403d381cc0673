"""The commands that look at a configuration and write nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.cli.answer import Answer
from reportgen.errors import ConfigError, NothingToReport, ReportgenError
from reportgen.places import named, url_of

if TYPE_CHECKING:
    from reportgen.config import Loaded

SIGNATURES = (b"PK\x03\x04", b"\x89HDF\r\n\x1a\n")
"""How files that may hold weights begin."""


def show_configuration(file: Path, sets: Sequence[str], *, origin: bool) -> Answer:
    """Return the resolved configuration; with `origin` one option a line and what set it."""
    from reportgen.config import load, resolved_yaml

    loaded = load(file, sets=sets, environ=os.environ)
    values = loaded.config.model_dump(mode="json")
    if not origin:
        return Answer((resolved_yaml(loaded.config).removesuffix("\n"),), {"config": values})
    lines = []
    for key, source in loaded.origins.items():
        value = values
        for part in key.split("."):
            value = value[part]
        lines.append(f"{key}: {_one_line(value)}  # {source}")
    return Answer(tuple(lines), {"config": values, "origins": loaded.origins})


def check_configuration(file: Path, sets: Sequence[str]) -> Answer:
    """Check everything about a configuration that can be known without reading pixels or weights."""
    from reportgen.archive.unchanged import bring
    from reportgen.config import load

    loaded = load(file, sets=sets, environ=os.environ)
    bring(loaded)
    found: dict[str, str] = {}
    wrong: list[ReportgenError] = []
    parts: tuple[tuple[str, Callable[[Loaded], str]], ...] = (
        ("run", _run), ("probes", _probes), ("sections", _sections), ("looks", _looks), ("archive", _archive)
    )  # fmt: skip
    for name, look in parts:
        try:
            if words := look(loaded):
                found[name] = words
        except ReportgenError as error:
            wrong.append(error)
    if wrong:
        raise _together(file, wrong)
    lines = (f"{file} is in order", *(f"  {name:<10}{words}" for name, words in found.items()))
    return Answer(lines, {"config": str(file), **found})


def _run(loaded: Loaded) -> str:
    run = loaded.config.run
    path = loaded.base / run.path
    files = list(_candidates(path, run.checkpoints))
    if not files:
        raise NothingToReport(
            "no file here looks like a checkpoint",
            where=str(run.path),
            expected="Keras files (.keras, HDF5) that match run.checkpoints",
            received=f"nothing that matches {', '.join(run.checkpoints)}",
            advice="See run.path and run.checkpoints.",
        )
    count = "1 file that looks" if len(files) == 1 else f"{len(files)} files that look"
    return f"{run.name or path.resolve().name}: {count} like a checkpoint in {named(run.path)}"


def _candidates(path: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """Yield the files that a run will look into; what they hold is not read."""
    from reportgen.checkpoints.kinds import looks_meant
    from reportgen.checkpoints.walk import is_saved_model, walk

    index = path.with_name(f"{path.name}.index")
    if path.is_file() or is_saved_model(path) or index.is_file():
        found = [path if path.exists() else index]
    else:
        found = [entry.path for entry in walk(path, patterns) if entry.kind in ("file", "model folder")]
    for file in found:
        if file.is_dir() or looks_meant(file.name):
            if ".data-0" not in file.name:
                yield file
            continue
        with file.open("rb") as opened:
            if opened.read(8).startswith(SIGNATURES):
                yield file


def _probes(loaded: Loaded) -> str:
    from reportgen.probes.catalogue import read_catalogue

    probes = loaded.config.probes
    count, alone = _count_files(probes.images, loaded.base, "probes.images")
    for name, source in probes.inputs.items():
        if source.images is not None:
            where = f"probes.inputs.{name}.images"
            others, single = _count_files(source.images, loaded.base, where)
            if alone and single and others != count:
                raise ConfigError(
                    "there is not one picture a probe", where=where, expected=f"{count} files", received=f"{others}"
                )
    words = f"{count} image file{'s' if count > 1 else ''}{' a band' if isinstance(probes.images, dict) else ''}"
    words += f", inputs {', '.join(probes.inputs)}" if probes.inputs else ""
    if probes.catalogue is None:
        return f"{words}, no catalogue"
    catalogue = read_catalogue(probes.catalogue, probes, loaded.base)
    return f"{words}, {len(catalogue.rows)} rows in {named(probes.catalogue)}"


def _count_files(images: tuple[str, ...] | dict[str, tuple[str, ...]], base: Path, where: str) -> tuple[int, bool]:
    """Return the number of files (of each band) and whether their names promise one image a file."""
    from reportgen.probes.files import find_files

    lists = images if isinstance(images, dict) else {"": images}
    counts, alone = {}, True
    for band, patterns in lists.items():
        files = find_files(patterns, base)
        for error in (file for file in files if isinstance(file, ReportgenError)):
            raise ConfigError(
                error.problem,
                where=error.where,
                expected=error.expected,
                received=error.received,
                advice=error.advice,
            )
        counts[band] = len(files)
        alone = alone and all(isinstance(f, Path) and f.suffix.lower() in {".png", ".jpg", ".jpeg"} for f in files)
    if len(set(counts.values())) > 1:
        raise ConfigError(
            "the bands have different numbers of files",
            where=where,
            expected="one file a galaxy in each band",
            received=", ".join(f"{band}: {count}" for band, count in counts.items()),
        )
    return next(iter(counts.values())), alone


def _sections(loaded: Loaded) -> str:
    sections = loaded.config.sections
    if any(section.options for section in sections):  # without options there is nothing to import the sections for
        from reportgen.sections import check_options

        check_options(sections)
    return ", ".join(section.id for section in sections)


def _looks(loaded: Loaded) -> str:
    own = [name for name, value in loaded.config.theme.model_dump().items() if value]
    if loaded.config.templates is not None:
        from reportgen.report.look import check_look

        check_look(loaded.config, loaded.base)
        own.append("templates")
    return f"your own {', '.join(own)}" if own else ""


def _archive(loaded: Loaded) -> str:
    written = loaded.config.archive
    if url := url_of(written):
        return url  # it was listed
    there = loaded.base / written
    if there.exists() and not there.is_dir():
        raise ConfigError("the archive must be a folder", where=str(written), received="a file")
    nearest = next(folder for folder in (there, *there.absolute().parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        raise ConfigError("the archive cannot be written", where=str(written), received="no right to write there")
    return f"{written}{'' if there.exists() else ' (will be made)'}"


def _together(file: Path, errors: Sequence[ReportgenError]) -> ReportgenError:
    """Return one error for several; nothing to report on counts less than a wrong configuration."""
    from reportgen.config import Problem, WrongConfig

    if len(errors) == 1:
        return errors[0]
    problems: list[Problem] = []
    for error in errors:
        if isinstance(error, WrongConfig):
            problems += error.problems
            continue
        told = {"expected ": error.expected, "received ": error.received}
        words = [error.problem, *(title + words for title, words in told.items() if words)]
        problems.append(Problem(error.where, "", "; ".join(words), error.advice))
    return WrongConfig(str(file), problems)


def _one_line(value: object) -> str:
    import yaml

    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6).removesuffix("...\n").strip()
