"""What the network sees equals what Keras and Pillow make of the same files."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reportgen.config import PrepareConfig, ProbesConfig
from reportgen.errors import ConfigError, ProbeError
from reportgen.probes import load_probes
from reportgen.probes.prepare import channel_names, preparation_in_words, prepare
from reportgen.probes.steps import KERAS_MODES

RGB = ("R", "G", "B")


def prepared(pixels: np.ndarray, bands: tuple[str, ...] = RGB, **options: object) -> np.ndarray:
    return prepare(pixels, bands, PrepareConfig.model_validate(options))


@pytest.fixture
def colours() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (37, 53, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", sorted(KERAS_MODES))
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_keras_preprocessing_is_equal_to_the_last_bit(name: str, dtype: str, colours: np.ndarray) -> None:
    module = import_module(f"keras.applications.{name}")
    expected = np.asarray(module.preprocess_input(colours[None].astype(dtype)))[0]
    ours = prepared(colours, dtype=dtype, steps=[{"keras": name}])
    np.testing.assert_array_equal(ours, expected)


def test_every_keras_application_is_known() -> None:
    import keras

    theirs = {name for name in dir(keras.applications) if name.islower() and not name.startswith("_")}
    assert set(KERAS_MODES) == theirs - {"imagenet_utils"}


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"])
@pytest.mark.parametrize("kind", ["rgb", "grayscale", "rgba", "palette", "16 bit", "grey as rgb", "jpeg"])
def test_resizing_is_equal_to_load_img(method: str, kind: str, colours: np.ndarray, tmp_path: Path) -> None:
    from keras.utils import img_to_array, load_img

    image = Image.fromarray(colours)
    if kind == "rgba":
        image.putalpha(Image.fromarray(colours[..., 0]))
    elif kind == "palette":
        image = image.quantize(17)
    elif kind == "16 bit":
        image = Image.fromarray(colours[..., 0].astype(np.uint16) * 257 + 3)
    elif kind == "grey as rgb":
        image = image.convert("L")
    path = tmp_path / ("x.jpg" if kind == "jpeg" else "x.png")
    image.save(path)
    grey = kind in {"grayscale", "16 bit"}
    theirs = load_img(path, "grayscale" if grey else "rgb", target_size=(20, 31), interpolation=method)
    config = ProbesConfig.model_validate(
        {
            "images": path.name,
            "prepare": {
                "resize": (20, 31),
                "method": method,
                "grey": grey,
                "bands": [0, 0, 0] if kind == "grey as rgb" else None,
            },
        }
    )
    np.testing.assert_array_equal(load_probes(config, tmp_path).inputs[0], img_to_array(theirs))


def test_the_team_sees_its_images_as_it_did_in_training(team_data: Path) -> None:
    config = ProbesConfig.model_validate(
        {
            "images": "images/*_model.png",
            "prepare": {"grey": True, "resize": 100, "steps": [{"keras": "xception"}, {"scale": 1 / 255}]},
        }
    )
    base = team_data / "s20team2"
    probes = load_probes(config, base)
    files = sorted((base / "images").glob("*_model.png"))
    assert [probe.source for probe in probes.probes] == [f"images/{file.name}" for file in files]
    for file, seen in zip(files, probes.inputs, strict=True):
        with Image.open(file) as image:
            small = np.asarray(image.convert("L").resize((100, 100), Image.Resampling.NEAREST), np.float64)
        np.testing.assert_allclose(seen[..., 0], (small / 127.5 - 1) / 255, atol=1e-9, rtol=0)
    assert probes.inputs.shape == (32, 100, 100, 1)
    assert -1 / 255 - 1e-9 <= probes.inputs.min() < probes.inputs.max() <= 1 / 255 + 1e-9
    assert probes.images[0].shape == (800, 1200, 1)
    assert probes.images[0].dtype == np.uint8
    assert probes.steps == (
        "grey (ITU-R 601-2)",
        "resize to 100 × 100, nearest",
        "x / 127.5 − 1 (Keras xception)",
        "× 0.003922 (1/255)",
    )


def test_floats_are_resampled_in_each_band_without_being_rounded() -> None:
    pixels = np.random.default_rng(2).normal(0, 1e-3, (30, 40, 2)).astype(np.float32)
    seen = prepared(pixels, ("g", "r"), resize=16, method="bicubic")
    for band in range(2):
        expected = Image.fromarray(pixels[..., band]).resize((16, 16), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(seen[..., band], np.asarray(expected))


def test_a_crop_is_the_centre_and_comes_before_resizing() -> None:
    pixels = np.arange(9 * 8, dtype=np.float32).reshape(9, 8, 1)
    np.testing.assert_array_equal(prepared(pixels, ("x",), crop=(3, 4))[..., 0], pixels[3:6, 2:6, 0])
    np.testing.assert_array_equal(prepared(pixels, ("x",), crop=4, resize=2)[..., 0], pixels[[3, 5]][:, [3, 5], 0])
    with pytest.raises(ProbeError, match="smaller than the crop"):
        prepared(pixels, ("x",), crop=(3, 9))


def test_bands_are_chosen_by_name_and_number_and_may_repeat(colours: np.ndarray) -> None:
    config = PrepareConfig(bands=("B", 0, "B"))
    np.testing.assert_array_equal(prepare(colours, RGB, config), colours[..., [2, 0, 2]])
    assert channel_names(RGB, config) == ("B", "R", "B")
    assert channel_names(RGB, PrepareConfig.model_validate({"steps": [{"keras": "vgg16"}]})) == (
        "B",
        "G",
        "R",
    )
    assert channel_names(RGB, PrepareConfig(grey=True)) == ("grey",)
    with pytest.raises(ConfigError, match="no band 'b'") as caught:
        prepare(colours, RGB, PrepareConfig(bands=("b",)))
    assert "did you mean B?" in str(caught.value)


def test_grey_of_floats_has_pillows_weights(colours: np.ndarray) -> None:
    exact = colours @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(prepared(colours.astype(np.float32), grey=True)[..., 0], exact, rtol=1e-6)
    np.testing.assert_allclose(prepared(colours, grey=True)[..., 0], exact, atol=0.51)
    with pytest.raises(ProbeError, match="red, green and blue"):
        prepared(colours[..., :2], ("g", "r"), grey=True)


def test_steps_are_done_in_their_order_in_the_type_asked_for() -> None:
    x = np.random.default_rng(3).normal(5, 2, (6, 7, 2))
    steps = [{"offset": -5}, {"scale": 0.5}, {"clip": (-1, 2)}, {"asinh": 0.1}]
    expected = np.arcsinh(np.clip((x - 5) * 0.5, -1, 2) / 0.1)
    for dtype in ("float64", "float32", "float16"):
        seen = prepared(x, ("g", "r"), dtype=dtype, steps=steps)
        assert seen.dtype == dtype
        np.testing.assert_allclose(seen, expected, atol=20 * float(np.finfo(dtype).eps))
    swapped = prepared(x, ("g", "r"), dtype="float64", steps=steps[::-1])
    assert not np.allclose(swapped, expected)


def test_normalisation_over_images_and_bands() -> None:
    x = np.random.default_rng(4).normal(5, 2, (6, 7, 2)).astype(np.float32)
    x[..., 1] += 100
    by_band = prepared(x, ("g", "r"), steps=[{"standardise": "band"}])
    np.testing.assert_allclose(by_band.mean((0, 1)), 0, atol=1e-6)
    np.testing.assert_allclose(by_band.std((0, 1)), 1, atol=1e-6)
    by_image = prepared(x, ("g", "r"), steps=[{"standardise": "image"}])
    np.testing.assert_allclose([by_image.mean(), by_image.std()], [0, 1], atol=1e-6)
    assert by_image[..., 0].max() < 0 < by_image[..., 1].min()
    ranged = prepared(x, ("g", "r"), steps=[{"min_max": "band"}])
    np.testing.assert_array_equal([ranged.min((0, 1)), ranged.max((0, 1))], [[0, 0], [1, 1]])
    scaled = prepared(x, ("g", "r"), steps=[{"mean_std": ([5, 105], [2, 4])}])
    np.testing.assert_allclose(scaled, (x - [5, 105]) / [2, 4], rtol=1e-5, atol=1e-6)
    blank = np.full((4, 4, 1), 7.0)
    for step in ("standardise", "min_max"):
        np.testing.assert_array_equal(prepared(blank, ("g",), steps=[{step: "image"}]), 0)


def test_steps_that_do_not_fit_say_so(colours: np.ndarray) -> None:
    with pytest.raises(ProbeError, match="for 3 channels") as caught:
        prepared(colours[..., :1], ("g",), steps=[{"keras": "vgg16"}])
    assert "[0, 0, 0]" in caught.value.advice
    with pytest.raises(ConfigError, match="no Keras application called 'xeption'") as unknown:
        preparation_in_words(PrepareConfig.model_validate({"steps": [{"keras": "xeption"}]}))
    assert "did you mean xception?" in str(unknown.value)
    with pytest.raises(ProbeError, match="uint8"):
        prepared(colours.astype(np.float32) - 1, dtype="uint8")
    np.testing.assert_array_equal(prepared(colours.astype(np.float64), dtype="uint8"), colours)


@pytest.mark.parametrize(
    "options",
    [
        {"crop": 0},
        {"resize": (10, -1)},
        {"bands": []},
        {"steps": [{"scale": 1, "offset": 1}]},
        {"steps": [{}]},
        {"steps": [{"clip": (1, 0)}]},
        {"steps": [{"asinh": 0}]},
        {"steps": [{"mean_std": ([1, 2], [1])}]},
        {"steps": [{"mean_std": ([1], [0])}]},
    ],
)
def test_senseless_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        PrepareConfig.model_validate(options)


def test_the_preparation_in_words() -> None:
    options = {
        "crop": (64, 80),
        "bands": ["r", 0],
        "dtype": "float64",
        "steps": [
            {"offset": -0.5},
            {"clip": (0, 1)},
            {"asinh": 0.01},
            {"standardise": "band"},
            {"min_max": "image"},
            {"mean_std": ([1, 2], [3, 4])},
            {"scale": 0.25},
        ],
        "flatten": True,
    }
    assert preparation_in_words(PrepareConfig.model_validate(options)) == (
        "crop the central 64 × 80",
        "bands r, 0",
        "float64",
        "− 0.5",
        "clip to [0, 1]",
        "arcsinh(x / 0.01)",
        "each band to mean 0, standard deviation 1",
        "each image to [0, 1]",
        "minus (1, 2), divided by (3, 4)",
        "× 0.25",
        "flatten",
    )
