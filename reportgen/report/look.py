"""What a user changes of a report's looks: own templates, logo and font, stored with the report."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path

from reportgen.config import Config
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError
from reportgen.figures import Picture
from reportgen.templating import environment, template_names


@dataclass(frozen=True)
class Look:
    """Own templates, logo and font; nothing by default."""

    templates: Path | None = None
    """Folder whose templates take the place of those of the same name."""
    logo: Picture | None = None
    font: bytes = b""
    """A TrueType or OpenType file."""


def check_look(config: Config, base: Path) -> None:
    """Raise ConfigError on a template that overrides nothing or does not compile; relative paths start at `base`."""
    if config.templates is not None:
        check_templates(base / config.templates)


def check_templates(folder: Path) -> None:
    """Raise ConfigError on a file of the folder that overrides no template, or is none."""
    from jinja2 import TemplateError

    known = template_names()
    made = environment(folder)
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        name = path.relative_to(folder).as_posix()
        if name not in known:
            raise ConfigError(
                f"there is no template {name} to override", where=str(path),
                expected="one of `reportgen templates list`", advice=did_you_mean(name, known),
            )  # fmt: skip
        try:
            made.get_template(name)
        except (TemplateError, UnicodeDecodeError) as error:
            raise ConfigError(
                "this template cannot be read", where=f"{path}:{getattr(error, 'lineno', None) or 1}",
                expected="a Jinja template", received=str(error),
            ) from error  # fmt: skip


def store_look(config: Config, base: Path, folder: Path) -> None:
    """Copy own templates, logo and font into a folder of the report, so that it can be drawn again anywhere."""
    files = {"logo": config.theme.logo, "font": config.theme.font}
    for name, path in files.items():
        if path is not None:
            folder.mkdir(exist_ok=True)
            shutil.copyfile(base / path, folder / f"{name}{path.suffix.lower()}")
    if config.templates is not None:
        ignored = shutil.ignore_patterns(".*")
        shutil.copytree(base / config.templates, folder / "templates", ignore=ignored, dirs_exist_ok=True)


def copy_look(source: Path, target: Path, templates: Path | None = None) -> None:
    """Copy what `store_look` left for one report to another, with `templates` in place of its own where given."""
    if source.is_dir():
        shutil.copytree(source, target)
    if templates is not None:
        shutil.rmtree(target / "templates", ignore_errors=True)
        shutil.copytree(templates, target / "templates", ignore=shutil.ignore_patterns(".*"))


def read_look(folder: Path) -> Look:
    """Return what `store_look` left there; a report without it has the usual looks."""
    templates = folder / "templates"
    font = next((folder / f"font{kind}" for kind in (".ttf", ".otf") if (folder / f"font{kind}").is_file()), None)
    return Look(
        templates if templates.is_dir() else None,
        next((_logo(folder / f"logo{kind}") for kind in (".png", ".svg") if (folder / f"logo{kind}").is_file()), None),
        font.read_bytes() if font else b"",
    )


def _logo(path: Path) -> Picture:
    """Return a logo; an SVG gets its size from the page."""
    data = path.read_bytes()
    if path.suffix == ".svg":
        return Picture(data, 0, 0, "svg")
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            return Picture(data, image.width, image.height)
    except UnidentifiedImageError as error:
        raise ConfigError("the logo is no PNG", where=str(path), received=str(error)) from error
