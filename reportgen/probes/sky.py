"""What the world coordinates of a FITS header say about scale and orientation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.io.fits import Header


def orientation(header: Header) -> dict[str, str]:
    """Return pixel_scale [arcsec / pixel], north_angle and east_angle; empty without celestial coordinates.

    The angles are in degrees, counter-clockwise from up, at the centre of the image shown as FITS means it,
    row 0 at the bottom; within (-180, 180].
    """
    from astropy import units
    from astropy.wcs import WCS, NoConvergence
    from astropy.wcs.utils import proj_plane_pixel_scales

    if not any(str(header.get(f"CTYPE{axis}", "")).strip() for axis in (1, 2, 3, 4)):
        return {}
    try:
        wcs = WCS(header)
        # Without a scale in the header astropy takes one degree a pixel.
        if not wcs.has_celestial or not any(header.get(key) for key in ("CDELT1", "CD1_1", "CD1_2")):
            return {}
        wcs = wcs.celestial
        scale = float(np.prod(proj_plane_pixel_scales(wcs))) ** 0.5 * 3600
        centre = np.array([(header["NAXIS1"] - 1) / 2, (header["NAXIS2"] - 1) / 2])
        here = wcs.pixel_to_world(*centre).icrs
        angles = {}
        for side, position_angle in (("north", 0), ("east", 90)):
            there = here.directional_offset_by(position_angle * units.deg, scale * units.arcsec)
            dx, dy = np.array(wcs.world_to_pixel(there)) - centre
            angles[f"{side}_angle"] = f"{np.degrees(np.arctan2(-dx, dy)):.1f}"
    except (ValueError, KeyError, AssertionError, NoConvergence):
        # Astropy's ways to refuse a header; what contradicts itself about the sky still shows a galaxy.
        return {}
    if not np.isfinite(scale) or scale <= 0:
        return {}
    return {"pixel_scale": f"{scale:.4g}", **angles}
