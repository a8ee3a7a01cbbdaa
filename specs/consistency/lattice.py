"""The order of the consistency models: what implies what, and what one verdict says about the others.

A history that refutes a model refutes every stronger one; what upholds a model upholds every weaker one.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from ...histories.errors import UsageError
from .models import MODELS, Consistency

if TYPE_CHECKING:
    import networkx as nx

Word: TypeAlias = Literal["upheld", "refuted"]


class Conclusion(msgspec.Struct, frozen=True):
    """What is known about a model: the word, and the model whose verdict says so (itself, where it was judged)."""

    word: Word
    because: str


class Contradiction(AssertionError):
    """A model was upheld and a weaker one refuted: one of the judges is wrong."""


def consistency(name: str) -> Consistency:
    """The model of that id.

    Raises:
        UsageError: there is none; the text lists those that may be meant.
    """
    if name in MODELS:
        return MODELS[name]
    raise UsageError(f"there is no consistency model {name!r}; ids are qualified: {', '.join(_alike(name))}")


def family(name: str) -> tuple[str, ...]:
    """The model of that id alone; of no id, all models whose ids begin with that name: `causal` is all of `causal.*`.

    Raises:
        UsageError: there is none; the text lists those that may be meant.
    """
    members = tuple(each for each in MODELS if each.startswith(f"{name}."))
    return members if members and name not in MODELS else (consistency(name).id,)


def _alike(name: str) -> list[str]:
    """The ids that have that part, else those that are spelt much the same, else all."""
    return [each for each in MODELS if name in each.split(".")] or get_close_matches(name, MODELS) or list(MODELS)


@cache
def weaker(name: str) -> frozenset[str]:
    """All models that this one implies, itself excluded."""
    below = MODELS[name].implies
    return frozenset(below).union(*map(weaker, below))


@cache
def stronger(name: str) -> frozenset[str]:
    """All models that imply this one, itself excluded."""
    return frozenset(other for other in MODELS if name in weaker(other))


def refuting(name: str) -> tuple[str, ...]:
    """The kinds of anomaly that refute this model: its own, and those of all weaker ones, in the order of the lattice."""
    concerned = weaker(name) | {name}
    kinds = (kind for each, model in MODELS.items() if each in concerned for kind in model.refuted_by)
    return tuple(dict.fromkeys(kinds))


def spread(verdicts: Mapping[str, Word]) -> dict[str, Conclusion]:
    """What these verdicts on one history say about all models, in the order of the lattice; silent where nothing follows.

    Raises:
        Contradiction: a model is upheld, and one that it implies is refuted.
    """
    reach: Final = {"upheld": weaker, "refuted": stronger}
    found: dict[str, Conclusion] = {}
    for name, word in verdicts.items():
        for other in (name, *sorted(reach[word](name))):
            known = found.get(other)
            if known is not None and known.word != word:
                raise Contradiction(
                    f"{name} is {word}, which says that {other} is, too; but {known.because} is {known.word}: "
                    f"one of the two judges is wrong, {_judge(name)} or {_judge(known.because)}"
                )
            if known is None or other == name:
                found[other] = Conclusion(word, name)
    return {name: found[name] for name in MODELS if name in found}


def _judge(name: str) -> str:
    return f"that of {name} ({MODELS[name].judge or 'it has none'})"


class Frontier(msgspec.Struct, frozen=True):
    """What a history says in short: the weakest models that it refutes, and the strongest that it upholds."""

    refuted: tuple[str, ...]
    upheld: tuple[str, ...]


def frontier(conclusions: Mapping[str, Conclusion]) -> Frontier:
    """The frontier of these conclusions."""
    refuted = {name for name, told in conclusions.items() if told.word == "refuted"}
    upheld = {name for name, told in conclusions.items() if told.word == "upheld"}
    return Frontier(
        refuted=tuple(name for name in MODELS if name in refuted and not weaker(name) & refuted),
        upheld=tuple(name for name in MODELS if name in upheld and not stronger(name) & upheld),
    )


def graph() -> nx.DiGraph[Any]:
    """The lattice: an edge from each model to the next weaker ones."""
    import networkx as nx  # noqa: PLC0415  # heavy, and needed only to draw

    drawn: nx.DiGraph[Any] = nx.DiGraph()
    drawn.add_nodes_from(MODELS)
    drawn.add_edges_from((name, below) for name, model in MODELS.items() for below in model.implies)
    return drawn
