"""Rows of a CSV meet their images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reportgen.config import ProbesConfig
from reportgen.errors import ConfigError
from reportgen.probes import ProbeSet, load_probes


def load(base: Path, images: Any = "images", **options: Any) -> ProbeSet:
    return load_probes(ProbesConfig.model_validate({"images": images, **options}), base)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with images/a.png, b.png, c.png, each of its own grey."""
    (tmp_path / "images").mkdir()
    for value, name in enumerate("abc"):
        Image.new("L", (6, 5), value).save(tmp_path / "images" / f"{name}.png")
    return tmp_path


def seen(probes: ProbeSet) -> list[tuple[Any, ...]]:
    """Return id, label, target, group and the grey of each probe."""
    return [
        (p.id, p.label, p.target, p.group, int(x.flat[0])) for p, x in zip(probes.probes, probes.inputs, strict=True)
    ]


def test_a_catalogue_by_file_keeps_every_column(folder: Path) -> None:
    (folder / "lists").mkdir()
    text = "\ufefffile;id;label;target;group;redshift;note\n../images/c.png;C 1;merger;0.5;pair 7;0.02;a; b\n"
    (folder / "lists" / "all.csv").write_text(
        text.replace("a; b", '"a; b"') + "a.png;;disc;-;;;\nimages/b.png;B;;1e-3;;0.1;\n", encoding="utf-8"
    )
    probes = load(folder, catalogue="lists/all.csv")
    assert seen(probes) == [
        ("a", "disc", None, None, 0),
        ("B", None, 0.001, None, 1),
        ("C 1", "merger", 0.5, "pair 7", 2),
    ]
    assert probes.probes[2].metadata == {"width": "6", "height": "5", "redshift": "0.02", "note": "a; b"}
    assert probes.failures == ()
    assert probes.has_labels
    assert probes.has_targets


def test_a_catalogue_by_id_and_with_columns_of_other_names(folder: Path) -> None:
    (folder / "c.csv").write_text("name,score\n b ,0.25\nc,0\na,1\n")
    probes = load(folder, catalogue="c.csv", columns={"id": "name", "target": "score"})
    assert seen(probes) == [("a", None, 1.0, None, 0), ("b", None, 0.25, None, 1), ("c", None, 0.0, None, 2)]
    with pytest.raises(ConfigError, match="no column 'scores'") as caught:
        load(folder, catalogue="c.csv", columns={"id": "name", "target": "scores"})
    assert caught.value.where == "c.csv:1"
    assert "did you mean score?" in str(caught.value)


def test_a_catalogue_in_order_needs_as_many_rows_as_images(folder: Path) -> None:
    (folder / "c.csv").write_text("label\nx\n\ny\nz\n")
    assert [row[:2] for row in seen(load(folder, catalogue="c.csv"))] == [("a", "x"), ("b", "y"), ("c", "z")]
    (folder / "images" / "b.png").write_bytes(b"")
    probes = load(folder, catalogue="c.csv")
    assert [row[:2] for row in seen(probes)] == [("a", "x"), ("c", "z")]
    assert [failure.name for failure in probes.failures] == ["images/b.png"]
    (folder / "c.csv").write_text("label\nx\ny\n")
    with pytest.raises(ConfigError, match="in order"):
        load(folder, catalogue="c.csv")


def test_a_catalogue_names_the_images_of_a_stack(tmp_path: Path) -> None:
    np.save(tmp_path / "stack.npy", np.arange(3, dtype=np.float32)[:, None, None] * np.ones((3, 20, 20), np.float32))
    for text, names in (
        ("id,label\nfirst,x\nsecond,y\nthird,z\n", ["first", "second", "third"]),
        ("id,label\n2,z\n0,x\n1,y\n", ["0", "1", "2"]),
        ("file,id,label\nstack.npy[2],last,z\nstack.npy[0],,x\nstack.npy[1],m,y\n", ["0", "m", "last"]),
    ):
        (tmp_path / "c.csv").write_text(text)
        probes = load(tmp_path, "stack.npy", catalogue="c.csv")
        assert [(row[0], row[1], row[4]) for row in seen(probes)] == list(zip(names, "xyz", range(3), strict=True))
    (tmp_path / "c.csv").write_text("id,label\n1,x\n2,y\n3,z\n")
    with pytest.raises(ConfigError, match="Some ids") as caught:
        load(tmp_path, "stack.npy", catalogue="c.csv")
    assert caught.value.where == "c.csv:4"
    (tmp_path / "c.csv").write_text("file,label\nstack.npy,x\n")
    with pytest.raises(ConfigError, match="names 3 images"):
        load(tmp_path, "stack.npy", catalogue="c.csv")


def test_what_is_wrong_in_a_catalogue_costs_only_itself(folder: Path) -> None:
    (folder / "c.csv").write_text("id,target\na,high\na,0.5\nd,0.1\nb,inf\n")
    probes = load(folder, catalogue="c.csv")
    assert [row[:3] for row in seen(probes)] == [("a", None, None), ("b", None, None), ("c", None, None)]
    problems = [(failure.name, failure.problem, failure.received) for failure in probes.failures]
    assert problems == [
        ("a", "c.csv:2: the target is no number; the probe has none", "high"),
        ("a", "c.csv:3: this id is already on line 2", "a twice; the first row has it"),
        ("b", "c.csv:5: the target is no number; the probe has none", "inf"),
        ("c.csv", "Rows without an image: 1", "line 4: d"),
        ("c.csv", "Images without a row, which are used without label and target: 1", "images/c.png"),
    ]
    (folder / "c.csv").write_text("file,id\na.png,same\nb.png,same\nx.png,x\na.png,again\nc.png,\n")
    probes = load(folder, catalogue="c.csv")
    assert [row[0] for row in seen(probes)] == ["same", "b", "c"]
    assert [failure.problem for failure in probes.failures] == [
        "c.csv:3: this id is already on line 2",
        "c.csv:5: this image is already on line 2",
        "Rows without an image: 1",
    ]


@pytest.mark.parametrize(
    ("content", "problem", "where"),
    [
        (b"", "empty", "c.csv:1"),
        (b"id,label,id\n", "two columns called 'id'", "c.csv:1"),
        (b"id,label\na,x,y\n", "another number of fields", "c.csv:2"),
        (b'id,label\na,"x\n', "no CSV", "c.csv"),
        (b"id,label\na,\xe9\n", "not UTF-8", "c.csv"),
        (b"id,label\nA1,x\nB1,y\n", "No id in the catalogue is that of an image", "c.csv"),
        (None, "cannot be read", "c.csv"),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_an_error(
    content: bytes | None, problem: str, where: str, folder: Path
) -> None:
    if content is not None:
        (folder / "c.csv").write_bytes(content)
    with pytest.raises(ConfigError, match=problem) as caught:
        load(folder, catalogue="c.csv")
    assert caught.value.where.startswith(where)
