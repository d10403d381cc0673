"""The names of all options, for suggestions, environment variables and the schema."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, get_args, get_origin

from reportgen.config.options import Options
from reportgen.config.positions import Key

PREFIX = "REPORTGEN_"


def group_at(model: type[Options], key: Key) -> type[Options] | None:
    """Return the group of options at `key` below `model`; None for a value or where there is nothing."""
    current: Any = model
    for part in key:
        if isinstance(part, int):
            current = next(iter(get_args(current)), None) if get_origin(current) is tuple else None
        elif is_group(current) and part in current.model_fields:
            current = current.model_fields[part].annotation
            if isinstance(current, UnionType):
                current = next((choice for choice in get_args(current) if is_group(choice)), current)
        elif get_origin(current) is dict:
            current = get_args(current)[1]
        else:
            return None
    return current if is_group(current) else None


def is_group(annotation: object) -> bool:
    """Tell whether an annotation is a group of options, not a value."""
    return isinstance(annotation, type) and issubclass(annotation, Options)


def all_options(model: type[Options], key: Key = ()) -> Iterator[Key]:
    """Yield the way to every option, lists of groups left out: those have no name of their own."""
    for name, option in model.model_fields.items():
        yield (*key, name)
        if is_group(option.annotation):
            yield from all_options(option.annotation, (*key, name))  # type: ignore[arg-type]


def variable(key: Key) -> str:
    """Return the environment variable that sets an option: REPORTGEN_PROBES__PREPARE__RESIZE."""
    return PREFIX + "__".join(str(part) for part in key).upper()
