"""What a person sees of a probe."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.visualization import AsinhStretch, AsymmetricPercentileInterval, ZScaleInterval

from reportgen.config import DisplayConfig
from reportgen.errors import ConfigError
from reportgen.figures.stretch import NON_FINITE, display_rgb, shrink

RGB = ("R", "G", "B")


@pytest.fixture
def galaxy() -> np.ndarray:
    """Return a round galaxy in noise, `(y, x, 3)`, the third band the brightest."""
    y, x = np.mgrid[-32:32, -32:32]
    noise = np.random.default_rng(5).normal(0, 0.02, (64, 64, 3))
    light = np.exp(-np.hypot(y, x) / 6)[..., None] * [0.5, 1.0, 2.0]
    return (light + noise + [10, 20, 30]).astype(np.float32)


def display(image: np.ndarray, bands: tuple[str, ...] = ("g", "r", "i"), **options: object) -> np.ndarray:
    return display_rgb(image, bands, DisplayConfig.model_validate(options))


def test_eight_bit_images_are_shown_as_they_are() -> None:
    image = np.random.default_rng(6).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(display(image, RGB), image)
    np.testing.assert_array_equal(display(image, ("g", "r", "z")), image)
    np.testing.assert_array_equal(display(image[..., :1], ("g",)), image[..., 0])
    np.testing.assert_array_equal(display(image[..., :1], ("g",), invert=True), 255 - image[..., 0])
    np.testing.assert_array_equal(display(image, ("g", "r", "z"), rgb=("z", "r", "g")), image[..., ::-1])


def test_floats_are_shown_in_asinh_between_percentiles(galaxy: np.ndarray) -> None:
    for band, number in (("g", 0), ("i", 2)):
        values = galaxy[..., number].astype(float)
        expected = AsinhStretch(0.1)(AsymmetricPercentileInterval(0.5, 99.5)(values))
        shown = display(galaxy, band=band)
        assert shown.shape == (64, 64)
        np.testing.assert_allclose(shown, expected * 255, atol=0.501)
    linear = display(galaxy, stretch="linear", interval="zscale")
    np.testing.assert_allclose(linear, ZScaleInterval()(galaxy[..., 0].astype(float)) * 255, atol=0.501)
    whole = display(galaxy, stretch="linear", interval="minmax")
    assert (whole == 0).sum() == (whole == 255).sum() == 1


@pytest.mark.parametrize("stretch", ["asinh", "sqrt", "log", "square", "linear"])
def test_every_stretch_keeps_the_order_of_brightness(stretch: str, galaxy: np.ndarray) -> None:
    shown = display(galaxy, stretch=stretch, interval="minmax").ravel()
    ordered = shown[np.argsort(galaxy[..., 0].ravel())].astype(int)
    assert (np.diff(ordered) >= 0).all()
    assert ordered[0] == 0
    assert ordered[-1] == 255


def test_lupton_colour_does_not_depend_on_brightness(galaxy: np.ndarray) -> None:
    y, x = np.mgrid[-32:32, -32:32]
    light = np.exp(-np.hypot(y, x) / 6)[..., None] * [0.5, 1.0, 2.0]
    shown = display(light, rgb=("i", "r", "g"), lupton=True, percent=(0.5, 100)).astype(float)
    sky = np.median(light, axis=(0, 1))
    bright = light[..., 2] > 0.3
    # Red over blue is that of the light above the sky, wherever no band is saturated.
    ratio = (light - sky)[bright][:, 2] / (light - sky)[bright][:, 0]
    np.testing.assert_allclose(shown[bright][:, 0] / shown[bright][:, 2], ratio, rtol=0.06)
    assert shown[32, 32, 0] == 255
    noisy = display(galaxy, rgb=("i", "r", "g"), lupton=True)
    assert noisy.shape == (64, 64, 3)
    assert (noisy[32, 32] > noisy[2, 2]).all()


def test_nan_and_infinite_pixels_are_magenta(galaxy: np.ndarray) -> None:
    plain = display(galaxy)
    galaxy[3, 4, 0], galaxy[5, 6, 0], galaxy[7, 8, 1] = np.nan, np.inf, np.nan
    shown = display(galaxy)
    assert shown.shape == (64, 64, 3)
    assert tuple(shown[3, 4]) == tuple(shown[5, 6]) == NON_FINITE
    assert (shown == NON_FINITE).all(-1).sum() == 2
    others = np.ones((64, 64), bool)
    others[3, 4] = others[5, 6] = False
    np.testing.assert_allclose(shown[others][:, 1].astype(int), plain[others], atol=1)
    for lupton in (True, False):
        colour = display(galaxy, rgb=(2, 1, 0), lupton=lupton)
        assert (colour == NON_FINITE).all(-1).sum() == 3
    assert (display(np.full((4, 4, 1), np.nan), ("g",)) == NON_FINITE).all()


def test_a_lone_star_and_an_empty_sky_are_shown() -> None:
    sky = np.zeros((50, 50, 1), np.float32)
    assert not display(sky, ("g",)).any()
    sky[25, 25] = 3
    shown = display(sky, ("g",))
    assert shown[25, 25] == 255
    assert shown.sum() == 255


def test_inverting_turns_lightness_and_keeps_hue() -> None:
    image = np.array([[[200, 100, 0], [0, 0, 0], [255, 255, 255]]], np.uint8)
    shown = display(image, RGB, invert=True)
    np.testing.assert_array_equal(shown[0], [[255, 155, 55], [255, 255, 255], [0, 0, 0]])


def test_an_image_with_other_bands_than_the_set_is_shown_all_the_same(galaxy: np.ndarray) -> None:
    assert display(galaxy[..., :1], rgb=("i", "r", "g")).shape == (64, 64)
    with pytest.raises(ConfigError, match="no band 'u'"):
        display(galaxy, band="u")


def test_shrinking_takes_means_and_keeps_type_and_nan() -> None:
    image = np.arange(8 * 12, dtype=np.float64).reshape(8, 12, 1)
    small = shrink(image, 6)
    np.testing.assert_allclose(small[..., 0], image[..., 0].reshape(4, 2, 6, 2).mean((1, 3)))
    assert shrink(image, 12) is image
    for dtype in (np.uint8, np.uint16, np.int16, np.float32):
        assert shrink(image.astype(dtype), 5).dtype == dtype
        assert shrink(image.astype(dtype), 5).shape == (3, 5, 1)
    image[0, 0] = np.nan
    assert np.isnan(shrink(image, 6)).sum() == 1


def test_captions_say_what_is_shown() -> None:
    words = DisplayConfig().in_words
    assert words(RGB, True) == "as stored (8 bit)"
    assert words(("g",), False) == "asinh stretch (a = 0.1), 0.5-99.5 %"
    assert words(("g", "r"), False) == "asinh stretch (a = 0.1), 0.5-99.5 %, g alone"
    lupton = DisplayConfig(rgb=("i", "r", "g"), lupton=True, invert=True).in_words(("g", "r", "i"), False)
    assert lupton == (
        "Lupton et al. (2004) colour (a = 0.1), median of each band black, white at 99.5 %, "
        "red, green, blue = i, r, g, inverted"
    )
    zscale = DisplayConfig(stretch="log", interval="zscale", band=1).in_words(("g", "r"), False)
    assert zscale == "log stretch, zscale, r alone"


@pytest.mark.parametrize("options", [{"percent": (99, 1)}, {"percent": (-1, 50)}, {"asinh_a": 0}])
def test_senseless_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        DisplayConfig.model_validate(options)
