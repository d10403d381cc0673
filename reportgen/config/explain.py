"""What pydantic found wrong, in words for the person who wrote the file."""

from __future__ import annotations

from pydantic_core import ErrorDetails, ValidationError

from reportgen.config.model import SECTION_IDS, Config
from reportgen.config.names import all_options, group_at
from reportgen.config.positions import Document, Key, Value, dotted
from reportgen.config.problems import Problem
from reportgen.config.suggest import did_you_mean, nearest

EXPECTED = {
    "string_type": "text", "path_type": "a path",
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "float_parsing": "a number",
    "bool_type": "true or false", "bool_parsing": "true or false",
    "tuple_type": "a list", "list_type": "a list",
    "dict_type": "a group of options", "model_type": "a group of options",
}  # fmt: skip
"""pydantic's types of error that mean: this kind of value was expected."""


def explain(error: ValidationError, document: Document) -> list[Problem]:
    """Return one problem for each place that is wrong, in the order of the file."""
    found: dict[Key, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        found.setdefault(place(detail["loc"], document.value, detail["type"]), []).append(detail)
    # Of the alternatives of a union the one that got further is the one that was meant.
    outer = {key for key in found for other in found if len(other) > len(key) and other[: len(key)] == key}
    return [_problem(key, found[key], document) for key in found if key not in outer]


def place(loc: tuple[int | str, ...], value: Value, kind: str) -> Key:
    """Turn pydantic's way to an error, which names unions and types, too, into the way through the file."""
    key: list[int | str] = []
    for i, part in enumerate(loc):
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif kind == "missing" and i == len(loc) - 1 and isinstance(value, dict):
            value = None
        else:
            continue
        key.append(part)
    return tuple(key)


def _problem(key: Key, details: list[ErrorDetails], document: Document) -> Problem:
    first, name = details[0], str(key[-1]) if key else ""
    if first["type"] == "extra_forbidden":
        where = document.keys.get(key, document.spot(key))
        return Problem(str(where), dotted(key), "unknown option", _elsewhere(key, name))
    if first["type"] == "missing" and key not in document.spots and isinstance(first["loc"][-1], str):
        group = key[:-1]
        where = document.keys.get(group, document.spot(group))
        return Problem(str(where), dotted(key), "required, and not there")
    words = " or ".join(dict.fromkeys(_expectation(detail) for detail in details))
    received = _received(key, document)
    if all(detail["type"] != "value_error" for detail in details):
        words = f"expected {words}; received {received}" if received else f"expected {words}"
    return Problem(str(document.spot(key)), dotted(key), words, _advice(key, details, document))


def _expectation(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        choices = context["expected"].replace("'", "")
        return f"one of {choices}" if " or " in choices else choices
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if kind in ("too_long", "too_short", "missing"):
        return f"{context['max_length']} values" if kind == "too_long" else "more values"
    message = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return EXPECTED.get(kind, message)


def _received(key: Key, document: Document) -> str:
    spot = document.spots.get(key)
    if spot is None:
        return ""
    value = document.value
    for part in key:
        value = value[part]
    if spot.text is not None:
        return spot.text or "an empty text"
    kinds = {list: "a list", dict: "a group of options", type(None): "nothing"}
    return kinds.get(type(value), str(value))


def _advice(key: Key, details: list[ErrorDetails], document: Document) -> str:
    spot = document.spots.get(key)
    kinds = {detail["type"] for detail in details}
    if spot and spot.text and "tuple_type" in kinds and not kinds - {"tuple_type", "dict_type"}:
        return f"write [{spot.text}]"
    if spot and spot.text and "literal_error" in kinds:
        choices = [d.get("ctx", {}).get("expected", "").replace(" or ", ", ") for d in details]
        return did_you_mean(spot.text, [c.strip("' ") for text in choices for c in text.split(", ")])
    return ""


def _elsewhere(key: Key, name: str) -> str:
    """Suggest an option beside the unknown one, else one of the same name in another group."""
    group = group_at(Config, key[:-1])
    if group and (beside := nearest(name, group.model_fields)):
        return f"did you mean {beside}?"
    options = [option for option in all_options(Config) if len(option) > 1]
    there = nearest(name, (str(option[-1]) for option in options))
    homes = [dotted(option) for option in options if option[-1] == there]
    if homes:
        return f"did you mean {' or '.join(homes[:2])}?"
    return f"known here: {', '.join(group.model_fields)}" if group else ""


def wrong_sections(document: Document) -> list[Problem]:
    """Return a problem for each section that does not exist or stands twice."""
    problems, seen = [], set()
    sections = document.value.get("sections") if isinstance(document.value, dict) else None
    for i, section in enumerate(sections if isinstance(sections, list) else []):
        name = section.get("id") if isinstance(section, dict) else None
        if not isinstance(name, str):
            continue
        where = str(document.spot(("sections", i, "id")))
        if name not in SECTION_IDS:
            advice = did_you_mean(name, SECTION_IDS) or f"known: {', '.join(SECTION_IDS)}"
            problems.append(Problem(where, f"sections[{i}]", f"unknown section {name}", advice))
        elif name in seen:
            problems.append(Problem(where, f"sections[{i}]", f"section {name} stands twice"))
        seen.add(name)
    return problems
