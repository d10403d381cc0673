"""The JSON Schema of a configuration, for editors that complete and check while one types."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from itertools import pairwise
from typing import Any

from reportgen.config.model import SECTION_IDS, Config
from reportgen.config.options import Options


def json_schema() -> str:
    """Return the schema as text; configs/schema.json is this, and a test holds the two together.

    The models take a few shorter ways of writing that pydantic's schema does not know of: added here.
    """
    schema = Config.model_json_schema()
    groups = schema["$defs"]
    groups["SectionConfig"]["properties"]["id"] |= {"enum": list(SECTION_IDS)}
    sections = schema["properties"]["sections"]
    sections["items"] = {"anyOf": [{"enum": list(SECTION_IDS)}, sections["items"]]}
    groups["StepConfig"] |= {"minProperties": 1, "maxProperties": 1}
    for name in ("ProbesConfig", "InputConfig"):
        images = groups[name]["properties"]["images"]
        for alternative in images["anyOf"]:
            if alternative["type"] == "object":
                text = {"type": "string"}
                alternative["additionalProperties"] = {"anyOf": [text, alternative["additionalProperties"]]}
        images["anyOf"].insert(0, {"type": "string"})
    _drop_titles(schema)
    for model in Options.__subclasses__():
        group = schema if model is Config else groups.get(model.__name__, {"properties": {}})
        for name, option in group["properties"].items():
            option["description"] = _docstrings(model)[name]
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "reportgen", **schema}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _docstrings(model: type[Options]) -> dict[str, str]:
    """Return the docstring under each option of a group."""
    body = next(node for node in ast.parse(textwrap.dedent(inspect.getsource(model))).body).body  # type: ignore[attr-defined]
    return {
        option.target.id: " ".join(words.value.value.split())
        for option, words in pairwise(body)
        if isinstance(option, ast.AnnAssign) and isinstance(option.target, ast.Name)
        and isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant) and isinstance(words.value.value, str)
    }  # fmt: skip


def _drop_titles(schema: dict[str, Any]) -> None:
    """Remove pydantic's titles, which only repeat the names of the options."""
    for name, part in list(schema.items()):
        if name == "title" and isinstance(part, str):
            del schema[name]
        elif name == "properties":
            for option in part.values():
                _drop_titles(option)
        elif name == "$defs":
            for group in part.values():
                _drop_titles(group)
        elif isinstance(part, dict):
            _drop_titles(part)
        elif isinstance(part, list):
            for item in part:
                if isinstance(item, dict):
                    _drop_titles(item)
