"""What the environment and the command line lay over a configuration file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reportgen.config.model import Config
from reportgen.config.names import PREFIX, all_options, group_at, variable
from reportgen.config.positions import Document, Key, Spot, Value, dotted, read_yaml
from reportgen.config.problems import Problem
from reportgen.config.suggest import did_you_mean


def lay_environment(document: Document, environ: Mapping[str, str]) -> list[Problem]:
    """Set what the variables REPORTGEN_… say; an unknown one is a problem."""
    problems = []
    known = {variable(key): key for key in all_options(Config)}
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        key = known.get(name) or _below(name)
        if key is None:
            problems.append(Problem(name, "", "unknown environment variable", did_you_mean(name, known)))
        else:
            problems += _lay(document, key, environ[name], name)
    return problems


def lay_flags(document: Document, sets: Sequence[str]) -> list[Problem]:
    """Set what `--set key.sub=value` says."""
    problems = []
    for given in sets:
        name, equals, value = given.partition("=")
        parts = name.strip().replace("[", ".").replace("]", "").split(".")
        if not equals or not all(parts):
            problems.append(Problem(f"--set {given}", "", "not of the form key.sub=value"))
            continue
        key = tuple(int(part) if part.isdecimal() else part for part in parts)
        problems += _lay(document, key, value, f"--set {name.strip()}")
    return problems


def _below(name: str) -> Key | None:
    """Read a variable that reaches into something without named options: a band, or an item of a list."""
    parts = name.removeprefix(PREFIX).lower().split("__")
    key = tuple(int(part) if part.isdecimal() else part for part in parts)
    named = next((i for i, part in enumerate(key) if isinstance(part, int)), len(key))
    into_list = named < len(key) and key[:named] in set(all_options(Config))
    return key if into_list or key[:-1] == ("probes", "images") else None


def _lay(document: Document, key: Key, text: str, source: str) -> list[Problem]:
    """Replace the value at `key` by `text`, read as YAML, making the groups on the way."""
    laid, problems = read_yaml(text, source, inside=False)
    if problems:
        return problems
    if not isinstance(document.value, dict):
        document.value = {}
    parent: Value = document.value
    for i, part in enumerate(key):
        if isinstance(parent, list):
            number = _number(parent, part)
            if number is None:
                return [Problem(source, "", *_no_item(key[:i], parent, part))]
            key = (*key[:i], number, *key[i + 1 :])
        elif not isinstance(parent, dict):
            return [Problem(source, "", f"{dotted(key[:i])} is a value and has no options of its own")]
        if i == len(key) - 1:
            break
        here = key[: i + 1]
        if isinstance(parent, dict) and parent.get(key[i]) is None:
            fresh = _fresh(here)
            if fresh is None:
                return [Problem(source, "", f"{dotted(here)} is not set: there is nothing inside to change")]
            parent[key[i]] = fresh
            document.spots[here] = Spot(source)
        parent = parent[key[i]]
    parent[key[-1]] = laid.value
    for old in [old for old in document.spots if old[: len(key)] == key]:
        del document.spots[old]
    for place, spot in laid.spots.items():
        document.spots[(*key, *place)] = document.keys[(*key, *place)] = spot
    return []


def _number(items: list[Value], part: str | int) -> int | None:
    """Return the number of an item of a list, which may be named by its id: sections.kernels.title."""
    if isinstance(part, int):
        return part if part < len(items) else None
    ids = [item.get("id") if isinstance(item, dict) else None for item in items]
    return ids.index(part) if part in ids else None


def _no_item(key: Key, items: list[Value], part: str | int) -> tuple[str, str]:
    if isinstance(part, int):
        return f"{dotted(key)} is a list of {len(items)}; count its items from 0", ""
    ids = [str(item["id"]) for item in items if isinstance(item, dict) and "id" in item]
    return f"{dotted(key)} has no {part}", did_you_mean(part, ids)


def _fresh(key: Key) -> Value:
    """Return what an option that the file leaves out starts from, where something can be set inside it.

    A misspelt group starts empty, too: the models then say what it should have been called.
    """
    if key == ("sections",):
        return [section.model_dump() for section in Config.model_fields["sections"].default]
    group = group_at(Config, key[:-1])
    misspelt = group is not None and key[-1] not in group.model_fields
    return {} if misspelt or group_at(Config, key) or key == ("probes", "images") else None
