"""The set as a whole: catalogue, names, choice, failures and fingerprints."""

from __future__ import annotations

import hashlib
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from reportgen.config import ProbesConfig
from reportgen.errors import ConfigError, NothingToReport
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


def test_select_chooses_and_orders_and_knows_near_misses(folder: Path) -> None:
    (folder / "c.csv").write_text("file,id,label\na.png,galaxy one,x\nb.png,galaxy two,y\nz.png,galaxy ten,z\n")
    probes = load(folder, catalogue="c.csv", select=["c", "galaxy one", "galxy two", "c"])
    assert [(probe.id, probe.label) for probe in probes.probes] == [("c", None), ("galaxy one", "x")]
    assert [(f.name, f.advice) for f in probes.failures] == [
        ("c.csv", "Give them a row, with empty fields where nothing is known."),
        ("galxy two", "did you mean galaxy two?"),
    ]


def test_equal_names_in_two_folders_are_told_apart(folder: Path) -> None:
    shutil.copytree(folder / "images", folder / "more")
    (folder / "more" / "b.png").rename(folder / "more" / "d.png")
    (folder / "link").symlink_to(folder / "images" / "a.png")
    probes = load(folder, ["images", "more/*.png", "images/../images/c.png", "link"])
    assert [probe.id for probe in probes.probes] == [
        "images/a.png", "b", "images/c.png", "more/a.png", "more/c.png", "d", "link",
    ]  # fmt: skip


