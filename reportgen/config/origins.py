"""What set each option: the file, the environment, a flag, or nobody."""

from __future__ import annotations

from reportgen.config.model import Config
from reportgen.config.positions import Document, Key, Value, dotted


def origins(config: Config, document: Document) -> dict[str, str]:
    """Say for each option what set it; of a list that several sources set, all of them."""
    found: dict[str, str] = {}

    def visit(value: Value, key: Key) -> None:
        if isinstance(value, dict) and value:
            for name, item in value.items():
                visit(item, (*key, name))
            return
        sources = []
        if key in document.spots:
            spot = document.keys.get(key, document.spots[key])
            sources.append(f"{spot.source}:{spot.line}" if spot.line else spot.source)
        below = (spot.source for place, spot in document.spots.items() if place[: len(key)] == key)
        sources += [source for source in below if not any(known.startswith(source) for known in sources)]
        found[dotted(key)] = ", ".join(dict.fromkeys(sources)) or "default"

    visit(config.model_dump(mode="json"), ())
    return found
