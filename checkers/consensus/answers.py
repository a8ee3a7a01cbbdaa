"""Consensus as clients see it: all of them are told the same value, and somebody asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ...histories.event import Kind, Operation
from ...histories.history import History
from ...histories.values import identity, to_json
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict


class OneAnswer:
    """Every answer shows one and the same value, which somebody had proposed before it was told; null shows nothing.

    Attributes:
        proposes: the action that proposes its argument.
    """

    name: ClassVar[str] = "one-answer"

    def __init__(self, *, proposes: str = "propose") -> None:
        self.proposes = proposes

    def check(self, history: History, /) -> Verdict:
        """Refuted by the first answer that differs, or that nobody had proposed; Undecided where no answer shows a value."""
        answers = list(_answers(history))
        if not answers:
            return Undecided("nothing to judge: no answer shows a value", checker=self.name)
        proposed = self._proposed(history)
        first = answers[0]
        for answer in answers:
            told = identity(answer.result)
            if told != identity(first.result):
                return self._refuted("two-answers", "Two answers differ:", first, answer)
            place = proposed.get(told)
            if place is None or answer.ended is None or place > answer.ended:
                return self._refuted("not-proposed", f"Nobody had proposed {to_json(answer.result)}:", answer)
        return Upheld(checker=self.name, operations=len(answers), evidence={"answers": len(answers)})

    def _proposed(self, history: History) -> dict[Any, int]:
        """When each value was proposed first."""
        found: dict[Any, int] = {}
        for operation in history.operations:
            if operation.action == self.proposes:
                place = found.setdefault(identity(operation.argument), operation.began)
                found[identity(operation.argument)] = min(place, operation.began)
        return found

    def _refuted(self, kind: str, headline: str, *operations: Operation) -> Verdict:
        rule = "All clients are told one value, which was proposed."
        story = (headline, *(f"  {operation}" for operation in operations), rule)
        return Refuted(Anomaly(kind, story, operations=operations), checker=self.name)


def _answers(history: History) -> Iterator[Operation]:
    """The operations that were answered with a value, in the order of their answers."""
    told = [each for each in history.operations if each.outcome is Kind.OK and each.result is not None]
    yield from sorted(told, key=lambda operation: operation.ended or 0)
