"""Images of every format, as readers hand them over."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from reportgen.config import ProbesConfig
from reportgen.errors import NothingToReport
from reportgen.probes import ProbeSet, load_probes


def load(base: Path, images: Any, **options: Any) -> ProbeSet:
    return load_probes(ProbesConfig.model_validate({"images": images, **options}), base)


def noise(*shape: int, dtype: str = "float32") -> np.ndarray:
    values = np.random.default_rng(7).normal(0, 100, shape)
    return values.clip(0, 255).astype(dtype) if dtype == "uint8" else values.astype(dtype)


def png16(pixels: np.ndarray, colour: int) -> bytes:
    """Encode 16-bit `(y, x, band)` as PNG colour type 0, 2, 4 or 6, with three of the five row filters."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width, bands = pixels.shape
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    left = np.pad(rows, ((0, 0), (2 * bands, 0)))[:, : rows.shape[1]]
    above = np.pad(rows, ((1, 0), (0, 0)))[:-1]
    coded = b"".join(
        bytes([y % 3]) + (rows[y], rows[y] - left[y], rows[y] - above[y])[y % 3].tobytes() for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part) for part in ((b"IHDR", header), (b"IDAT", zlib.compress(coded)), (b"IEND", b""))
    )


@pytest.mark.parametrize(("colour", "stored", "shown"), [(0, 1, 1), (2, 3, 3), (4, 2, 1), (6, 4, 3)])
def test_sixteen_bit_png_keeps_all_its_bits(colour: int, stored: int, shown: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(8).integers(0, 65536, (11, 13, stored)).astype(np.uint16)
    (tmp_path / "deep.png").write_bytes(png16(pixels, colour))
    probes = load(tmp_path, "deep.png", prepare={"dtype": "float64"})
    np.testing.assert_array_equal(probes.inputs[0], pixels[..., :shown])
    assert probes.images[0].dtype == np.uint16
    assert probes.bands == (("R", "G", "B") if shown == 3 else ("band 1",))
    assert probes.probes[0].metadata.get("transparency") == ("dropped" if stored in {2, 4} else None)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "jpeg grey", "jpeg"])
def test_pictures_of_every_mode(mode: str, tmp_path: Path) -> None:
    colours = noise(9, 7, 3, dtype="uint8")
    if mode.startswith("jpeg") or mode == "CMYK":  # lossy: no noise
        colours = (np.mgrid[:9, :7].sum(0)[..., None] * [8, 12, 16]).astype(np.uint8)
    image = Image.fromarray(colours)
    if mode.startswith("jpeg") or mode == "CMYK":
        image = image.convert({"jpeg grey": "L", "CMYK": "CMYK", "jpeg": "RGB"}[mode])
        image.save(tmp_path / "x.jpg")
    else:
        image = image.quantize(8) if mode == "P" else image.convert(mode)
        if mode == "P":  # palette entries with alpha: Pillow warns unless this is treated with care
            image.info["transparency"] = bytes([0, 128, 255])
        image.save(tmp_path / "x.png")
    probes = load(tmp_path, ".")
    grey = mode in {"1", "L", "LA", "jpeg grey"}
    assert probes.images[0].shape == (9, 7, 1 if grey else 3)
    assert probes.images[0].dtype == np.uint8
    expected = image.convert("L" if grey else "RGB") if mode != "P" else image.convert("RGBA").convert("RGB")
    tolerance = 12 if probes.probes[0].source.endswith("jpg") else 0
    np.testing.assert_allclose(
        probes.images[0].reshape(-1).astype(int), np.asarray(expected).reshape(-1), atol=tolerance
    )


def test_galaxy10_by_rows(tmp_path: Path) -> None:
    images = noise(6, 20, 24, 3, dtype="uint8")
    with h5py.File(tmp_path / "Galaxy10.h5", "w") as file:
        file.create_dataset("images", data=images, chunks=(2, 20, 24, 3), compression="gzip")
        file["ans"] = np.arange(6, dtype=np.uint8)
        file["redshift"] = np.linspace(0, 1, 6)
    probes = load(tmp_path, "Galaxy10.h5", arrays={"rows": [4, 1, 9]})
    np.testing.assert_array_equal(probes.inputs, images[[4, 1]])
    np.testing.assert_array_equal(probes.images[0], images[4])
    assert [(p.id, p.label, p.target, p.source) for p in probes.probes] == [
        ("4", "4", None, "Galaxy10.h5[4]"),
        ("1", "1", None, "Galaxy10.h5[1]"),
    ]
    assert probes.bands == ("R", "G", "B")
    assert [(f.name, f.problem, f.expected) for f in probes.failures] == [
        ("Galaxy10.h5[9]", "There is no row 9", "0 to 5")
    ]


