"""The published laws: ours keep them, and whatever breaks one is caught."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st

from upheld.checkers.linearizability import Linearizable
from upheld.checkers.verdict import Upheld, Verdict
from upheld.histories.history import History
from upheld.impl.consensus.messages import Read, Write
from upheld.impl.consensus.raft.as_written import DistributedKVStore, Get, Set
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import MS, Context, Message, Node, NodeId, Outbox
from upheld.specs.model import Call
from upheld.specs.objects import CasRegister, KeyValue, Register
from upheld.testing.laws import check_engine, check_model, check_node
from upheld.testing.strategies import built

VALUES = st.integers(1, 3)
CELL = st.one_of(st.just(Call("read")), built(Call, st.just("write"), st.none(), VALUES))
CAS = built(Call, st.just("cas"), st.none(), st.tuples(VALUES, VALUES))
KEYS = st.sampled_from("xy")
MAP = st.one_of(
    built(Call, st.sampled_from(("get", "delete")), KEYS),
    built(Call, st.just("put"), KEYS, VALUES),
    built(Call, st.just("append"), KEYS, st.sampled_from("ab")),
    built(Call, st.just("cas"), KEYS, st.tuples(VALUES, VALUES)),
)


# --- models


@pytest.mark.parametrize(("model", "calls"), [(Register(), CELL), (CasRegister(), CELL | CAS), (KeyValue(), MAP)])
def test_the_shipped_models_keep_the_contract(model: Any, calls: st.SearchStrategy[Call]) -> None:
    check_model(model, calls)


class Restless(Register):
    """Answers differently each time."""

    answers: ClassVar[list[int]] = []

    def step(self, state: Any, call: Call) -> Any:
        self.answers.append(0)
        yield state, len(self.answers)


class Forgetful(Register):
    """Says that a write is pure."""

    def is_pure(self, call: Call, result: Any) -> bool:
        return True


class Listing(Register):
    """Answers with a list."""

    def step(self, state: Any, call: Call) -> Any:
        yield state, [state]


class Box:
    """A state that is changed in place."""

    content: Any = None

    def __hash__(self) -> int:
        return hash(self.content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box) and self.content == other.content


class InPlace(Register):
    """Writes into the state that it was given."""

    def initial(self) -> Any:
        return Box()

    def step(self, state: Any, call: Call) -> Any:
        if call.action == "write":
            state.content = call.argument
        yield state, None

    def explain(self, state: Any, call: Call) -> str:
        return "a box"


class Stranger(Register):
    """Acknowledges what it does not do."""

    acknowledgements: ClassVar = {"increment": None}


class Lenient(Register):
    """Accepts what it would not answer."""

    def accepts(self, state: Any, call: Call, result: Any) -> Iterable[Any]:
        return [state, result]


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (Restless(), "asked twice for"),
        (Forgetful(), "is_pure"),
        (Listing(), "no immutable JSON value"),
        (InPlace(), "changed the state"),
        (Stranger(), "none of its actions"),
        (Lenient(), "accepts"),
    ],
)
def test_a_model_that_breaks_the_contract_is_caught(model: Any, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_model(model, CELL)


# --- engines


def test_the_engine_that_serves_keeps_the_law() -> None:
    check_engine(Linearizable(CasRegister()), CasRegister(), CELL | CAS)


class Credulous:
    """Believes everything."""

    def check(self, history: History, /) -> Verdict:
        return Upheld()


class Elsewhere:
    """Judges right, and shows the witness of nothing."""

    def check(self, history: History, /) -> Verdict:
        verdict = Linearizable(Register()).check(history)
        empty = Linearizable(Register()).check(History.of_events([]))
        return empty if isinstance(verdict, Upheld) else verdict


@pytest.mark.parametrize(("engine", "complaint"), [(Credulous(), "refuted"), (Elsewhere(), "its witness is none")])
def test_an_engine_that_is_wrong_is_caught(engine: Any, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_engine(engine, Register(), CELL)


# --- nodes

RAFT = {"election_min_ns": 50 * MS, "election_max_ns": 100 * MS, "heartbeat_ns": 17 * MS, "sessions_max": 10}


@pytest.mark.parametrize(
    ("factory", "requests"),
    [
        (Raft, built(Write, st.integers(1, 3), st.just("put"), KEYS, VALUES) | built(Read, st.just(9), KEYS)),
        (DistributedKVStore, built(Set, st.integers(1, 3), KEYS, VALUES) | built(Get, st.just(9), KEYS)),
    ],
)
def test_our_nodes_answer_and_never_act(
    factory: Callable[[Context], Node], requests: st.SearchStrategy[Message]
) -> None:
    check_node(factory, settings=RAFT, requests=requests)


class Ping(Message, frozen=True):
    """Hello."""

    number: int


class Bag(Message, frozen=True):
    """What a sender can still change."""

    things: list[int]


class Quiet:
    """A node that does nothing."""

    count = 0

    def __init__(self, context: Context) -> None:
        self.context = context
        self.things: list[int] = []

    def on_start(self, out: Outbox, /) -> None:
        out.set_timer("tick", MS)

    def on_message(self, sender: NodeId, message: Message, out: Outbox, /) -> None:
        pass

    def on_timer(self, name: str, out: Outbox, /) -> None:
        pass


class Remembering(Quiet):
    """Keeps state in its class."""

    def on_start(self, out: Outbox, /) -> None:
        Remembering.count += 1
        out.send(self.context.peers[0], Ping(Remembering.count))


class Bagging(Quiet):
    """Sends what it goes on changing."""

    def on_start(self, out: Outbox, /) -> None:
        out.send(self.context.peers[0], Bag(self.things))


class Rewriting(Quiet):
    """Stores what it goes on changing."""

    def on_start(self, out: Outbox, /) -> None:
        out.store("things", self.things)  # type: ignore[arg-type]  # a list is what the law must find
        self.things.append(1)
        out.set_timer("tick", MS)

    def on_timer(self, name: str, out: Outbox, /) -> None:
        self.things.append(1)


class Peeking(Quiet):
    """Looks whether the world did what it was told."""

    def on_start(self, out: Outbox, /) -> None:
        out.sync()
        assert getattr(out, "effects", None), "the disk is gone"


class Inventive(Quiet):
    """Notes other facts than judges expect."""

    def on_start(self, out: Outbox, /) -> None:
        out.note("leads", 1, "with pleasure")


@pytest.mark.parametrize(
    ("factory", "complaint"),
    [
        (Remembering, "has two outcomes"),
        (Bagging, r"Bag\.things can be changed in place"),
        (Rewriting, "was changed after"),
        (Peeking, "the disk is gone"),
        (Inventive, "'leads' is noted with"),
    ],
)
def test_a_node_that_acts_is_caught(factory: Callable[[Context], Node], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_node(factory, requests=built(Ping, st.integers(1, 3)))


def test_a_quiet_node_without_requests_keeps_the_laws() -> None:
    check_node(Quiet)
