"""The commands for templates of one's own."""

from __future__ import annotations

import re
from pathlib import Path

from reportgen.cli.answer import Answer
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError

BLOCK = re.compile(r"{%-?\s*block\s+(\w+)[^%]*%}")


def list_templates() -> Answer:
    """List the templates and the blocks of each."""
    from reportgen.templating import template_names

    blocks = {name: list(dict.fromkeys(BLOCK.findall(_text(name)))) for name in template_names()}
    width = max(map(len, blocks))
    lines = (f"{name:<{width}}  {', '.join(found)}".rstrip() for name, found in blocks.items())
    return Answer(tuple(lines), {"templates": blocks})


def copy_template(name: str, folder: Path, *, whole: bool, force: bool) -> Answer:
    """Write a template of one's own into a folder, as a start: its blocks to be changed, or all of it."""
    from reportgen.templating import template_names

    known = template_names()
    full = next((n for n in (name, f"{name}.html", f"sections/{name}.html") if n in known), None)
    if full is None:
        raise ConfigError(
            f"there is no template {name}", expected="one of `reportgen templates list`",
            advice=did_you_mean(name, [*known, *(Path(n).stem for n in known)]),
        )  # fmt: skip
    target = folder / full
    if target.exists() and not force:
        raise ConfigError(
            "the file is there already", where=str(target), expected="a new file", advice="--force overwrites it"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_text(full) if whole else _start(full), encoding="utf-8")
    return Answer(
        (f"template  {target}", f"next      write `templates: {folder}` into your configuration"),
        {"template": str(target), "name": full},
    )


def _start(name: str) -> str:
    """Return a template that extends the original, each block handing on what the original has."""
    text = _text(name)
    blocks = list(dict.fromkeys(BLOCK.findall(text)))
    if not blocks:
        return text  # nothing to change block by block
    head = (
        f"{{# Changes blocks of reportgen's {name}; a block that is left out stays as it is. super() is the original's"
        f' content: write before, after or instead of it. #}}\n{{% extends "reportgen/{name}" %}}\n'
    )
    imported = '{% import "macros.html" as m with context %}\n'
    return head + imported + "".join(f"\n{{% block {b} %}}\n{{{{ super() }}}}\n{{% endblock %}}\n" for b in blocks)


def _text(name: str) -> str:
    from reportgen.templating import resource_folder

    return (resource_folder("templates") / name).read_text(encoding="utf-8")
