"""What a history says about all consistency models at once: the weakest that it refutes, the strongest that it upholds.

Each model is decided by the judge that the lattice names. What none decides may follow from what others did: who refutes a
model refutes every stronger one, who upholds it upholds every weaker one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np

from ..histories.errors import UsageError
from ..histories.history import History
from ..specs.consistency import MODELS, Conclusion, Frontier, frontier, spread, stronger, weaker
from .linearizability import Linearizable
from .reads_from import Outside
from .reads_from.traced import READS, WRITES
from .verdict import Refuted, Undecided, Upheld, Verdict

LINEARIZABLE: Final = "linearizable"
READS_AND_WRITES: Final = READS | WRITES | {"cas", "delete", "txn"}
BOUNDS: Final = ("k", "t_ns", "delta_ns")
"""The evidence that says which bound an upheld model was found to keep: such a model always holds with some bound."""
UPDATES: Final = frozenset({"add", "broadcast"})


class Ruling(NamedTuple):
    """The verdict on one model, and the model from whose verdict it follows; "" when its own judge decided it."""

    verdict: Verdict
    implied_by: str


@dataclass(kw_only=True)
class Hearing:
    """One history before the judges of many models.

    Attributes:
        history: what is judged.
        outside: what values may be that nobody wrote; see `reads_from`.
        linearizable: decides linearizability, which takes a model of the object.
        found: the verdicts of judges, by model, as far as they were asked; what an interrupted hearing found stays here.
    """

    history: History
    outside: Outside = "nothing"
    linearizable: Callable[[History], Verdict] = field(default_factory=lambda: Linearizable().check)
    found: dict[str, Verdict] = field(default_factory=dict)

    def ask(self, ids: Iterable[str]) -> None:
        """Decide these models by their own judges alone; the errors are those of `hear`."""
        for judge, names in _by_judge(ids):
            self._decide(judge, [name for name in names if name not in self.found])

    def hear(self, ids: Iterable[str]) -> None:
        """Decide these models, each by its own judge; what they leave open, by what follows from others.

        Raises:
            UsageError: linearizability was asked for, and no model of the object can be told.
            MalformedHistory: it is no history.
        """
        asked = list(ids)
        self.ask(asked)
        related = self._related(asked)
        self.ask(name for name in self.applicable() if name in related - {LINEARIZABLE})
        if LINEARIZABLE in self._related(asked):  # last, since a search may take long
            self._try_linearizable()

    def hear_all(self) -> None:
        """Decide whatever applies to a history of such actions, and does not follow from what is decided already.

        Raises:
            MalformedHistory: it is no history.
        """
        if LINEARIZABLE not in self.found:
            self._try_linearizable()
        for judge, ids in _by_judge(self.applicable()):
            known = self.conclusions()
            self._decide(judge, [name for name in ids if name not in known and name not in self.found])

    def applicable(self) -> list[str]:
        """The models with a judge that such actions say something about."""
        actions = actions_of(self.history)

        def applies(name: str) -> bool:
            match name.partition(".")[0]:
                case "eventual":
                    return bool(actions & UPDATES) or (
                        "final" in self.history.columns.actions and actions <= READS | WRITES
                    )
                case "isolation":
                    return actions == {"txn"}
            return bool(actions) and actions <= READS_AND_WRITES

        return [name for name, model in MODELS.items() if model.judge and applies(name)]

    def ruling(self, name: str) -> Ruling:
        """What is known about a model, from its own judge or another."""
        own, told = self.found.get(name), self.conclusions().get(name)
        if told is not None and told.because != name:
            implied = replace(self.found[told.because], consistency=name, method=f"implication from {told.because}")
            return Ruling(implied, told.because)
        if own is None:
            why = "its judge was not asked" if MODELS[name].judge else "no judge decides it yet"
            own = Undecided(
                f"{why}, and nothing follows from what is decided",
                checker="consistency",
                operations=len(self.history.pairing),
                notes=self.history.remarks,
            )
        return Ruling(replace(own, consistency=name), "")

    def conclusions(self) -> dict[str, Conclusion]:
        """What the verdicts say about all models.

        Raises:
            Contradiction: two of the judges contradict each other.
        """
        words: dict[str, Any] = {
            name: "upheld" if isinstance(self.found[name], Upheld) else "refuted"
            for name in MODELS
            if isinstance(self.found.get(name), Upheld | Refuted)
        }
        return spread(words)

    def frontier(self) -> Frontier:
        """The weakest models that are refuted, and the strongest that are upheld."""
        return frontier(self.conclusions())

    def bounds(self) -> dict[str, dict[str, Any]]:
        """What bounds the strongest upheld models were found to keep, as far as they have any."""
        found = {
            name: {bound: value for bound, value in self.found[name].evidence.items() if bound in BOUNDS}
            for name in self.frontier().upheld
        }
        return {name: bounds for name, bounds in found.items() if bounds}

    def undecided(self) -> dict[str, str]:
        """The models whose judges were asked and about which nothing is known, with the reasons."""
        known = self.conclusions()
        return {
            name: verdict.reason
            for name in MODELS
            if isinstance(verdict := self.found.get(name), Undecided) and name not in known
        }

    # --- whom to ask

    def _related(self, ids: Sequence[str]) -> set[str]:
        """The models from which one of these may follow that is not decided."""
        known = self.conclusions()
        return {other for name in ids if name not in known for other in weaker(name) | stronger(name)}

    def _decide(self, judge: str, ids: Sequence[str]) -> None:
        if ids == [LINEARIZABLE]:
            self.found[LINEARIZABLE] = self._whole(self.linearizable(self.history))
        elif ids and judge:
            module = import_module(f".{judge}", __package__)
            self.found.update(module.decide(self.history, ids, outside=self.outside))

    def _try_linearizable(self) -> None:
        """Decide linearizability where a model of the object can be told; nobody asked for it by name."""
        try:
            self.ask([LINEARIZABLE])
        except UsageError as error:
            self.found[LINEARIZABLE] = Undecided(f"not applicable: {error}", checker="linearizability")

    def _whole(self, verdict: Verdict) -> Verdict:
        """The search takes the history to be all there was: what it refutes so may hold with values from outside."""
        if self.outside == "nothing" or not isinstance(verdict, Refuted):
            return verdict
        given = "another start" if self.outside == "start" else "operations outside of it"
        return Undecided(
            f"not applicable: the history by itself is not linearizable, and the search cannot say whether {given} would explain it",
            checker=verdict.checker,
            model=verdict.model,
            method=verdict.method,
            operations=verdict.operations,
            evidence=verdict.evidence,
            notes=verdict.notes,
        )


def actions_of(history: History) -> frozenset[str]:
    """What clients did, each action once."""
    columns = history.columns
    return frozenset(columns.actions[action] for action in np.unique(columns.action[history.pairing.invocation]))


def _by_judge(ids: Iterable[str]) -> list[tuple[str, list[str]]]:
    """The models by the judge that decides them; judges in the order of their first model."""
    wanted = list(ids)
    order = {judge: place for place, judge in enumerate(dict.fromkeys(MODELS[name].judge for name in wanted))}
    grouped = groupby(sorted(wanted, key=lambda name: order[MODELS[name].judge]), key=lambda name: MODELS[name].judge)
    return [(judge, list(names)) for judge, names in grouped]