def bomb() -> bytes:
    """Return a PNG that says it has 30,000 x 30,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(100))
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_every_unreadable_probe_is_named_and_the_others_stay(folder: Path) -> None:
    images = folder / "images"
    good = (images / "a.png").read_bytes()
    for name, content in {
        "byte.png": good[:1],
        "empty.jpg": b"",
        "page.png": b"<!DOCTYPE html><html>404</html>",
        "half.png": good[: len(good) // 2],
        "bomb.png": bomb(),
        "lfs.fits": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "zip.npz": b"PK\x03\x04" + bytes(40),
        "broken.h5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "short.npy": b"\x93NUMPY\x01\x00v\x00",
        "broken.fits.gz": b"\x1f\x8b\x08" + bytes(20),
        "README.txt": b"not an image, and nobody said so",
    }.items():
        (images / name).write_bytes(content)
    (images / "gone.png").symlink_to("nowhere.png")
    hdus = fits.HDUList([fits.PrimaryHDU(np.ones((5, 6), np.uint8)), fits.ImageHDU(np.ones((90, 90)))])
    hdus.writeto(folder / "x.fits")
    (images / "cut.fits").write_bytes((folder / "x.fits").read_bytes()[:20000])
    probes = load(folder)
    assert [probe.id for probe in probes.probes] == ["a", "b", "c"]
    problems = {Path(failure.name).name: failure for failure in probes.failures}
    assert problems["empty.jpg"].problem == "The file is empty"
    assert problems["page.png"].received == "a web page or other XML"
    assert problems["byte.png"].received == r"a file that begins with b'\x89'"
    assert "exceeds limit" in problems["bomb.png"].problem
    assert "Git LFS" in problems["lfs.fits"].received
    assert set(problems) == {
        "byte.png", "empty.jpg", "page.png", "half.png", "bomb.png", "lfs.fits", "zip.npz", "broken.h5", "short.npy",
        "broken.fits.gz", "cut.fits[1]", "gone.png",
    }  # fmt: skip
    assert all(str(folder) not in str(failure) for failure in probes.failures)
    assert all(failure.kind == "probe" and failure.status == "failed" for failure in probes.failures)
    galaxies = load(folder, "images/cut.fits", fits={"hdus": "galaxies"})
    assert [probe.source for probe in galaxies.probes] == ["images/cut.fits[0]"]
    assert [failure.name for failure in galaxies.failures] == ["images/cut.fits[1]"]


@pytest.mark.parametrize("cut", [100, 2880 + 10, 5760 + 1000])
def test_a_fits_file_cut_in_a_header_loses_no_band_in_silence(cut: int, tmp_path: Path) -> None:
    hdus = [fits.PrimaryHDU(np.ones((5, 6), np.uint8)), fits.ImageHDU(np.ones((5, 6), np.uint8))]
    fits.HDUList(hdus).writeto(tmp_path / "x.fits")
    (tmp_path / "cut.fits").write_bytes((tmp_path / "x.fits").read_bytes()[:cut])
    with pytest.raises(NothingToReport, match=r"cut\.fits"):
        load(tmp_path, "cut.fits")


def test_shapes_of_the_majority_win_and_the_advice_helps(folder: Path) -> None:
    Image.new("L", (9, 9)).save(folder / "images" / "0.png")
    Image.new("RGB", (6, 5)).save(folder / "images" / "rgb.png")
    probes = load(folder)
    assert [probe.id for probe in probes.probes] == ["a", "b", "c"]
    assert [(f.name, f.expected[:9], f.received, f.advice) for f in probes.failures] == [
        ("0", "5 × 6 × 1", "9 × 9 × 1", "Set probes.prepare.resize or crop."),
        ("rgb", "5 × 6 × 1", "5 × 6 × 3", "Set probes.prepare.grey or bands."),
    ]
    healed = load(folder, prepare={"resize": 4, "grey": True})
    assert len(healed) == 5
    assert healed.failures == ()
    assert healed.images[4].shape == (5, 6, 3)


def test_nothing_left_is_nothing_to_report(folder: Path) -> None:
    for images in ("imges", "images/*.jpg", "images/d.png", []):
        with pytest.raises(NothingToReport) as caught:
            load(folder, images)
        assert caught.value.exit_code == 4
    with pytest.raises(NothingToReport, match="imges: There is no such file") as caught:
        load(folder, "imges")
    assert caught.value.advice == "did you mean images?"
    with pytest.raises(NothingToReport, match="smaller than the crop"):
        load(folder, prepare={"crop": 7})
    with pytest.raises(NothingToReport, match="No probe has this id"):
        load(folder, select=["x"])
    probes = load(folder, ["images/a.png", "images/d.png"])
    assert [failure.name for failure in probes.failures] == ["images/d.png"]


def test_options_that_do_not_fit_the_images_are_errors(folder: Path) -> None:
    for options in (
        {"bands": ["g", "r"]},
        {"prepare": {"bands": ["g"]}},
        {"display": {"band": 3}},
        {"display": {"rgb": [0, 1, 2]}},
        {"prepare": {"steps": [{"keras": "resnet"}, {"keras": "resent"}]}},
    ):
        with pytest.raises(ConfigError):
            load(folder, **options)


def test_bands_in_files_of_their_own_must_pair_up(folder: Path) -> None:
    shutil.copytree(folder / "images", folder / "red")
    probes = load(folder, {"g": "images/[ab].png", "r": ["red/a.png", "red/b.png"]})
    assert [probe.id for probe in probes.probes] == ["a", "b"]
    assert probes.channels == ("g", "r")
    Image.new("L", (2, 2)).save(folder / "red" / "b.png")
    (folder / "red" / "c.png").write_bytes(b"")
    probes = load(folder, {"g": "images", "r": "red"})
    assert [(f.name, f.problem) for f in probes.failures] == [
        ("images/b.png + red/b.png", "The bands of this galaxy do not fit together"),
        ("red/c.png", "The file is empty"),
    ]
    (folder / "red" / "a.png").unlink()
    with pytest.raises(ConfigError, match="different numbers of files") as caught:
        load(folder, {"g": "images", "r": "red"})
    assert caught.value.received == "g: 3, r: 2"


def test_fingerprints_follow_what_the_network_sees_and_nothing_else(folder: Path, tmp_path_factory: Any) -> None:
    first = load(folder, prepare={"steps": [{"scale": 0.5}]})
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(folder / "images", elsewhere / "images")
    again = load(elsewhere, prepare={"steps": [{"scale": 0.5}]}, display={"invert": True})
    assert first.sha256 == again.sha256
    assert first.probes == again.probes
    content = b"<f4 (5, 6, 1)\n" + struct.pack("<30f", *[0.5] * 30)
    assert first.probes[1].sha256 == hashlib.sha256(content).hexdigest()
    assert len({probe.sha256 for probe in first.probes}) == 3
    others = [
        load(folder, prepare={"steps": [{"scale": 0.25}]}),
        load(folder, prepare={"dtype": "float64", "steps": [{"scale": 0.5}]}),
        load(folder, "images/[ab].png", prepare={"steps": [{"scale": 0.5}]}),
        load(folder, ["images/b.png", "images"], prepare={"steps": [{"scale": 0.5}]}),
    ]
    assert len({probes.sha256 for probes in (first, *others)}) == 5


def test_flattening_changes_the_shape_alone(folder: Path) -> None:
    plain, flat = load(folder), load(folder, prepare={"flatten": True})
    np.testing.assert_array_equal(flat.inputs, plain.inputs.reshape(3, 30))
    assert flat.input_shape == plain.input_shape == (5, 6, 1)
    assert [p.sha256 for p in flat.probes] == [p.sha256 for p in plain.probes]
    assert flat.steps[-1] == "flatten"


def test_the_pixel_scale_comes_from_the_catalogue_the_header_or_the_options(folder: Path) -> None:
    (folder / "c.csv").write_text("file,pixel_scale\na.png,0.396\n")
    probes = load(folder, catalogue="c.csv", pixel_scale=0.262, select=["a", "b"])
    assert [probe.metadata["pixel_scale"] for probe in probes.probes] == ["0.396", "0.262"]
    assert probes.display == "as stored (8 bit)"
