"""Weights alone borrow an architecture where it is clear which, and say what is in question where it is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import checkpoint_files as files
from checkpoint_files import look
from extractions import write_folder
from reportgen.checkpoints import find_run
from reportgen.checkpoints.borrow import LENDERS
from reportgen.checkpoints.inspection import inspect
from reportgen.checkpoints.reading import read_whole
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.config.model import RunConfig
from reportgen.errors import NetworkError
from reportgen.extraction import open_run, write_extraction
from reportgen.network import task
from reportgen.network.choose import Ways
from reportgen.report.files import write_files
from reportgen.sections import check_options


def described(activation: str = "relu", version: str = "3.15.1", name: str = "") -> str:
    """Return the description of the small network, with another activation of its first convolution or another name."""
    model = json.loads(json.dumps({**files.MODEL, "keras_version": version}))
    model["config"]["layers"][1]["config"]["activation"] = activation
    if name:
        model["config"]["name"] = name
    return json.dumps(model)


def write(folder: Path, weights: str, **lenders: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files.write_v3(folder / weights)
    for name, text in lenders.items():
        (folder / f"{name}.json").write_text(text)


def only(folder: Path) -> Checkpoint:
    (checkpoint,) = look(folder).checkpoints
    return checkpoint


@pytest.mark.parametrize("other", [described("tanh"), described(version="2.15.0")])
def test_descriptions_that_differ_are_not_chosen_from_by_chance(other: str, tmp_path: Path) -> None:
    """A tanh fits wherever a relu does, and some functions changed their meaning between Keras 2 and 3."""
    write(tmp_path, "epoch-1.weights.h5", alpha=described(), beta=other)
    checkpoint = only(tmp_path)
    assert (checkpoint.architecture, checkpoint.lender, checkpoint.unclear) == (None, "", "alpha.json, beta.json")
    (about,) = inspect(tmp_path)["checkpoints"]
    assert about["architecture_from"] == "" and "alpha.json, beta.json" in about["no_architecture"]


@pytest.mark.parametrize(
    ("weights", "lender"),
    [("model2_weights.h5", "model2"), ("model2.weights.h5", "model2"), ("model2.weights.h5", "model2.weights"),
     ("model2-07.weights.h5", "model2"), ("model2_b-7.weights.h5", "model2_b")],
)  # fmt: skip
def test_names_say_which(weights: str, lender: str, tmp_path: Path) -> None:
    write(tmp_path, weights, **{lender: described("tanh"), "model": described(), "modelx": described("elu")})
    if lender == "model2_b":
        (tmp_path / "model2.json").write_text(described("selu"))
    checkpoint = only(tmp_path)
    assert checkpoint.architecture == tmp_path / f"{lender}.json" and checkpoint.lender == f"{lender}.json"
    assert checkpoint.unclear == ""


def test_one_network_in_several_files_is_borrowed_from_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "epoch-1.weights.h5", alpha=described(), epochs=described(name="model_7"))
    files.write_keras(tmp_path / "other.keras", config={**files.MODEL, "config": {"name": "n", "layers": [
        *files.MODEL["config"]["layers"][:4],
        {"class_name": "Dense", "config": {"name": "out", "units": 2, "activation": "tanh"}},
    ]}})  # fmt: skip
    checkpoint = next(c for c in look(tmp_path).checkpoints if c.format == "weights")
    assert checkpoint.lender == "epochs.json" and checkpoint.unclear == ""  # what does not fit is not in question


def test_a_folder_of_its_own_says_whose_a_description_is(tmp_path: Path) -> None:
    for name, activation in (("one", "relu"), ("two", "tanh")):
        write(tmp_path / name, "weights.h5", net=described(activation))
    assert [c.lender for c in look(tmp_path).checkpoints] == ["one/net.json", "two/net.json"]
    write(tmp_path, "last.weights.h5")
    assert {c.file: c.unclear for c in look(tmp_path).checkpoints}["last.weights.h5"] == "one/net.json, two/net.json"


def test_the_number_of_files_looked_at_is_bounded_and_each_kind_of_weights_tried_once(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    def call(function: Callable[..., Any], *args: Any, size: int = 0) -> Any:
        asked[function.__name__] += 1
        return function(*args)

    for i in range(3 * LENDERS):
        (tmp_path / f"galaxy-{i}.json").write_text("{}")
    (tmp_path / "the_model.json").write_text(described())
    for i in range(1, 5):
        files.write_v3(tmp_path / f"weights-{i:02}.h5", i)
    run = find_run(RunConfig(path=tmp_path), tmp_path, call)
    assert {c.lender for c in run.checkpoints} == {"the_model.json"}
    assert asked["read_json_architecture"] == LENDERS and asked["_fits"] == 1


def test_the_network_room_says_what_is_in_question_and_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "epoch-1.weights.h5", alpha=described(), beta=described("tanh"))
    checkpoint = only(tmp_path)
    task.prepare({"": np.zeros((2, 8, 8, 1), "f4")}, Ways())
    with pytest.raises(NetworkError, match=r"alpha\.json, beta\.json") as error:
        task.measure(read_whole(checkpoint, {}), checkpoint)
    assert "same name" in error.value.advice and "epoch-1.weights.h5" in error.value.advice


def test_the_report_says_where_an_architecture_is_from(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "e", epochs=1)
    before = open_run(folder).extractions[0]
    about = replace(before.about, architecture_from="alpha.json")
    write_extraction(folder, about, StoredModel((), None), None)
    run = open_run(folder)
    made = tmp_path / "made"
    (made / "checkpoints").mkdir(parents=True)
    write_files(made, run, check_options(run.config.sections), lambda *_: None, ["html"])
    assert "described by alpha.json" in (made / "report.html").read_text()
    assert '"architecture_from": "alpha.json"' in (made / "report.json").read_text()