@pytest.mark.parametrize(
    ("shape", "axes", "count", "image"),
    [
        ((20, 30), "auto", 1, (20, 30, 1)),
        ((5, 20, 30), "auto", 5, (20, 30, 1)),
        ((20, 30, 3), "auto", 1, (20, 30, 3)),
        ((3, 20, 30), "cyx", 1, (20, 30, 3)),
        ((5, 20, 30, 2), "auto", 5, (20, 30, 2)),
        ((5, 2, 20, 30), "auto", 5, (20, 30, 2)),
        ((5, 2, 8, 8), "cyx", 5, (8, 8, 2)),
        ((5, 20, 30, 17), "yxc", 5, (20, 30, 17)),
    ],
)
@pytest.mark.parametrize("suffix", ["npy", "npz", "h5"])
def test_where_bands_lie_in_arrays(
    shape: tuple[int, ...], axes: str, count: int, image: tuple[int, ...], suffix: str, tmp_path: Path
) -> None:
    array = noise(*shape).astype(">f4")
    path = tmp_path / f"stack.{suffix}"
    if suffix == "npy":
        np.save(path, array)
    elif suffix == "npz":
        np.savez_compressed(path, galaxies=array, redshift=np.arange(3))
    else:
        with h5py.File(path, "w") as file:
            file["deep/down/galaxies"] = array
    probes = load(tmp_path, path.name, arrays={"axes": axes})
    assert len(probes) == count
    assert [each.shape for each in probes.images] == [image] * count
    stack = array.reshape(-1, *array.shape[len(shape) - (3 if len(image) == 3 and image[2] > 1 else 2) :])
    bands = {"cyx": 1}.get(axes, 1 if shape == (5, 2, 20, 30) else -1)
    stack = stack[..., None] if image[2] == 1 else np.moveaxis(stack, bands, -1)
    np.testing.assert_array_equal(probes.inputs, stack)
    assert [probe.id for probe in probes.probes] == ([str(i) for i in range(5)] if count == 5 else ["stack"])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([0, 1, 9], np.uint8), [("0", None), ("1", None), ("9", None)]),
        (np.array([[1.0], [0.0], [1.0]]), [("1", None), ("0", None), ("1", None)]),
        (np.eye(3)[[2, 0, 1]], [("2", None), ("0", None), ("1", None)]),
        (np.array([0.25, 1.0, np.nan]), [(None, 0.25), (None, 1.0), (None, None)]),
        (np.array(["merger", "disc", "é"]), [("merger", None), ("disc", None), ("é", None)]),
    ],
)
def test_labels_beside_the_images(labels: np.ndarray, expected: list[Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "stack.npz", images=noise(3, 8, 9), labels=labels, other=noise(3, 8, 9))
    probes = load(tmp_path, "stack.npz")
    assert [(probe.label, probe.target) for probe in probes.probes] == expected
    if labels.dtype.kind == "U":
        labels = np.char.encode(labels, "utf-8")
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["pictures"], file["truth"] = noise(3, 8, 9), labels
    probes = load(tmp_path, "stack.h5", arrays={"images": "/pictures", "labels": "truth"})
    assert [(probe.label, probe.target) for probe in probes.probes] == expected


def test_arrays_that_cannot_be_probes_say_why(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["a"], file["b"], file["images_g"] = noise(3, 8, 9), noise(3, 8, 9), noise(2)
    np.savez(tmp_path / "labels.npz", images=noise(3, 8, 9), labels=[1, 2])
    np.save(tmp_path / "complex.npy", noise(3, 8, 9) * 1j)
    np.save(tmp_path / "object.npy", np.array([noise(2, 2), None], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "object.npz", images=np.array([noise(2, 2), None], dtype=object))
    np.save(tmp_path / "five.npy", noise(2, 2, 2, 2, 2))
    np.save(tmp_path / "where.npy", noise(2, 20, 20, 20))
    np.save(tmp_path / "good.npy", noise(8, 9))
    probes = load(tmp_path, ".")
    assert [probe.id for probe in probes.probes] == ["good"]
    problems = {failure.name.split(":")[0]: failure for failure in probes.failures}
    assert "not clear which array" in problems["two.h5"].problem
    assert "images_g (2)" in problems["two.h5"].received
    assert problems["labels.npz"].expected == "one label for each of 3 images"
    assert problems["complex.npy"].received == "complex64"
    assert "pickled" in problems["object.npy"].problem
    assert "pickled" in problems["object.npz"].problem
    assert "two, three or four axes" in problems["five.npy"].problem
    assert "probes.arrays.axes" in problems["where.npy"].advice
    assert len(problems) == len(probes.failures) == 7
    with pytest.raises(NothingToReport, match="no array 'imges'") as caught:
        load(tmp_path, "labels.npz", arrays={"images": "imges"})
    assert "did you mean images?" in caught.value.advice
