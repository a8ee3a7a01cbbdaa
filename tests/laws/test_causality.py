"""The hot loops of causality in the native core, and their twins in Python, answer the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld import native
from upheld.checkers.causality import order
from upheld.checkers.reads_from import INITIAL, Numbers

pytestmark = pytest.mark.skipif(native.core is None, reason="the native core is not there")


def rows_of(draw: st.DrawFn, width: int, *columns: st.SearchStrategy[int]) -> Numbers:
    return np.array(draw(st.lists(st.tuples(*columns), max_size=30)), dtype=np.int64).reshape(-1, width)


@dataclass(frozen=True)
class Past:
    """Rows in chains, edges that lead to greater rows, reads and writes."""

    chain: Numbers
    place: Numbers
    edges: Numbers
    reads: Numbers
    writes: Numbers


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    rows = draw(st.integers(1, 20))
    chain = np.unique(draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)), return_inverse=True)[1]
    row, keys = st.integers(0, rows - 1), st.integers(0, 2)
    place = np.array([(chain[:at] == chain[at]).sum() for at in range(rows)], dtype=np.int64)
    along = [(one, two) for one in range(rows) for two in range(one) if chain[one] == chain[two]]
    across = [sorted(pair) for pair in rows_of(draw, 2, row, row).tolist() if pair[0] != pair[1]]
    edges = np.array([*((two, one) for one, two in along), *across], dtype=np.int64).reshape(-1, 2)
    reads = rows_of(draw, 3, row, keys, st.integers(INITIAL, rows - 1))
    writes = np.unique(rows_of(draw, 2, row, keys), axis=0)
    return Past(chain.astype(np.int64), place, edges, reads, writes)


@given(
    st.integers(1, 12).flatmap(
        lambda rows: st.tuples(st.just(rows), st.lists(st.tuples(*[st.integers(0, rows - 1)] * 2)))
    )
)
def test_the_order_of_any_graph(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    rows, edges = drawn
    before, after = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    assert order.topological(rows, before, after).tolist() == order.topological_twin(rows, before, after).tolist()


@given(pasts())
def test_the_clocks_of_rows_in_chains(past: Past) -> None:
    before, after = past.edges.T
    along = order.topological(len(past.chain), before, after)
    asked = along, before, after, past.chain, past.place
    assert order.prefix_clocks(*asked).tolist() == order.prefix_clocks_twin(*asked).tolist()


@given(pasts())
def test_what_reads_passed_over(past: Past) -> None:
    before, after = past.edges.T
    along = order.topological(len(past.chain), before, after)
    clocks = order.prefix_clocks(along, before, after, past.chain, past.place)
    asked = past.reads, past.writes, past.chain, past.place, clocks
    mine, theirs = order.conflicts(*asked), order.conflicts_twin(*asked)
    assert [numbers.tolist() for numbers in mine] == [numbers.tolist() for numbers in theirs]
