"""Templates: where they are, and the few things they may call."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from reportgen.errors import ReportgenError, harmless, printable

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment

HERE = Path(__file__).resolve().parent
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def resource_folder(name: str) -> Path:
    """Return the folder `templates` or `configs`: inside the package when installed, beside it in a checkout."""
    for folder in (HERE / name, HERE.parent / name):
        if folder.is_dir():
            return folder
    raise ReportgenError(
        f"the folder {name} of reportgen is missing", where=str(HERE), advice="install reportgen again"
    )


def template_names() -> tuple[str, ...]:
    """Return the names of all templates, as own ones have to be called."""
    folder = resource_folder("templates")
    return tuple(sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*") if p.suffix != ".yaml"))


@cache
def verdict_words() -> Mapping[str, Mapping[str, str]]:
    """Return title, meaning, remedy and source of each verdict, by id: the one place of HTML, PDF and JSON."""
    import yaml

    text = (resource_folder("templates") / "verdicts.yaml").read_text(encoding="utf-8")
    return {
        id: {key: " ".join(words.split()) for key, words in row.items()} for id, row in yaml.safe_load(text).items()
    }


FAMILY_COLOURS = {
    "convolution": "#0b6e99", "pooling": "#c8a45d", "dense": "#6a8532", "normalisation": "#9aa7b8",
    "input": "#33415c", "other": "#c9d1dc",
}  # fmt: skip
"""Colours of the boxes of a diagram; the words under each box say the same."""


def environment(own: Path | None = None, **variables: Any) -> Environment:
    """Return the environment every page is rendered in; `variables` are known to all templates and macros.

    A template in the folder `own` takes the place of the one of the same name, which it can still extend or include
    as reportgen/NAME.
    """
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

    ours = FileSystemLoader(resource_folder("templates"))
    theirs = [FileSystemLoader(own)] if own else []
    made = Environment(
        loader=ChoiceLoader([*theirs, ours, PrefixLoader({"reportgen": ours})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=_compiled(),
    )
    made.filters.update(FILTERS)
    plain: dict[str, Any] = {"SHARED": {}, "logo": None, "theme": None, "font": "", "spells": False}
    made.globals.update(plain | variables, FAMILY=FAMILY_COLOURS, VERDICTS=verdict_words())
    return made


@cache
def _compiled() -> BytecodeCache:
    """Return the one memory of compiled templates: every skin and page has an environment of its own."""
    from jinja2 import BytecodeCache
    from jinja2.bccache import Bucket

    class Memory(BytecodeCache):
        def __init__(self) -> None:
            self.known: dict[str, bytes] = {}

        def load_bytecode(self, bucket: Bucket) -> None:
            if known := self.known.get(f"{bucket.key} {bucket.checksum}"):
                bucket.bytecode_from_string(known)

        def dump_bytecode(self, bucket: Bucket) -> None:
            self.known[f"{bucket.key} {bucket.checksum}"] = bucket.bytecode_to_string()

    return Memory()


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with so many significant digits, thousands apart, and a true minus; – for none."""
    if value is None:
        return "–"
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 1e6):
        return f"{int(value):,}".replace(",", "\u2009").replace("-", "−")
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 6:
        text = f"{value:,.{max(0, digits - 1 - size)}f}".replace(",", "\u2009")
    else:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{mantissa} × 10{str(int(exponent)).translate(RAISED)}"
    return text.replace("-", "−")


def fixed(value: float | None, digits: int = 2) -> str:
    """Return a number with so many decimals, for columns; – for none."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def percent(value: float | None) -> str:
    """Return a fraction as a percentage without decimals; – for none."""
    return "–" if value is None else f"{100 * value:.0f} %"


def size(count: int | None) -> str:
    """Return a number of bytes in kB, MB or GB of a thousand."""
    if count is None:
        return "–"
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{number(count / step)} {unit}"
    return f"{count} bytes"


def shape(values: tuple[int | None, ...]) -> str:
    """Return 89 × 89 × 16; a size that is not fixed is a question mark."""
    return " × ".join("?" if v is None else str(v) for v in values)


def short(digest: str) -> str:
    """Return the first twelve digits of a hash."""
    return digest[:12]


def css(text: str) -> str:
    """Return text that is safe inside a string of a style sheet: everything but letters, digits and spaces escaped."""
    return Markup("".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text))  # noqa: S704


def tiles(found: Iterable[Any]) -> str:
    """Return the maps of a picture for a script: JSON of [name, minimum, maximum], numbers in words."""
    rows = [[printable(t.name, 60), *("" if v is None else number(v) for v in (t.low, t.high))] for t in found]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def compact(text: str) -> str:
    """Return YAML with short lists and mappings on one line each, for paper."""
    import yaml

    known = yaml.safe_load(text)
    return yaml.safe_dump(known, default_flow_style=None, sort_keys=False, allow_unicode=True, width=46)


def evenly(values: Sequence[Any], most: int) -> Sequence[Any]:
    """Return at most `most` of the values, evenly over them, the first and the last always."""
    if len(values) <= most:
        return values
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def integrity(text: str) -> str:
    """Return the hash by which a content security policy allows this script and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "number": number, "fixed": fixed, "percent": percent, "size": size, "shape": shape, "short": short,
    "printable": printable, "harmless": harmless, "css": css, "tiles": tiles,
    "integrity": integrity, "evenly": evenly, "compact": compact,
}  # fmt: skip
