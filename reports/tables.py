"""Tables: the docket with its verdicts and evidence, the runs in the store, and whatever else comes in rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..claims.results import ClaimResult, FailureResult, GroupResult
from ..harness.store import Kept
from .words import counted, indented, listed, plain, tally, verdict_word

REASONS_SHOWN: Final = 5
"""How many reasons are listed, the most frequent first; `--json` has them all."""


def claims_table(results: Sequence[ClaimResult]) -> RenderableType:
    """The results by chapter: a row each, and below a refuted one its story and the line that replays it."""
    widths = (
        max(map(len, (row.id for row in results)), default=0),
        max(map(len, (r.variant for r in results)), default=0),
    )
    parts: list[RenderableType] = []
    for chapter, rows in groupby(results, key=lambda row: row.chapter):
        parts += [Text(chapter, style="bold underline"), *(_claim(row, widths) for row in rows), Text()]
    return Group(*parts, summary(results) if results else Text("no claim was put to the test"))


def _claim(row: ClaimResult, widths: tuple[int, int]) -> RenderableType:
    line = Table.grid(padding=(0, 2))
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True, min_width=widths[0])
    line.add_column(no_wrap=True, min_width=widths[1])
    line.add_column(overflow="fold")
    line.add_row(verdict_word(row.verdict), Text(row.id, style="bold"), row.variant, evidence(row))
    return Group(line, *_below(row))


def _below(row: ClaimResult) -> list[RenderableType]:
    told: list[RenderableType] = []
    if row.story:
        told.append(indented(row.story))
    if row.reason and row.verdict == "undecided":
        told.append(indented([row.reason], style="dim"))
    if row.replay:
        told.append(indented([row.replay], style="cyan"))
    if sum(failure.runs for failure in row.failures) > 1:
        told += [part for failure in row.failures for part in _failure(failure, is_told=failure.replay == row.replay)]
    return told


def _failure(failure: FailureResult, *, is_told: bool) -> list[RenderableType]:
    """How often a claim failed so, and the line that replays it, unless that was told."""
    seed = "" if failure.seed is None else f", first by seed {failure.seed}"
    told: list[RenderableType] = [indented([f"{failure.anomaly}: {counted(failure.runs, 'run')}{seed}"])]
    if failure.replay and not is_told:
        told.append(indented([failure.replay], style="cyan"))
    return told


def evidence(row: ClaimResult) -> str:
    """What a verdict is worth: runs, operations, what failure rate is ruled out, which mutants are caught, fired faults."""
    parts = []
    if row.runs:
        unproven = [f"{count:,} {word}" for count, word in _unproven(row) if count]
        more = f" ({', '.join(unproven)} besides)" if unproven else ""
        parts.append(f"{counted(row.runs, 'run')}{more}, {counted(row.operations, 'operation')}")
    if row.plan_operations is not None and row.plan_faults is not None:
        size = f"{counted(row.plan_operations, 'operation')}, {counted(row.plan_faults, 'fault')}"
        parts.append(f"minimal: {size}")
    if row.failure_rate_below is not None:
        parts.append(f"fails in less than {100 * row.failure_rate_below:.2g} % of runs")
    if row.mutants_killed is not None:
        parts.append("kills " + (", ".join(row.mutants_killed) or "no mutant: untested"))
    if row.faults:
        parts.append(listed(row.faults))
    return "; ".join(parts)


def _unproven(row: ClaimResult) -> tuple[tuple[int, str], ...]:
    return (row.runs_undecided, "undecided"), (row.runs_vacuous, "vacuous")


def summary(results: Sequence[ClaimResult]) -> Text:
    """How many have which verdict; references first, since the exit status speaks of them."""
    told = Text()
    for title, rows in (
        ("reference", [row for row in results if row.variant == "reference"]),
        ("other variants", [row for row in results if row.variant != "reference"]),
    ):
        if rows:
            told.append("" if not told else "; ").append(f"{title}: ").append(tally(row.verdict for row in rows))
    return told


def groups_table(groups: Sequence[GroupResult]) -> RenderableType:
    """What the runs of each group are worth: how many completed what they were for, why others did not, which faults fired."""
    return Group(*(part for group in groups for part in _group(group)))


def _group(group: GroupResult) -> list[RenderableType]:
    built = "+".join((group.variant, *group.mutants))
    set_so = "".join(f", {name} {value}" for name, value in group.settings.items())
    name = f"{group.system} {built}, {group.workload} under {group.profile}{set_so}"
    share = f"{math.floor(1000 * group.completed / group.runs) / 10:g} %" if group.runs else "none"
    fired = {kind: times for kind, times in group.faults.items() if times}
    never = ", ".join(kind for kind in group.faults if kind not in fired)
    told = [
        f"{group.completed:,} of {counted(group.runs, 'run')} ({share}) completed the workload's minimum while faults acted",
        *(f"{count:,} prove nothing: {reason}" for reason, count in _by_number(group.unproven)),
        f"faults that fired: {listed(fired) or 'none'}" + (f"; never: {never}" if never else ""),
        *([f"beyond its budget, and left out: {', '.join(group.spared)}"] if group.spared else []),
        *(f"{count:,} times in a handler: {finding}" for finding, count in _by_number(group.findings)),
    ]
    return [Text(), Text(name, style="bold"), indented(told)]


def _by_number(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent reasons."""
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:REASONS_SHOWN]


def runs_table(runs: Sequence[Kept]) -> RenderableType:
    """The runs in a store, one row each."""
    return rows_table(
        ("run", "variant", "seed", "operations", "faults", "verdicts"),
        [
            (
                f"{kept.system}/{kept.run}",
                "+".join((kept.variant, *kept.mutants)),
                str(kept.seed),
                f"{kept.operations:,}",
                f"{kept.faults:,}",
                "in progress, or killed" if kept.is_running else _outcomes(kept),
            )
            for kept in runs
        ],
    )


def _outcomes(kept: Kept) -> str:
    refuted = [
        f"{claim} ({kept.anomalies.get(claim, word)})" for claim, word in kept.verdicts.items() if word == "refuted"
    ]
    return "refuted: " + ", ".join(refuted) if refuted else tally(kept.verdicts.values())


def facts_table(facts: Mapping[str, Sequence[str]]) -> RenderableType:
    """What is known about one thing: a heading on the left of each list of lines."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for heading, lines in facts.items():
        for place, line in enumerate(lines):
            table.add_row(heading if place == 0 else "", Text(plain(line)))
    return table


def rows_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    """Rows below headings, as wide as they need to be."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    return table
