"""A configuration file, the environment and the command line in; one checked configuration out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from reportgen.config.explain import explain, place, wrong_sections
from reportgen.config.files import missing_files
from reportgen.config.model import Config
from reportgen.config.names import group_at
from reportgen.config.origins import origins
from reportgen.config.overrides import lay_environment, lay_flags
from reportgen.config.positions import Document, Key, dotted, read_yaml
from reportgen.config.problems import Problem, WrongConfig

CHOOSE = "CHOOSE"
"""What `reportgen init` writes where only the user can know; a configuration that still holds it is wrong."""
MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Loaded:
    """A checked configuration, and where it came from."""

    config: Config
    file: Path
    """As the user named it."""
    base: Path
    """Folder of the file; relative paths of the configuration start here."""
    origins: dict[str, str]
    """For each option, dotted, what set it: default, `file:line`, an environment variable or a flag."""


def load(file: Path, *, sets: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> Loaded:
    """Read and check a configuration: defaults < the file < REPORTGEN_ variables < `key.sub=value`.

    `environ` is the environment to read; None is an empty one. Raises WrongConfig, which holds everything
    that is wrong, not the first thing only.
    """
    file = Path(file)
    document, problems = read_yaml(_text(file), str(file))
    if document.value is None and not problems:
        problems = [Problem(str(file), "", "the file is empty; see `reportgen init`")]
    elif not isinstance(document.value, dict) and not problems:
        problems = [Problem(str(document.spot(())), "", "expected options (key: value) at the top of the file")]
    if not isinstance(document.value, dict):
        raise WrongConfig(str(file), problems)
    _tidy(document)
    problems += lay_environment(document, environ or {})
    problems += lay_flags(document, sets)
    _tidy(document)  # the layers may bring bare ids and empty groups, too
    problems += _unchosen(document)
    problems += wrong_sections(document)
    problems += missing_files(document, file.parent)
    config, wrong = _validate(document)
    told = [problem.key for problem in problems if problem.key]
    problems += [problem for problem in wrong if not any(key.startswith(problem.key or "/") for key in told)]
    if problems or config is None:
        raise WrongConfig(str(file), sorted(problems, key=_reading_order))
    return Loaded(config, file, file.parent, origins(config, document))


def resolved_yaml(config: Config) -> str:
    """Write the whole configuration as YAML, every default included, paths as they were given.

    Only the usual names of columns are left out: a catalogue must have each column that is named.
    """
    values = config.model_dump(mode="json")
    probes = values["probes"]
    usual = type(config.probes.columns)().model_dump(mode="json")
    probes["columns"] = {name: column for name, column in probes["columns"].items() if column != usual[name]}
    probes["inputs"] = {name: _given(source) for name, source in probes["inputs"].items()}
    for prepare in (probes["prepare"], *(s["prepare"] for s in probes["inputs"].values() if "prepare" in s)):
        prepare["steps"] = [_given(step) for step in prepare["steps"]]
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the options that have a value, of a group in which exactly one does."""
    return {name: value for name, value in values.items() if value is not None}


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        words = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise WrongConfig(str(file), [Problem(str(file), "", words)]) from error
    if len(data) > MAX_BYTES:
        raise WrongConfig(str(file), [Problem(str(file), "", f"{len(data)} bytes are no configuration file")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        words = "not UTF-8 text; save the file as UTF-8"
        raise WrongConfig(str(file), [Problem(f"{file}:{line}", "", words)]) from error


def _tidy(document: Document) -> None:
    """Read a group with nothing in it as the group's defaults, and a section's bare id as {id}."""

    def visit(values: dict[str, Any], key: Key) -> None:
        for name in list(values):
            if group_at(Config, (*key, name)):
                if values[name] is None:
                    values[name] = {}
                elif isinstance(values[name], dict):
                    visit(values[name], (*key, name))

    visit(document.value, ())
    sections = document.value.get("sections")
    if isinstance(sections, list):
        document.value["sections"] = [{"id": item} if isinstance(item, str) else item for item in sections]


def _unchosen(document: Document) -> list[Problem]:
    """Return a problem for each value still left to be chosen."""
    words = "still to be chosen: the comments above it say between what"
    return [
        Problem(str(spot), dotted(key), words)
        for key, spot in document.spots.items()
        if spot.text is not None and spot.text.strip() == CHOOSE
    ]


def _validate(document: Document) -> tuple[Config | None, list[Problem]]:
    """Check the document against the models; where text is expected, 0030, no or 2020-04-07 are that text."""
    try:
        return Config.model_validate(document.value), []
    except ValidationError as error:
        written = [
            place(detail["loc"], document.value, detail["type"])
            for detail in error.errors(include_url=False)
            if detail["type"] in ("string_type", "path_type")
        ]
        changed = [_take_as_written(document, key) for key in written]
        if not any(changed):
            return None, explain(error, document)
    try:
        return Config.model_validate(document.value), []
    except ValidationError as error:
        return None, explain(error, document)


def _take_as_written(document: Document, key: Key) -> bool:
    """Replace a number, date or yes/no by the text it was written as; False where there is none."""
    spot = document.spots.get(key)
    if spot is None or spot.text is None:
        return False
    parent = document.value
    for part in key[:-1]:
        parent = parent[part]
    parent[key[-1]] = spot.text
    return True


def _reading_order(problem: Problem) -> tuple[str, int, int]:
    """Sort problems as they stand in the file, those of the environment and the flags after them."""
    source, _, rest = problem.where.partition(":")
    numbers = [int(part) if part.isdecimal() else 0 for part in rest.split(":")]
    in_file = len(numbers) > 0 and bool(rest)
    return (
        "" if in_file else source or "~",
        numbers[0] if numbers else 0,
        numbers[1] if len(numbers) > 1 else 0,
    )
