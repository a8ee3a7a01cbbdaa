"""The lattice of consistency models as a picture: what is stronger stands higher, and a line leads to what it implies.

Layers are drawn as Sugiyama, Tagawa and Toda do ("Methods for Visual Understanding of Hierarchical System Structures",
1981): ranks by longest path, lines broken where they cross a rank, each rank ordered by the places of its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..specs.consistency import MODELS
from ..specs.consistency.lattice import graph

if TYPE_CHECKING:
    import networkx as nx

Joint: TypeAlias = tuple[str, str, int]
"""Where a line crosses a rank: the model that it comes from, the one that it leads to, the rank."""
Node: TypeAlias = str | Joint
Places: TypeAlias = dict[Node, float]

SWEEPS: Final = 24
RANK_HEIGHT: Final = 76
BOX_HEIGHT: Final = 38
LETTER: Final = 7.3
"""The width of a letter, in pixels as all lengths here."""
GAP: Final = 14
MARGIN: Final = 16
FILLS: Final = {
    "eventual": "#e8e3f4",
    "session": "#dcecf7",
    "fifo": "#d5efe9",
    "causal": "#e3f1d4",
    "register": "#fbeccd",
    "sequential": "#f9dccf",
    "linearizable": "#f9dccf",
    "isolation": "#ececec",
}


def picture() -> str:
    """The lattice as SVG; the same text for the same data, everywhere."""
    across: Places = {}
    down: Places = {}
    paths: list[list[Node]] = []
    right = 0.0
    for part in _parts(graph()):
        ranks, links = _ranked(part)
        places = _placed(_ordered(ranks, links), links)
        left = right + MARGIN - min(place - _width(node) / 2 for node, place in places.items())
        across |= {node: round(left + place, 1) for node, place in places.items()}
        down |= {node: MARGIN + BOX_HEIGHT / 2 + RANK_HEIGHT * at for at, nodes in enumerate(ranks) for node in nodes}
        paths += _paths(links)
        right = max(across[node] + _width(node) / 2 for node in places)
    width, height = right + MARGIN, max(down.values()) + BOX_HEIGHT / 2 + MARGIN
    lines = [_line(path, across, down) for path in paths]
    boxes = [_box(name, across[name], down[name]) for name in MODELS]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            "<title>The lattice of consistency models</title>",
            '<rect width="100%" height="100%" fill="white"/>',
            '<g fill="none" stroke="#8a8a8a" stroke-width="1.2">',
            *lines,
            "</g>",
            '<g font-family="monospace" font-size="12" text-anchor="middle">',
            *boxes,
            "</g>",
            "</svg>\n",
        )
    )


# --- which rank, in which order, at which place


def _parts(lattice: nx.DiGraph[Any]) -> list[nx.DiGraph[Any]]:
    """The parts that nothing connects, each drawn by itself; in the order of their first models."""
    import networkx as nx  # noqa: PLC0415  # heavy, and needed only to draw

    first = {name: place for place, name in enumerate(MODELS)}
    parts = sorted(nx.weakly_connected_components(lattice), key=lambda part: min(first[name] for name in part))
    return [lattice.subgraph(part) for part in parts]


def _ranked(lattice: nx.DiGraph[Any]) -> tuple[list[list[Node]], list[tuple[Node, Node]]]:
    """The ranks, the strongest first, and the links between neighbouring ones."""
    import networkx as nx  # noqa: PLC0415  # heavy, and needed only to draw

    order = {name: place for place, name in enumerate(MODELS)}
    ranks: list[list[Node]] = [
        [name for name in MODELS if name in rank] for rank in nx.topological_generations(lattice)
    ]
    rank_of = {node: rank for rank, nodes in enumerate(ranks) for node in nodes}
    links: list[tuple[Node, Node]] = []
    for strong, weak in sorted(lattice.edges, key=lambda edge: (order[edge[0]], order[edge[1]])):
        joints: list[Node] = [(strong, weak, rank) for rank in range(rank_of[strong] + 1, rank_of[weak])]
        for joint in joints:
            ranks[joint[2]].append(joint)  # type: ignore[index]  # a joint knows its rank
        links += pairwise([strong, *joints, weak])
    return ranks, links


def _ordered(ranks: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]]) -> list[list[Node]]:
    """Each rank by the mean place of its neighbours, down and up again; of all orders met, that with the fewest crossings."""
    above, below = _neighbours(links)
    current = [list(rank) for rank in ranks]
    best, fewest = current, _crossings(current, links)
    for sweep in range(SWEEPS):
        near, way = (above, range(1, len(ranks))) if sweep % 2 == 0 else (below, range(len(ranks) - 2, -1, -1))
        current = [list(rank) for rank in current]
        for rank in way:
            place: Places = {node: at / len(nodes) for nodes in current for at, node in enumerate(nodes)}
            current[rank].sort(key=lambda node: fmean([place[other] for other in near[node]] or [place[node]]))
        crossings = _crossings(current, links)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def _crossings(ranks: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]]) -> int:
    place = {node: (rank, at) for rank, nodes in enumerate(ranks) for at, node in enumerate(nodes)}
    ends = sorted((*place[one], place[other][1]) for one, other in links)
    return sum(
        rank == other_rank and (at - other_at) * (end - other_end) < 0
        for number, (rank, at, end) in enumerate(ends)
        for other_rank, other_at, other_end in ends[:number]
    )


def _placed(ranks: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]]) -> Places:
    """Each node as near to its neighbours as the others of its rank let it be."""
    above, below = _neighbours(links)
    places: Places = {
        node: place for nodes in ranks for node, place in zip(nodes, _apart(nodes, lambda _: 0), strict=True)
    }
    for sweep in range(SWEEPS):
        near, order = (above, ranks) if sweep % 2 == 0 else (below, ranks[::-1])

        def wish(node: Node, near: Mapping[Node, Sequence[Node]] = near) -> float:
            return fmean([places[other] for other in near.get(node, ())] or [places[node]])

        for nodes in order:
            places.update(zip(nodes, _apart(nodes, wish), strict=True))
    return places


def _apart(nodes: Sequence[Node], wish: Callable[[Node], float]) -> list[float]:
    """The places nearest to the wishes that keep the order and the distances: neighbours in conflict share the mean."""
    offsets = [0.0]
    for one, other in pairwise(nodes):
        offsets.append(offsets[-1] + (_width(one) + _width(other)) / 2 + GAP)
    blocks: list[list[float]] = []
    for node, offset in zip(nodes, offsets, strict=True):
        blocks.append([wish(node) - offset])
        while len(blocks) > 1 and fmean(blocks[-2]) > fmean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    shifts = [fmean(block) for block in blocks for _ in block]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]


def _neighbours(links: Sequence[tuple[Node, Node]]) -> tuple[dict[Node, list[Node]], dict[Node, list[Node]]]:
    above: dict[Node, list[Node]] = {}
    below: dict[Node, list[Node]] = {}
    for upper, lower in links:
        for node in (upper, lower):
            above.setdefault(node, [])
            below.setdefault(node, [])
        above[lower].append(upper)
        below[upper].append(lower)
    return above, below


# --- ink


def _width(node: Node) -> float:
    return max(map(len, _label(node))) * LETTER + 14 if isinstance(node, str) else 4


def _label(name: str) -> tuple[str, ...]:
    """The id in two lines: the family, and which of it."""
    head, dot, tail = name.partition(".")
    return (f"{head}.", tail) if dot else (head,)


def _paths(links: Sequence[tuple[Node, Node]]) -> list[list[Node]]:
    """Each line from a model to a model, through its joints."""
    paths: list[list[Node]] = []
    for upper, lower in links:
        if isinstance(upper, str):
            paths.append([upper])
        paths[-1].append(lower)
    return paths


def _line(path: Sequence[Node], across: Mapping[Node, float], down: Mapping[Node, float]) -> str:
    points = [(across[node], down[node]) for node in path]
    half = BOX_HEIGHT / 2
    drawn = f"M{points[0][0]:g} {points[0][1] + half:g}"
    for (x, y), (to_x, to_y) in pairwise(points):
        begin, end = y + half, to_y - half
        bend = (begin + end) / 2
        drawn += f"L{x:g} {begin:g}C{x:g} {bend:g} {to_x:g} {bend:g} {to_x:g} {end:g}"
    return f'<path d="{drawn}"/>'


def _box(name: str, x: float, y: float) -> str:
    width, label = _width(name), _label(name)
    left, top = round(x - width / 2, 1), y - BOX_HEIGHT / 2
    fill = FILLS[name.partition(".")[0]]
    first = y + 4 - 7 * (len(label) - 1)
    text = "".join(f'<text x="{x:g}" y="{first + 14 * at:g}">{part}</text>' for at, part in enumerate(label))
    box = (
        f'<rect x="{left:g}" y="{top:g}" width="{width:.1f}" height="{BOX_HEIGHT}" rx="5" fill="{fill}" stroke="#555"/>'
    )
    return f"<g>{box}{text}</g>"
