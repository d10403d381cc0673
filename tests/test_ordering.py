"""In what order the uses of layers are computed, and what it costs to find that out."""

from __future__ import annotations

import time

import numpy as np
import pytest

from attacks.architectures import backwards, doubled, many_ends, many_uses, nested, wide_add
from reportgen.checkpoints import read_graph
from reportgen.checkpoints.connections import Link, Use, links_in
from reportgen.checkpoints.json_text import JSON_DEPTH, parse_json
from reportgen.checkpoints.limits import CONFIG_LIMIT
from reportgen.checkpoints.ordering import Waiting, in_order
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import CheckpointError


def by_repeated_passes(waiting: list[Waiting], given: list[Link]) -> list[Waiting]:
    """Go through the list again and again, each time taking what can be computed: simple, and quadratic."""
    known, done = set(given), []
    while waiting:
        blocked = []
        for name, number, use in waiting:
            if all(Link(link.layer, link.node, 0) in known for link in links_in((use.args, use.kwargs))):
                known.add(Link(name, number, 0))
                done.append((name, number, use))
            else:
                blocked.append((name, number, use))
        assert len(blocked) < len(waiting)
        waiting = blocked
    return done


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_that_of_repeated_passes_over_any_list(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = Link("image", 0, 0)
    made, waiting = [start], []
    for number in range(30):
        taken = [made[int(i)] for i in rng.integers(0, len(made), int(rng.integers(1, 4)))]
        link = Link(f"l{number % 7}", number // 7, 0)
        waiting.append((link.layer, link.node, Use((taken,), {})))
        made.append(link)
    shuffled = [waiting[i] for i in rng.permutation(len(waiting))]
    assert in_order(shuffled, [start]) == by_repeated_passes(shuffled, [start])


def test_a_chain_listed_from_its_end_is_read_in_linear_time() -> None:
    model = backwards(4900)
    start = time.process_time()
    graph = read_graph(StoredModel((), model))
    assert [call.name for call in graph.calls] == ["image", *(f"r{i}" for i in range(4900))]
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (doubled(20), "nested too deeply"),
        (doubled(12), "too many layers"),
        (doubled(11, 900, leaf=False), "too many layers"),
        (many_uses(40_000), "too many layers"),
        (wide_add(200_000), "too many connections"),
        (many_ends(60_000), "outputs"),
        (nested(13), "nested too deeply"),
    ],
    ids=["deep", "uses 2¹²", "uses 900¹¹ of nothing", "one layer", "one sum", "ends", "sequential"],
)
def test_networks_that_multiply_are_refused_before_they_are_made(model: dict[str, object], words: str) -> None:
    start = time.process_time()
    with pytest.raises(CheckpointError, match=words):
        read_graph(StoredModel((), model))
    assert time.process_time() - start < 5


def test_a_model_used_a_thousand_times_is_still_read() -> None:
    graph = read_graph(StoredModel((), doubled(10)))
    assert len(graph.calls) == 1 + 2**10
    assert graph.outputs[0].call == 2**10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[" * (JSON_DEPTH + 2) + b"]" * (JSON_DEPTH + 2), "nested"),
        (b"[" * 100_000, "nested"),
        (b"[" + b"0," * 2_000_001 + b"0]", "values"),
        (b"1" * 5000, "no JSON"),
        ("[1]".encode("utf-16"), "no JSON"),
        (b"\xff[1]", "no JSON"),
    ],
)
def test_json_is_judged_before_it_is_used(text: bytes, words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        parse_json(text, "config.json", CONFIG_LIMIT)


def test_characters_that_nothing_can_store_are_replaced() -> None:
    text = rb'{"a\u0000b": ["\ud800", "\ud83d\ude00"]}'
    assert parse_json(text, "config.json", CONFIG_LIMIT) == {"a?b": ["?", "\U0001f600"]}
