"""How a configuration is resolved and shown, and what the shipped example and schema promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from reportgen.config import WrongConfig, resolved_yaml
from reportgen.config.model import Config
from reportgen.config.names import all_options
from reportgen.config.probes import InputConfig, StepConfig
from reportgen.config.schema import json_schema
from test_config import MINIMAL, folder, loaded  # noqa: F401

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def test_the_resolved_configuration_reads_back_as_itself(folder: Path) -> None:
    text = MINIMAL.replace("*.png", "*.png, prepare: {steps: [{scale: 1e-5}, {standardise: band}]}")
    first = loaded(folder, text + "sections: [summary, {id: kernels, options: {most: 3}}]\n")
    again = loaded(folder, resolved_yaml(first.config))
    assert again.config == first.config
    assert resolved_yaml(again.config) == resolved_yaml(first.config)
    assert str(folder) not in resolved_yaml(first.config)
    # The usual names of columns are left out: a catalogue must have each column that is named.
    assert all(key.startswith("probes.columns.") for key, origin in again.origins.items() if origin == "default")


def test_the_example_shows_every_option_and_is_right(folder: Path) -> None:
    text = (CONFIGS / "example.yaml").read_text("utf-8")
    (folder / "configs" / "probes").mkdir(parents=True)
    (folder / "configs" / "init").mkdir()
    (folder / "runs" / "mine").mkdir(parents=True)
    (folder / "training").mkdir()
    (folder / "configs" / "templates").mkdir()
    for file in (
        "configs/probes/a.png", "configs/init/a.png", "configs/probes/probes.csv", "runs/mine/history.csv",
        "training/model.py", "configs/logo.svg", "configs/MySans.ttf",
    ):  # fmt: skip
        (folder / file).write_text("")
    result = loaded(folder / "configs", text)
    values = yaml.safe_load(text)
    for option in all_options(Config):
        here = values
        for part in option:
            assert part in here, option
            here = here[part]
    assert {name for step in values["probes"]["prepare"]["steps"] for name in step} == set(StepConfig.model_fields)
    shown = {name for source in values["probes"]["inputs"].values() for name in source}
    assert shown | {"scale"} == set(InputConfig.model_fields) and "scale: 0.01" in text
    assert all(section.id for section in result.config.sections)


@pytest.mark.parametrize(
    ("written", "told"),
    [("model.py", "expected path/to/file.py:function"), ("nets/model.py:build", "no such file: nets/model.py")],
)
def test_the_users_own_code_is_a_file_and_a_function(folder: Path, written: str, told: str) -> None:
    with pytest.raises(WrongConfig, match=r"run\.model") as error:
        loaded(folder, MINIMAL.replace("run: {", f"run: {{model: '{written}', "))
    assert told in str(error.value)


def test_the_defaults_named_in_the_example_are_the_defaults(folder: Path) -> None:
    """What the example does not call `by default …`, likewise or optional, stands there with its default."""
    text = (CONFIGS / "example.yaml").read_text("utf-8")
    values = yaml.safe_load(text)
    minimal = loaded(folder, MINIMAL).config.model_dump(mode="json")
    free = {line.split(":")[0].strip() for line in text.splitlines() if re.search("by default|likewise", line)}
    for option in all_options(Config):
        mine, default = values, minimal
        for part in option:
            mine, default = mine[part], default[part]
        if isinstance(default, dict) or option in {("run", "path"), ("probes", "images"), ("sections",)}:
            continue
        assert mine == default or option[-1] in free, option


def test_the_shipped_schema_is_current() -> None:
    """Remedy: reportgen config schema > configs/schema.json."""
    assert (CONFIGS / "schema.json").read_text("utf-8") == json_schema()
