"""The table of the README from the rows of a measurement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- bench -->\n", "<!-- /bench -->\n"
HEAD = "| what | on | beside | ratio of CPU | reach | memory |\n|---|---|---|---|---|---|\n"


def table(content: dict[str, Any]) -> str:
    """Return the table in Markdown: the median and, in brackets, the least and the most of all pairs."""
    return HEAD + "\n".join(_line(row) for row in content["rows"]) + "\n"


def _line(row: dict[str, Any]) -> str:
    seconds = not row["peer"] and "over" not in row["what"]
    unit = " s" if seconds else ""
    low, middle, high = (_number(row["ratio"][key]) for key in ("least", "median", "most"))
    reach = f"{_number(row['reach'])}{unit}" if row["reach"] else "–"
    if row["reached"] is False:
        reach = f"**{reach}, missed**"
    memory = "–" if row["memory"] is None else _number(row["memory"])
    cells = (row["what"], row["input"], row["peer"] or "–", f"{middle}{unit} ({low}–{high})", reach, memory)
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def write(content: dict[str, Any]) -> None:
    """Put the table between its markers in the README."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{table(content)}\n{END}{rest.split(END)[1]}")
