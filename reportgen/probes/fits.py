"""FITS: one or several HDUs a galaxy, any BITPIX, scaled, compressed or gzipped."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reportgen.config import ProbesConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ProbeError
from reportgen.probes.raw import LARGEST_IMAGE, RawImage, native, stem
from reportgen.probes.sky import orientation

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, ImageHDU


def read(path: Path, name: str, config: ProbesConfig) -> Iterator[RawImage | ProbeError]:
    """Yield the galaxies of a FITS file.

    Values are physical, BSCALE and BZERO applied; undefined pixels are NaN.
    """
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    found: list[RawImage | ProbeError] = []
    # Opened here, because astropy leaves a file that is no FITS open.
    with (
        path.open("rb") as file,
        warnings.catch_warnings(record=True) as caught,
        fits.open(file, memmap=False) as hdus,
    ):
        # Headers break the standard in a hundred harmless ways; one that ends half-way is not harmless.
        warnings.simplefilter("always", AstropyWarning)
        count = len(hdus)
        cut = [str(warning.message) for warning in caught if "Error validating header" in str(warning.message)]
        damage = ProbeError(
            f"The file is damaged after HDU {count - 1}",
            where=name,
            expected="a complete header",
            received=cut[0] if cut else "",
            advice="Copy the file again from where it came.",
        )
        if cut and config.fits.hdus != "galaxies":
            raise damage
        galaxies = _galaxies(hdus, name, config)
        for numbers in galaxies:
            try:
                found.append(_galaxy(hdus, numbers, len(galaxies) > 1, path, name))
            except ProbeError as error:
                found.append(error)
    yield from found
    if cut:
        yield damage


def _galaxy(hdus: HDUList, numbers: tuple[int, ...], several: bool, path: Path, name: str) -> RawImage:
    source = name if len(hdus) == 1 else f"{name}[{','.join(map(str, numbers))}]"
    pixels = _stack([_bands(hdus[n], f"{name}[{n}]") for n in numbers], source)
    header = hdus[numbers[0]].header
    return RawImage(
        id=str(header.get("EXTNAME") or numbers[0]) if several else stem(path),
        pixels=native(pixels, source),
        source=source,
        bottom_up=True,
        numbered=several,
        metadata=orientation(header),
    )


def _galaxies(hdus: HDUList, name: str, config: ProbesConfig) -> list[tuple[int, ...]]:
    """Return the numbers of the HDUs of each galaxy."""
    chosen = config.fits.hdus
    if isinstance(chosen, tuple):
        return [tuple(_number(hdus, hdu, name) for hdu in chosen)]
    images = [n for n, hdu in enumerate(hdus) if hdu.is_image and len(hdu.shape) >= 2]
    if not images:
        raise ProbeError(
            "There is no image in this FITS file",
            where=name,
            expected="an HDU with two or three axes",
            received=", ".join(f"{n}: {type(hdu).__name__} {hdu.name}".rstrip() for n, hdu in enumerate(hdus)),
        )
    return [(n,) for n in images] if chosen == "galaxies" else [tuple(images)]


def _number(hdus: HDUList, wanted: int | str, name: str) -> int:
    try:
        number = int(hdus.index_of(wanted))
        hdu = hdus[number]
    except (KeyError, IndexError):
        names = [hdu.name for hdu in hdus if hdu.name]
        raise ProbeError(
            f"There is no HDU {wanted!r}",
            where=name,
            expected=f"a number from 0 to {len(hdus) - 1}" + (f" or one of {', '.join(names)}" if names else ""),
            received=f"{wanted!r} in probes.fits.hdus",
            advice=did_you_mean(str(wanted), names),
        ) from None
    if not hdu.is_image or len(hdu.shape) < 2:
        raise ProbeError(f"HDU {wanted!r} holds no image", where=name, received=type(hdu).__name__)
    return number


def _bands(hdu: ImageHDU, source: str) -> NDArray[np.generic]:
    """Return an HDU as `(y, x, band)`."""
    if int(np.prod(hdu.shape, dtype=object)) > LARGEST_IMAGE:
        raise ProbeError(
            "The image is too large for a probe",
            where=source,
            expected=f"at most {LARGEST_IMAGE:,} numbers",
            received=" × ".join(map(str, hdu.shape)),
        )
    try:
        data = np.asarray(hdu.data)
    except (OSError, ValueError, TypeError) as error:
        raise ProbeError(
            f"The pixels cannot be read: {error}",
            where=source,
            advice="The file may have been cut short: copy it again from where it came.",
        ) from error
    while data.ndim > 3 and data.shape[0] == 1:
        data = data[0]
    if data.ndim == 2:
        return data[..., None]
    if data.ndim != 3:
        raise ProbeError(
            "An image has two or three axes",
            where=source,
            expected="(y, x) or (band, y, x)",
            received=" × ".join(map(str, data.shape)),
        )
    bands_last = data.shape[-1] <= 16 < data.shape[0]
    return data if bands_last else np.moveaxis(data, 0, -1)


def _stack(bands: Sequence[NDArray[np.generic]], source: str) -> NDArray[np.generic]:
    shapes = {band.shape[:2] for band in bands}
    if len(shapes) > 1:
        raise ProbeError(
            "The HDUs of this file differ in size",
            where=source,
            expected="one size for all bands of a galaxy",
            received=", ".join(f"{y} × {x}" for y, x in sorted(shapes)),
            advice="Set probes.fits.hdus to `galaxies` if each is one, or list those that are bands.",
        )
    return np.concatenate(bands, axis=-1)
