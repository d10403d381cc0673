"""Options of what a person sees of a probe, and these options in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from reportgen.config.options import Options
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError


class DisplayConfig(Options):
    """What a person sees; the network's numbers do not depend on it."""

    stretch: Literal["auto", "linear", "asinh", "sqrt", "log", "square"] = "auto"
    """auto: as it is for 8-bit images, which are already stretched; asinh for all others."""
    interval: Literal["auto", "minmax", "percentile", "zscale"] = "auto"
    """Which values become black and white, in each band. auto: the whole range of 8-bit images, percentiles
    for all others."""
    percent: tuple[float, float] = (0.5, 99.5)
    """Percentiles of `interval: percentile`."""
    asinh_a: float = Field(default=0.1, gt=0)
    """Where the asinh stretch turns from linear to logarithmic, as a fraction of the interval."""
    rgb: tuple[str | int, str | int, str | int] | None = None
    """Bands shown as red, green and blue (the reddest first); by default the three of an 8-bit image, or R,
    G, B."""
    lupton: bool = False
    """Combine `rgb` as Lupton et al. (2004) do: each band's median is black, and the colour of a pixel does
    not depend on its brightness. The upper end of `interval` becomes white; `stretch` is theirs, an asinh
    with `asinh_a`."""
    band: str | int | None = None
    """Band shown in grey where there is no colour; by default the first."""
    invert: bool = False
    """Show faint structure dark on white; colours keep their hue."""

    @model_validator(mode="after")
    def _percentiles_in_order(self) -> DisplayConfig:
        low, high = self.percent
        if not 0 <= low < high <= 100:
            raise ValueError(f"percent is (low, high) with 0 <= low < high <= 100; received {list(self.percent)}")
        return self

    def resolved(self, eight_bit: bool) -> DisplayConfig:
        """Return the same options with `auto` replaced by what it means for images of this type."""
        stretch, interval = ("linear", "auto") if eight_bit else ("asinh", "percentile")
        return self.model_copy(
            update={
                "stretch": stretch if self.stretch == "auto" else self.stretch,
                "interval": interval if self.interval == "auto" else self.interval,
            }
        )

    def colours(self, bands: Sequence[str], eight_bit: bool) -> tuple[int, int, int] | None:
        """Return the numbers of the bands shown as red, green, blue; None for an image in grey."""
        if self.rgb is not None:
            red, green, blue = (find_band(band, bands) for band in self.rgb)
            return red, green, blue
        if len(bands) == 3 and (eight_bit or tuple(bands) == ("R", "G", "B")):
            return 0, 1, 2
        return None

    def in_words(self, bands: Sequence[str], eight_bit: bool) -> str:
        """Return the stretch in words, for captions: "asinh stretch (a = 0.1), 0.5-99.5 %"."""
        chosen, colours = self.resolved(eight_bit), self.colours(bands, eight_bit)
        ranges = {
            "auto": "0-255", "minmax": "smallest to largest value", "zscale": "zscale",
            "percentile": f"{chosen.percent[0]:g}-{chosen.percent[1]:g} %",
        }  # fmt: skip
        parts = []
        if chosen.lupton and colours:
            top = f"{chosen.percent[1]:g} %" if chosen.interval == "percentile" else ranges[chosen.interval]
            a = f"(a = {chosen.asinh_a:g})"
            parts += [f"Lupton et al. (2004) colour {a}", f"median of each band black, white at {top}"]
        elif chosen.stretch == "linear" and chosen.interval == "auto":
            parts.append("as stored (8 bit)")
        else:
            a = f" (a = {chosen.asinh_a:g})" if chosen.stretch == "asinh" else ""
            parts += [f"{chosen.stretch} stretch{a}", ranges[chosen.interval]]
        if colours and tuple(bands) != ("R", "G", "B"):
            parts.append("red, green, blue = " + ", ".join(bands[i] for i in colours))
        elif not colours and len(bands) > 1:
            parts.append(f"{bands[find_band(chosen.band or 0, bands)]} alone")
        return ", ".join([*parts, *(["inverted"] if chosen.invert else [])])


def find_band(band: str | int, bands: Sequence[str]) -> int:
    """Return the number of a band given by name or number.

    Raises ConfigError where there is no such band.
    """
    if isinstance(band, str) and band in bands:
        return list(bands).index(band)
    if isinstance(band, int) and 0 <= band < len(bands):
        return band
    raise ConfigError(
        f"The images have no band {band!r}",
        expected=f"one of {', '.join(bands)}, or a number from 0 to {len(bands) - 1}",
        received=repr(band),
        advice=did_you_mean(band, bands) if isinstance(band, str) else "",
    )
