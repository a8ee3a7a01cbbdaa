"""At most once: no command takes effect twice, and an acknowledged one takes effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..histories.event import Kind, Operation
from ..histories.evidence import Evidence
from ..histories.history import History
from ..histories.trace import LIFECYCLE, Note
from ..histories.values import Value, identity, to_json
from .monitor import SafetyProperty
from .notes import number, tell
from .verdict import Anomaly, Refuted, Undecided, Upheld, Verdict


class AtMostOnce(SafetyProperty):
    """A command, named by its client and msg_id, takes effect at most once; an acknowledged one exactly once.

    In the trace, `applied` with a command other than None is an effect (`checkers.consensus.application` has the rule). A
    command takes effect once per state machine, so that all nodes may apply it, each once per incarnation, and all at one
    index. An acknowledged command that nobody applied refutes when its index was passed, that is, some node has applied
    a higher one, or another command there; until then it may still come.

    As a judge of evidence it looks at the history, too (`TokensOnce`).
    """

    name = "at-most-once"
    looks_at = ("applied",)
    heeds = frozenset({"applied", "acknowledged", *LIFECYCLE})

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._effects: dict[Any, Note] = {}
        self._here: dict[str, dict[Any, Note]] = {}
        self._acknowledged: dict[Any, Note] = {}
        self._highest: Note | None = None

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; effects are judged, acknowledgements remembered."""
        if note.kind in LIFECYCLE:
            self._here.pop(note.node, None)
        elif note.kind == "acknowledged" and note.facts[0] is not None and note.facts[2] is not None:
            self._acknowledge(note)
        elif note.kind == "applied":
            return self._apply(note)
        return None

    def _acknowledge(self, note: Note) -> None:
        """Remember where the command stands; of several places the highest, which is passed over last."""
        command = _command(note)
        known = self._acknowledged.get(command)
        if known is None or number(note, "index") > number(known, "index"):
            self._acknowledged[command] = note

    def _apply(self, note: Note) -> Anomaly | None:
        index = number(note, "index")
        if self._highest is None or index > number(self._highest, "index"):
            self._highest = note
        if note.facts[2] is None or note.facts[3] is None:
            return None
        self.judged += 1
        command = _command(note)
        first = self._effects.setdefault(command, note)
        here = self._here.setdefault(note.node, {}).setdefault(command, note)
        if number(first, "index") != index:
            return _twice("takes effect at two indices", first, note)
        return None if here is note else _twice(f"takes effect twice at {note.node}", here, note)

    def conclude(self) -> Anomaly | None:
        """An acknowledged command that was passed over."""
        passed = self._highest
        if passed is None:
            return None
        for command, acknowledged in self._acknowledged.items():
            if command not in self._effects and number(passed, "index") >= number(acknowledged, "index"):
                return _never(acknowledged, passed)
        return None

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict on trace and history together: one refutation is enough, and one that holds if the other is silent."""
        verdicts = [self.check(evidence.trace), TokensOnce().check(evidence.history)]
        for wanted in (Refuted, Upheld):
            found = [verdict for verdict in verdicts if isinstance(verdict, wanted)]
            if found:
                return found[0]
        return verdicts[0]


def _command(note: Note) -> Any:
    client, msg_id = note.facts[-2:]
    return identity(client), identity(msg_id)


def _twice(what: str, first: Note, second: Note) -> Anomaly:
    headline = f"Command {to_json(first.fact('msg_id'))} of {first.fact('client')} {what}:"
    return tell("two-effects", headline, first, second, because="A command takes effect at most once.")


def _never(acknowledged: Note, passed: Note) -> Anomaly:
    headline = (
        f"Command {to_json(acknowledged.fact('msg_id'))} of {acknowledged.fact('client')} was acknowledged at index "
        f"{number(acknowledged, 'index')}; index {number(passed, 'index')} was applied, and the command never:"
    )
    rule = "An acknowledged command takes effect exactly once."
    return tell("no-effect", headline, acknowledged, passed, because=rule)


class TokensOnce:
    """No read shows a token twice.

    A token is an argument that exactly one operation in the whole history was invoked with, on that key; reads are the ok
    operations with an array as result. An argument that was sent twice is no token: seeing it twice proves nothing.
    """

    name = "tokens-once"

    def check(self, history: History, /) -> Verdict:
        """Refuted by the first read that shows a token twice; Undecided where no read shows any token."""
        operations = history.operations
        tokens = _tokens(operations)
        judged = 0
        for read in operations:
            if read.outcome is not Kind.OK or not isinstance(read.result, tuple):
                continue
            seen = Counter((identity(read.key), identity(item)) for item in read.result)
            judged += sum(token in tokens for token in seen)
            twice = next((token for token, count in seen.items() if count > 1 and token in tokens), None)
            if twice is not None:
                return Refuted(_read_twice(tokens[twice], read), checker=self.name, operations=len(operations))
        told = {"tokens": len(tokens), "judged": judged}
        if not judged:
            return Undecided(
                "nothing to judge: no read shows a token", is_vacuous=True, checker=self.name, evidence=told
            )
        return Upheld(checker=self.name, operations=len(operations), evidence=told)


def _tokens(operations: Iterable[Operation]) -> dict[Any, Operation]:
    """The operation of each argument that was sent only once, by key and argument."""
    senders: dict[Any, list[Operation]] = {}
    for operation in operations:
        if operation.argument is not None:
            senders.setdefault((identity(operation.key), identity(operation.argument)), []).append(operation)
    return {token: sent[0] for token, sent in senders.items() if len(sent) == 1}


def _read_twice(sender: Operation, read: Operation) -> Anomaly:
    token: Value = sender.argument
    story = (
        f"{to_json(token)} was sent once and is read twice:",
        f"  {sender}",
        f"  {read}",
        "What was sent once takes effect at most once.",
    )
    return Anomaly("token-read-twice", story, operations=(sender, read))
