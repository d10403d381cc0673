"""What is drawn, down to the pixel."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from reportgen.figures import Limits, Row, filmstrip, heat, mosaic
from reportgen.figures.charts import lines
from reportgen.figures.diagram import Arrow, Box, diagram
from reportgen.figures.style import LEVELS, NON_FINITE, palette


def pixels(placed):
    return np.asarray(Image.open(io.BytesIO(placed.picture.data)).convert("RGB"))


def test_every_tile_holds_its_own_map_in_the_shared_colours():
    maps = np.random.default_rng(0).random((30, 30, 20)).astype("f4")
    limits = Limits.of(maps, "magnitude")
    _, _, placed, labels = mosaic(maps, limits, [str(i) for i in range(20)])
    assert len(placed) == 2 and len(labels) == 20
    first, second = pixels(placed[0]), pixels(placed[1])
    assert first.shape == (30, 480, 3) and second.shape == (30, 120, 3)
    expected = palette("magnitude")[limits.indices(maps)]
    for tile in range(20):
        row, column = divmod(tile, 16)
        got = (first, second)[row][:, column * 30 : (column + 1) * 30]
        assert (got == expected[:, :, tile]).all()


def test_limits_and_their_colours():
    signed = Limits.of(np.array([-1.0, 3.0]), "signed")
    assert (signed.low, signed.high) == (-3, 3)
    assert signed.indices(np.array([-3.0, 0.0, 3.0])).tolist() == [0, LEVELS // 2, LEVELS - 1]
    assert Limits.of(np.array([2.0, 5.0]), "magnitude").low == 0
    assert Limits.of(np.array([np.nan, 1.0, np.inf]), "magnitude").high == 1


def test_what_is_not_finite_has_a_colour_no_value_has():
    limits = Limits("magnitude", 0, 1)
    assert limits.indices(np.array([np.nan, np.inf, -np.inf])).tolist() == [LEVELS] * 3
    for scale in ("magnitude", "signed"):
        assert (palette(scale)[LEVELS] == NON_FINITE).all()
        assert not (palette(scale)[:LEVELS] == NON_FINITE).all(axis=1).any()


def test_a_layer_that_is_all_zero_is_drawn_as_zero():
    limits = Limits.of(np.zeros((4, 4, 3)), "magnitude")
    assert limits.indices(np.zeros(2)).tolist() == [0, 0]
    assert Limits.of(np.zeros(3), "signed").indices(np.zeros(1)).tolist() == [LEVELS // 2]


def test_very_small_maps_are_repeated_not_smoothed():
    maps = np.arange(4, dtype="f4").reshape(1, 1, 4)
    _, _, placed, _ = mosaic(maps, Limits.of(maps, "magnitude"), list("abcd"))
    image = pixels(placed[0])
    assert image.shape == (24, 96, 3)
    for tile in range(4):
        assert len(np.unique(image[:, tile * 24 : (tile + 1) * 24].reshape(-1, 3), axis=0)) == 1


def test_the_same_data_is_the_same_bytes():
    draw = lambda: lines([1, 2, 3], {"loss": [3, 2, 1.0], "val_loss": [3, 2.5, 2.6]}, "epoch", "loss", {"best": 2})  # noqa: E731
    first, second = draw(), draw()
    assert first.data == second.data and b"<svg" in first.data
    assert b"DOCTYPE" not in first.data and b"<dc:date" not in first.data


def test_a_branch_is_drawn_with_an_arrow_from_each_of_its_inputs():
    layers = [
        ("in", "InputLayer", (8, 8, 1)),
        ("a", "Conv2D", (8, 8, 4)),
        ("b", "Conv2D", (8, 8, 4)),
        ("add", "Add", (8, 8, 4)),
    ]
    _, _, shapes, labels = diagram(layers, [(), ("in",), ("in",), ("a", "b")])
    assert sum(isinstance(s, Box) for s in shapes) == 4
    assert sum(isinstance(s, Arrow) for s in shapes) == 4
    assert [label.text for label in labels][:3] == ["in", "InputLayer", "8 × 8 × 1"]


def test_cells_carry_their_texts_and_what_is_missing_is_told_apart():
    values = np.array([[0.0, np.nan], [0.5, 1.0]])
    draw = lambda v: heat(v, [["0", "–"], ["4", "8"]], ["a", "b"], ["1", "2"], (0, 1), "epoch", "fraction")  # noqa: E731
    picture = draw(values)
    assert picture.data == draw(values.copy()).data != draw(np.nan_to_num(values)).data
    assert b"<image" not in picture.data and b"#eceff3" in picture.data
    assert b"#eceff3" not in draw(np.nan_to_num(values)).data


def test_a_film_strip_of_wide_maps_and_long_heads_stays_on_its_canvas():
    maps = np.random.default_rng(0).normal(size=(4, 4, 10))
    rows = [Row("channel 3", [[maps[..., i], maps[..., i]] for i in range(10)], "0.12, −0.50", "dead")]
    width, height, placed, labels = filmstrip(
        rows, [("a very long name of a checkpoint",)] * 10, Limits("signed", -3, 3)
    )
    assert len(placed) == 20 and placed[-1].x + placed[-1].width < width and placed[-1].y + placed[-1].height < height
    assert labels[0].text.endswith("…") and [x.text for x in labels if "dead" in x.text] == ["channel 3 dead"]
    right = [p.x + p.width for p in placed]
    assert all(b.x >= end for end, b in zip(right, placed[1:], strict=False))
