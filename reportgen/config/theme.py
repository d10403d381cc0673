"""Whose report it is: logo, colours and font."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from reportgen.config.options import Options

Role = Literal["accent", "ink", "soft", "page"]
Colours = dict[Role, str]

LIGHT: Colours = {"accent": "#0b6e99", "ink": "#1c2733", "soft": "#52606f", "page": "#ffffff"}
DARK: Colours = {"accent": "#63b6da", "ink": "#e4e9ee", "soft": "#a9b4c0", "page": "#12181f"}
"""Colours of base.css and screen.css, which a theme may change; a test holds them together."""
CONTRAST = 4.5
"""Of text to the page, at least: WCAG 2.2, 1.4.3 (AA)."""


class ThemeConfig(Options):
    """Logo, colours and font of HTML and PDF."""

    logo: Path | None = None
    """PNG or SVG, beside the title; relative to this file."""
    font: Path | None = None
    """TrueType or OpenType file of the text, in place of Source Sans; it goes into the report."""
    colours: Colours = Field(default_factory=dict)
    """Colours of the page as #rrggbb: accent, ink, soft (captions), page. Text needs a contrast of 4.5 to the page."""
    dark: Colours = Field(default_factory=dict)
    """The same for readers whose screen is dark."""

    @field_validator("logo", "font")
    @classmethod
    def _know_the_kind(cls, value: Path | None, info: object) -> Path | None:
        kinds = (".png", ".svg") if getattr(info, "field_name", "") == "logo" else (".ttf", ".otf")
        if value is not None and value.suffix.lower() not in kinds:
            raise ValueError(f"expected a file that ends in {' or '.join(kinds)}")
        return value

    @field_validator("colours", "dark")
    @classmethod
    def _be_colours(cls, value: Colours) -> Colours:
        for name, colour in value.items():
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
                raise ValueError(f"{name}: expected a colour like #0b6e99, got {colour[:40]!r}")
        return value

    @model_validator(mode="after")
    def _be_legible(self) -> ThemeConfig:
        for key, usual, own in (("colours", LIGHT, self.colours), ("dark", DARK, self.dark)):
            colours = usual | own
            for name in ("accent", "ink", "soft"):
                found = contrast(colours[name], colours["page"])
                if own and found < CONTRAST:
                    raise ValueError(
                        f"{key}: {name} {colours[name]} on page {colours['page']} has a contrast of {found:.1f};"
                        f" text needs {CONTRAST}"
                    )
        return self


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours #rrggbb, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance of sRGB (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
