"""Which systems and claims there are: ours, those of installed plug-ins, and those of modules that a user names.

A module on the docket exports `SYSTEM`, `CLAIMS` (a sequence), or both. It is found through the entry-point group
`upheld.systems`, or by its name or file on the command line. Its *origin* finds it again in any process.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Final

from ..harness.system import System
from ..histories.errors import UsageError
from .claim import Claim, Derived, Trials

GROUP: Final = "upheld.systems"
"""The entry-point group of plug-ins."""

HOME: Final = __name__.rpartition(".")[0]
BUILT_IN: Final = (
    f"{HOME}.consensus.raft",
    f"{HOME}.consensus.paxos",
    f"{HOME}.consensus.multipaxos",
    f"{HOME}.convergence.chat",
)
"""Our own modules, for a checkout that is on the path without being installed."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """What a module puts on the docket.

    Attributes:
        origin: its dotted name, or the absolute path of its file.
        system: what it puts on trial, if anything.
        claims: what it says.
    """

    origin: str
    system: System | None
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Docket:
    """Systems and claims, in the order of their modules.

    Raises:
        UsageError: two modules have a system of the same name, or a claim of the same id.
    """

    modules: tuple[Module, ...]

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for module in self.modules:
            names = [f"system {module.system.name!r}"] if module.system else []
            for name in names + [f"claim {claim.id!r}" for claim in module.claims]:
                if name in seen:
                    raise UsageError(f"{seen[name]} and {module.origin} both have a {name}; rename one of them")
                seen[name] = module.origin

    @cached_property
    def systems(self) -> dict[str, System]:
        """All systems, by name."""
        return {module.system.name: module.system for module in self.modules if module.system}

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """All claims, by id."""
        return {claim.id: claim for module in self.modules for claim in module.claims}

    @cached_property
    def chapters(self) -> tuple[str, ...]:
        """The chapters that have claims."""
        return tuple(dict.fromkeys(claim.chapter for claim in self.claims.values()))

    def system(self, name: str) -> System:
        """The system of that name, or of that module.

        Raises:
            UsageError: there is none; the text names those that are near.
        """
        module = self._origins.get(_file(name) or name)
        if module is not None and module.system is not None:
            return module.system
        if name not in self.systems:
            raise UsageError(_unknown("system", name, self.systems))
        return self.systems[name]

    def claim(self, name: str) -> Claim:
        """The claim with that id.

        Raises:
            UsageError: there is none; the text names those that are near.
        """
        if name not in self.claims:
            raise UsageError(_unknown("claim", name, self.claims))
        return self.claims[name]

    def claims_of(self, system: str) -> tuple[Claim, ...]:
        """What is said about a system, in order."""
        return tuple(claim for claim in self.claims.values() if self.system_of(claim) == system)

    def system_of(self, claim: Claim) -> str:
        """The name of the system that a claim is about; "" for an examination that belongs to none."""
        match claim.by:
            case Trials(system=name):
                return name
            case Derived(claims=(first, *_)):
                return self.system_of(self.claim(first))
        home = next(module for module in self.modules if claim in module.claims)
        return home.system.name if home.system else ""

    def origin_of(self, system: str) -> str:
        """The module that puts this system on trial."""
        return next(m.origin for m in self.modules if m.system and m.system.name == self.system(system).name)

    def named_by_user(self, system: str) -> str:
        """The module of this system, where nothing but a command line names it; "" where it is ours or installed."""
        origin = self.origin_of(system)
        return "" if origin in _installed() else origin

    def origin_of_claim(self, name: str) -> str:
        """The module that makes this claim."""
        wanted = self.claim(name)
        return next(module.origin for module in self.modules if wanted in module.claims)

    def select(self, names: Iterable[str] = ()) -> tuple[Claim, ...]:
        """The claims with these ids, and those of these systems, chapters and modules, each once; of no names, all.

        Raises:
            UsageError: a name means nothing here; the text names those that are near.
        """
        chosen = [claim for name in names for claim in self._meant(name)]
        return tuple({claim.id: claim for claim in chosen or self.claims.values()}.values())

    def knows(self, name: str) -> bool:
        """Whether this is a claim, a system, a chapter or a module here."""
        return name in self.claims or name in self.systems or name in self.chapters or name in self._origins

    @cached_property
    def _origins(self) -> dict[str, Module]:
        return {module.origin: module for module in self.modules}

    def _meant(self, name: str) -> Sequence[Claim]:
        if name in self.claims:
            return (self.claims[name],)
        if name in self.systems:
            return self.claims_of(name)
        if name in self.chapters:
            return [claim for claim in self.claims.values() if claim.chapter == name]
        origin = _file(name) or name
        if origin in self._origins:
            return self._origins[origin].claims
        known = [*self.claims, *self.systems, *self.chapters, *self._origins]
        raise UsageError(_unknown("claim, system, chapter or module", name, known))


def docket(names: Iterable[str] = ()) -> Docket:
    """All that is known: our own modules, installed plug-ins, and what these names say.

    A name that is no claim, system or chapter is taken for a module: the path of a file, or a dotted name.

    Raises:
        UsageError: a module cannot be imported, or exports neither SYSTEM nor CLAIMS.
    """
    standing = Docket(tuple(load(origin) for origin in _installed()))
    named = [_file(name) or name for name in names if not standing.knows(name)]
    more = [load(origin) for origin in dict.fromkeys(named) if _is_module(origin) and not standing.knows(origin)]
    return Docket((*standing.modules, *more))


def load(origin: str) -> Module:
    """The module at that origin, imported once.

    Raises:
        UsageError: it cannot be imported, or exports neither SYSTEM nor CLAIMS.
    """
    try:
        module = _import_file(Path(origin)) if origin.endswith(".py") else importlib.import_module(origin)
    except Exception as error:  # a plug-in may raise anything
        raise UsageError(f"{origin}: cannot be imported: {type(error).__name__}: {error}") from error
    system, claims = getattr(module, "SYSTEM", None), getattr(module, "CLAIMS", ())
    if system is None and not claims:
        raise UsageError(f"{origin}: exports neither SYSTEM nor CLAIMS")
    if system is not None and not isinstance(system, System):
        raise UsageError(f"{origin}: SYSTEM is a {type(system).__name__}; it should be a harness.system.System")
    strangers = [claim for claim in claims if not isinstance(claim, Claim)]
    if strangers:
        raise UsageError(f"{origin}: {strangers[0]!r} in CLAIMS is no claims.claim.Claim")
    return Module(origin=origin, system=system, claims=tuple(claims))


def _installed() -> list[str]:
    """The origins that entry points name; our own first, and even when they were never installed."""
    found = sorted(point.module for point in entry_points(group=GROUP))
    return list(dict.fromkeys((*BUILT_IN, *found)))


def _file(name: str) -> str:
    """The absolute path, where the name is that of a Python file; otherwise ""."""
    return str(Path(name).resolve()) if name.endswith(".py") else ""


def _is_module(origin: str) -> bool:
    if origin.endswith(".py"):
        return True
    if _is_found(origin):
        return True
    before = list(sys.path)
    _reach(Path.cwd())
    if _is_found(origin):
        return True
    sys.path[:] = before  # a misspelt name opens no folder to imports
    return False


def _is_found(origin: str) -> bool:
    try:
        return importlib.util.find_spec(origin) is not None
    except (ImportError, ValueError):  # a parent is missing, or the name is none
        return False


def _import_file(path: Path) -> ModuleType:
    """Import a file under a name that its path decides, so that it is imported once; its neighbours can be imported."""
    name = f"{path.stem}_{blake2b(str(path).encode(), digest_size=6).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    _reach(path.parent)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _reach(folder: Path) -> None:
    """Let modules in that folder be imported, after all others."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    told = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names) or 'none'}"
    return f"there is no {what} {name!r}; {told}"
