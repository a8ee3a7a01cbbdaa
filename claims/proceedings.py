"""The course of a verification: campaigns in rounds of seeds, and whatever has to be done besides, on one engine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec
from msgspec.structs import replace

from ..harness.campaign import Campaign
from ..harness.engines import Done, Engine, Job
from ..harness.hearing import Hearing, Hearings, Plans
from ..harness.journal import Journal
from .groups import RunGroup

ROUND_MIN: Final = 8
ROUND_MAX: Final = 64
"""How many seeds of a group a round has: at first, and at most. Each has as many as all before it."""


class Progress(msgspec.Struct, frozen=True):
    """How far a verification has come.

    Attributes:
        done, planned: runs; the plan may be cut short when every claim of a group has its verdict.
        doing: what is being worked on, in a few words.
        failures: how many runs have refuted each claim so far; claims that none has are left out.
        resumed: how many of the runs were made before, by a campaign that this one goes on with.
    """

    done: int
    planned: int
    doing: str
    failures: dict[str, int] = {}
    resumed: int = 0


Report: TypeAlias = Callable[[Progress], None]


@dataclass
class Course:
    """A campaign under way.

    Attributes:
        group: what is run; plans: where its plans come from.
        campaign: what came of it so far.
        shown: claims that a refuting run upholds.
        found: the first failure of each claim: the kind of anomaly, and the number of its plan.
    """

    group: RunGroup
    plans: Plans
    campaign: Campaign
    shown: frozenset[str] = frozenset()
    found: dict[str, tuple[str, int]] = field(default_factory=dict)
    _sent: int = 0

    def next_round(self) -> Job:
        """The next seeds, for the claims that are still open."""
        size = min(ROUND_MAX, max(ROUND_MIN, self._sent))
        seeds = self.campaign.seeds[self._sent : self._sent + size]
        self._sent += len(seeds)
        return Job(self.group.name, Hearing(self.plans, self.campaign.open_claims), seeds)

    def failures(self) -> dict[str, int]:
        """How many runs have refuted each claim."""
        tallies = self.campaign.tallies.items()
        return {claim: tally.refuted.total() for claim, tally in tallies if tally.refuted and claim not in self.shown}

    @property
    def planned(self) -> int:
        """How many runs it takes when nothing is refuted and no run is vacuous."""
        return self.campaign.taken if self.campaign.is_over else max(self.campaign.needed, self._sent)


Failed: TypeAlias = Callable[[Course, str], None]
"""Told about the first failure of a claim, as soon as it is certain that it is the first."""


class Proceedings:
    """Campaigns and other work on one engine, within a budget of wall time.

    Attributes:
        is_cut_short: the budget has run out; campaigns go no further, other work still does.
    """

    def __init__(self, engine: Engine, *, budget_s: float | None = None, report: Report | None = None) -> None:
        self._engine, self._report = engine, report
        self._deadline = None if budget_s is None else time.monotonic() + budget_s
        self._then: dict[str, Callable[[Any], None]] = {}
        self._told = Progress(0, 0, "")
        self.is_cut_short = False

    def also(self, key: str, work: Callable[[int], Any], number: int, then: Callable[[Any], None]) -> None:
        """Do some other work before all else in the next or the present round; `then` gets its result.

        Raises (from the round):
            RuntimeError: it killed its worker, or hung.
        """
        self._then[key] = then
        self._engine.submit(Job(key, work, (number,)), first=True)

    def hold(self, courses: Sequence[Course], failed: Failed) -> None:
        """Rounds, until all campaigns are over."""
        while any(not course.campaign.is_over for course in courses) and not self.is_cut_short:
            self.round(courses, failed)

    def round(self, courses: Sequence[Course], failed: Failed) -> None:
        """One round of each campaign that is not over, and all other work that there is."""
        under_way = {course.group.name: course for course in courses if not course.campaign.is_over}
        for course in under_way.values():
            self._engine.submit(course.next_round())
        if self._report is not None and self._then and not under_way:
            self._report(replace(self._told, doing=next(iter(self._then))))
        for done in self._engine.completed():
            if done.key in under_way:
                self._take(under_way[done.key], done, failed)
            else:
                self._hand_over(done)
            self._check_budget(under_way)
            self._tell(courses, done)

    def resume(self, courses: Sequence[Course], journal: Journal) -> None:
        """Count what stands in a journal."""
        for line in journal.read():
            self._settle(courses, Done(courses[0].group.name, line.seed, line.runs, line.lost))
        self._told = replace(self._told, resumed=sum(course.campaign.taken for course in courses))

    def sweep(self, courses: Sequence[Course], journal: Journal | None) -> None:
        """Every seed that is left, for all groups at once, whatever fails; a journal gets what came of each."""
        first = courses[0]
        works = Hearings(tuple(Hearing(course.plans, course.campaign.open_claims) for course in courses))
        self._engine.submit(Job(first.group.name, works, first.campaign.seeds[first.campaign.taken :]))
        early: dict[int, Done] = {}
        for done in self._engine.completed():
            early[done.seed] = done
            while not first.campaign.is_over and (due := early.pop(first.campaign.seeds[first.campaign.taken], None)):
                if journal:
                    journal.write(due)
                self._settle(courses, due)
            self._check_budget([first.group.name])
            self._tell(courses, done)

    def _settle(self, courses: Sequence[Course], done: Done) -> None:
        """Let each group have its part of what came of a seed."""
        for number, course in enumerate(courses):
            heard = None if done.lost else done.result[number]
            for claim, kind, seed in course.campaign.take(Done(done.key, done.seed, heard, done.lost)):
                course.found.setdefault(claim, (kind, seed))

    def _take(self, course: Course, done: Done, failed: Failed) -> None:
        for claim, kind, number in course.campaign.take(done):
            course.found[claim] = (kind, number)
            failed(course, claim)
        if course.campaign.is_over:
            self._engine.cancel(done.key)

    def _hand_over(self, done: Done) -> None:
        if done.lost:
            raise RuntimeError(f"{done.key}: {done.lost}")
        self._then.pop(done.key)(done.result)

    def _check_budget(self, under_way: Iterable[str]) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline and not self.is_cut_short:
            self.is_cut_short = True
            for key in under_way:
                self._engine.cancel(key)

    def _tell(self, courses: Sequence[Course], done: Done) -> None:
        if self._report is None:
            return
        self._told = replace(self._told, doing=done.key)
        if courses:
            failures = Counter[str]()
            for course in courses:
                failures.update(course.failures())
            taken = sum(course.campaign.taken for course in courses)
            planned = sum(course.planned for course in courses)
            self._told = replace(self._told, done=taken, planned=planned, failures=failures)
        self._report(self._told)
