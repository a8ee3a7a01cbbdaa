"""Cuts of the network, and the shapes that they are drawn in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec.structs import replace

from ...impl.node import MS
from ..cuts import PARTITIONS
from ..draws import Draw
from ..plan import LEADER, Fault
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World

Sides = tuple[tuple[str, ...], ...]


class Cut(msgspec.Struct, frozen=True):
    """What is cut: as `sides` and `cut` of `plan.Fault`, one of the two."""

    sides: Sides = ()
    links: tuple[str, ...] = ()


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A shape of partition.

    Attributes:
        name: what people call it.
        does: who can talk to whom, in a sentence.
        cuts: gives such a cut of these nodes, which come in a random order.
        least: with fewer nodes there is no such cut.
        weight: how often it is drawn.
    """

    name: str
    does: str
    cuts: Callable[[Draw, Sequence[str]], Cut]
    least: int = 2
    weight: int = 1


def _one_node(_: Draw, nodes: Sequence[str]) -> Cut:
    return _two_sides(nodes, 1)


def _halves(_: Draw, nodes: Sequence[str]) -> Cut:
    return _two_sides(nodes, len(nodes) // 2)


def _minority(draw: Draw, nodes: Sequence[str]) -> Cut:
    return _two_sides(nodes, draw.between(1, (len(nodes) - 1) // 2))


def _two_sides(nodes: Sequence[str], size: int) -> Cut:
    return Cut(sides=(in_order(nodes[:size]), in_order(nodes[size:])))


def _leader(_: Draw, __: Sequence[str]) -> Cut:
    return Cut(sides=((LEADER,),))


def _bridge(_: Draw, nodes: Sequence[str]) -> Cut:
    """The first node is the bridge."""
    half = len(nodes) // 2
    one, other = nodes[1 : half + 1], nodes[half + 1 :]
    return Cut(links=tuple(link for here in one for there in other for link in (f"{here}>{there}", f"{there}>{here}")))


def _ring(_: Draw, nodes: Sequence[str]) -> Cut:
    """On a ring each node talks with its neighbours at either hand, as many as it takes to be a majority with them.

    Three nodes would all see each other that way, so each of them hears from its neighbour at one hand only.
    """
    size = len(nodes)
    reach = (size // 2 + 1) // 2
    heard = {0, 1} if size == 3 else {step % size for step in range(-reach, reach + 1)}
    return Cut(
        links=tuple(
            f"{nodes[sender]}>{nodes[receiver]}"
            for sender, receiver in permutations(range(size), 2)
            if (sender - receiver) % size not in heard
        )
    )


def _random(draw: Draw, nodes: Sequence[str]) -> Cut:
    """Each link, in each direction, for itself: from one in eight to seven in eight of them, and never none."""
    links = [f"{sender}>{receiver}" for sender, receiver in permutations(nodes, 2)]
    chance = draw.between(1, 7)
    return Cut(links=tuple(link for link in links if draw.happens(chance, 8)) or (draw.luck.choice(links),))


def in_order(nodes: Collection[str]) -> tuple[str, ...]:
    """These nodes, in the order of their numbers."""
    return tuple(sorted(nodes, key=lambda name: int(name[1:])))


SHAPES: Final = (
    Shape(name="one node", does="one node alone, and the others together", cuts=_one_node, least=1, weight=2),
    Shape(name="halves", does="two sides of the same size, or one larger by one", cuts=_halves, weight=2),
    Shape(
        name="majority and minority",
        does="more than half of the nodes on one side, and less than half on the other",
        cuts=_minority,
        least=3,
        weight=2,
    ),
    Shape(name="bridge", does="two halves that only one node connects", cuts=_bridge, least=3),
    Shape(name="majorities ring", does="every node hears a majority, no two the same one", cuts=_ring, least=3),
    Shape(name="leader isolated", does="whoever led last when it begins, alone", cuts=_leader, least=1, weight=5),
    Shape(name="random cut", does="some links, each in one direction for itself", cuts=_random),
)
"""The shapes that partitions are drawn in; a plan may hold any other."""


SLOW_MAX_MS: Final = 500
"""How late a slow partition that is drawn makes messages; several add up, and what is late when all heals comes later still."""

MODES: Final[Mapping[Literal["drop", "hold", "slow"], int]] = {"drop": 5, "hold": 3, "slow": 1}


def _cut(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(PARTITIONS[fault.mode](world.network, fault, world.machines))


def _amiss(fault: Fault) -> str:
    if fault.cut and (fault.sides or fault.one_way):
        return "has either sides or a `cut`, whose links have a direction already"
    for link in fault.cut:
        ends = link.split(">")
        if len(ends) != 2 or not all(ends) or ends[0] == ends[1] or LEADER in ends:
            return f"cuts {link!r}; a link is written 'n1>n2', with two names"
    if (fault.mode == "slow") != bool(fault.amount_ns):
        return "says by `amount_ns` how late messages are if, and only if, its mode is slow"
    return ""


def _draw(storm: Storm) -> list[Fault]:
    draw = storm.draw
    shape = draw.weighted({shape: shape.weight for shape in SHAPES if shape.least <= len(storm.names)})
    cut = shape.cuts(draw, draw.luck.shuffled(storm.names))
    if draw.happens(1, 4):
        cut = with_clients(draw, cut, storm.names, storm.clients)
    sides = cut.sides if draw.happens(1, 2) else cut.sides[::-1]
    mode = draw.weighted(MODES)
    fault = Fault(
        fault="partition",
        undo_after_ns=storm.lasts_ns(),
        sides=sides,
        cut=cut.links,
        mode=mode,
        amount_ns=draw.logarithmic(20, SLOW_MAX_MS) * MS if mode == "slow" else 0,
        one_way=not cut.links and draw.happens(1, 4),
    )
    if draw.happens(1, 4) and mode != "slow":
        return [replace(fault, on=on) for on in storm.series("*")]
    return [replace(fault, at_ns=storm.begin_ns())]


def with_clients(draw: Draw, cut: Cut, nodes: Sequence[str], clients: Sequence[str]) -> Cut:
    """Each client on a side of its own choice; where there are no sides, it stands where some node does."""
    if not cut.links:
        both = [list(side) for side in (*cut.sides, ())][:2]
        for client in clients:
            both[draw.luck.below(2)].append(client)
        return Cut(sides=tuple(tuple(side) for side in both))
    links = list(cut.links)
    for client in clients:
        links += _beside(client, draw.luck.choice(nodes), cut.links)
    return Cut(links=tuple(links))


def _beside(client: str, node: str, links: Sequence[str]) -> Iterator[str]:
    """The links of a client that are cut because those of a node are."""
    for link in links:
        sender, receiver = link.split(">")
        if node == sender:
            yield f"{client}>{receiver}"
        elif node == receiver:
            yield f"{sender}>{client}"


KINDS: Final = (
    FaultKind(
        name="partition",
        does=(
            "no message crosses between the `sides`, or goes along a link of the `cut`: by its `mode` it is dropped, held "
            "until the partition ends, or slow (`amount_ns` late); `one_way` hits what the first side sends"
        ),
        inverse="the network is whole, and what was held is sent on its way",
        reads=("sides", "cut", "mode", "one_way", "amount_ns"),
        begin=_cut,
        draw=_draw,
        amiss=_amiss,
        most=20,
        weight=8,
    ),
)
