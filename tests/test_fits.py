"""FITS as probes: every kind of number, HDUs as bands or galaxies, the sky."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from reportgen.config import ProbesConfig
from reportgen.errors import NothingToReport
from reportgen.probes import ProbeSet, load_probes


def load(base: Path, images: Any, **options: Any) -> ProbeSet:
    return load_probes(ProbesConfig.model_validate({"images": images, **options}), base)


def noise(*shape: int, dtype: str = "float32") -> np.ndarray:
    values = np.random.default_rng(7).normal(0, 100, shape)
    return values.clip(0, 255).astype(dtype) if dtype == "uint8" else values.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"])
@pytest.mark.parametrize("packing", ["plain", "gzip", "tile-compressed"])
def test_fits_of_every_bitpix_is_read_exactly_and_shown_bottom_up(dtype: str, packing: str, tmp_path: Path) -> None:
    pixels = (noise(12, 10) if dtype[0] != "u" else abs(noise(12, 10))).clip(-100, 200).astype(dtype)
    path = tmp_path / ("x.fits.fz" if packing == "tile-compressed" else "x.fits")
    if packing == "tile-compressed":
        if dtype in {"int64", "float32", "float64"}:
            fits.CompImageHDU(pixels, compression_type="GZIP_1", quantize_level=0).writeto(path)
        else:
            fits.CompImageHDU(pixels, compression_type="RICE_1").writeto(path)
    else:
        fits.PrimaryHDU(pixels).writeto(path)
    if packing == "gzip":
        (tmp_path / "x.fits.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    probes = load(tmp_path, "*", prepare={"dtype": "float64"})
    assert [probe.id for probe in probes.probes] == ["x"]
    np.testing.assert_array_equal(probes.inputs[0, ..., 0], pixels)
    np.testing.assert_array_equal(probes.images[0][::-1, :, 0], pixels)
    assert probes.images[0].dtype == dtype
    assert probes.images[0].dtype.isnative
    assert probes.probes[0].metadata["row_0"] == "bottom"


@pytest.mark.parametrize("packing", ["plain", "RICE_1"])
def test_scaled_fits_gives_physical_values_and_nan_for_blank(packing: str, tmp_path: Path) -> None:
    stored = noise(16, 20).astype(np.int16)
    stored[3, 4] = -32768
    header = fits.Header({"BSCALE": 0.01, "BZERO": 5.0, "BLANK": -32768})
    hdu = (fits.CompImageHDU if packing == "RICE_1" else fits.ImageHDU)(stored)
    hdu.header.update(header)
    path = tmp_path / "scaled.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, output_verify="ignore")
    with fits.open(path, do_not_scale_image_data=True) as hdus:
        np.testing.assert_array_equal(hdus[1].data, stored)
        assert hdus[1].header["BSCALE"] == 0.01
    probes = load(tmp_path, "scaled.fits")
    expected = stored * 0.01 + 5
    expected[3, 4] = np.nan
    np.testing.assert_allclose(probes.inputs[0, ..., 0], expected, rtol=1e-5)
    assert probes.probes[0].metadata["non_finite"] == "1"
    assert probes.probes[0].source == "scaled.fits[1]"


def test_hdus_are_bands_or_galaxies_or_chosen(tmp_path: Path) -> None:
    one, two, other = noise(8, 9), noise(8, 9) + 1, noise(5, 6)
    table = fits.BinTableHDU(np.array([(1,)], dtype=[("n", "i4")]))
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(one, name="G"), table, fits.ImageHDU(two, name="R")]
    fits.HDUList(hdus).writeto(tmp_path / "bands.fits")
    probes = load(tmp_path, "bands.fits", bands=["g", "r"])
    np.testing.assert_array_equal(probes.inputs[0], np.stack([one, two], -1))
    assert probes.probes[0].source == "bands.fits[1,3]"
    chosen = load(tmp_path, "bands.fits", fits={"hdus": ["r", 1]})
    np.testing.assert_array_equal(chosen.inputs[0], np.stack([two, one], -1))
    galaxies = load(tmp_path, "bands.fits", fits={"hdus": "galaxies"})
    assert [probe.id for probe in galaxies.probes] == ["G", "R"]
    np.testing.assert_array_equal(galaxies.inputs[..., 0], [one, two])
    with pytest.raises(NothingToReport, match="no HDU 'RR'") as caught:
        load(tmp_path, "bands.fits", fits={"hdus": ["RR"]})
    assert "G, R" in caught.value.expected
    with pytest.raises(NothingToReport, match="holds no image"):
        load(tmp_path, "bands.fits", fits={"hdus": [2]})
    fits.HDUList([fits.PrimaryHDU(one), fits.ImageHDU(other)]).writeto(tmp_path / "sizes.fits")
    with pytest.raises(NothingToReport, match="differ in size") as caught:
        load(tmp_path, "sizes.fits")
    assert "galaxies" in caught.value.advice


@pytest.mark.parametrize("shape", [(3, 40, 50), (1, 3, 40, 50), (40, 50, 3)])
def test_fits_cubes_hold_bands(shape: tuple[int, ...], tmp_path: Path) -> None:
    cube = noise(*shape)
    fits.PrimaryHDU(cube).writeto(tmp_path / "cube.fits")
    expected = cube if shape[-1] == 3 else np.moveaxis(cube.reshape(3, 40, 50), 0, -1)
    np.testing.assert_array_equal(load(tmp_path, "cube.fits").inputs[0], expected)


def test_the_galaxies_of_aegis_in_two_files_a_band_each(team_data: Path) -> None:
    folder = team_data / "fits"
    images = {"F606W": "fits/AEGIS_F606w*.fits", "F814W": ["fits/AEGIS_F814w*.fits"]}
    probes = load(team_data, images, fits={"hdus": "galaxies"}, prepare={"crop": (46, 48)})
    assert probes.bands == probes.channels == ("F606W", "F814W")
    assert [image.shape for image in probes.images] == [(46, 70, 2), (156, 142, 2), (50, 48, 2)]
    assert probes.inputs.shape == (3, 46, 48, 2)
    for band, file in enumerate(sorted(folder.glob("AEGIS*"))):
        with fits.open(file) as hdus:
            for number in range(3):
                np.testing.assert_array_equal(probes.images[number][::-1, :, band], hdus[number].data)
            np.testing.assert_array_equal(probes.inputs[2][..., band], hdus[2].data[2:48])
    assert probes.probes[1].source == "fits/AEGIS_F606w_images_01.fits[1] + fits/AEGIS_F814w_images_01.fits[1]"
    assert "pixel_scale" not in probes.probes[0].metadata


def test_the_sky_of_cosmos_is_turned_by_80_degrees(team_data: Path) -> None:
    metadata = load(team_data / "fits", "147246*.fits").probes[0].metadata
    assert metadata["pixel_scale"] == "0.03"
    # North nearly left, East nearly down: angles from up, counter-clockwise.
    with fits.open(next((team_data / "fits").glob("147246*"))) as hdus:
        cd = hdus[0].header
        north = np.degrees(np.arctan2(-cd["CD2_1"], cd["CD2_2"]))
    assert float(metadata["north_angle"]) == pytest.approx(north, abs=0.1)
    assert float(metadata["north_angle"]) == pytest.approx(80, abs=1)
    assert float(metadata["east_angle"]) == pytest.approx(170, abs=1)


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({"CDELT1": -2e-4, "CDELT2": 2e-4}, {"pixel_scale": "0.72", "north_angle": "0.0", "east_angle": "90.0"}),
        ({"CDELT1": 2e-4, "CDELT2": 2e-4}, {"pixel_scale": "0.72", "north_angle": "0.0", "east_angle": "-90.0"}),
        ({"CDELT1": -2e-4, "CDELT2": 2e-4, "CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, {}),
        ({"CDELT1": -2e-4, "CDELT2": 2e-4, "CTYPE1": "RA---XYZ"}, {}),
        ({"CD1_1": 0.0, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.0}, {}),
    ],
)
def test_world_coordinates_give_scale_and_compass_or_nothing(
    cards: dict[str, Any], expected: dict[str, str], tmp_path: Path
) -> None:
    hdu = fits.PrimaryHDU(noise(20, 20))
    tan = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 41.0, "CRPIX1": 10, "CRPIX2": 10}
    hdu.header.update(tan | cards)
    hdu.writeto(tmp_path / "sky.fits", output_verify="ignore")
    metadata = load(tmp_path, "sky.fits").probes[0].metadata
    assert {key: metadata[key] for key in ("pixel_scale", "north_angle", "east_angle") if key in metadata} == expected
