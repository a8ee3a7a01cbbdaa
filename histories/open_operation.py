"""An operation while its body runs: what the body, its attempts and its exceptions make of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import MalformedHistory, UsageError
from .event import MISSING, Kind, Missing, Process
from .pairing import READS
from .values import Value, freeze


class OpenOperation:
    """An operation while it is performed.

    Attributes:
        result: what it answered; assign it. None is an answer (`null`), MISSING is none.
        node: who was asked; assign who answered.
        indeterminate: whether an attempt may have taken effect, or may yet: then it can no longer fail.
    """

    def __init__(
        self,
        definite: tuple[type[BaseException], ...],
        caller: int,
        process: int,
        action: str,
        key: Value,
        session: Process | None,
        node: str | None,
    ) -> None:
        self.result: Any = MISSING
        self.node = node
        self.indeterminate = False
        self.caller, self.process, self.action, self.key, self.session = caller, process, action, key, session
        self._definite = definite
        self._ended: tuple[Kind, str | None] = (Kind.OK, None)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """One of several tries. One that raises an exception which is not definite makes the operation indeterminate."""
        try:
            yield
        except BaseException as error:
            self.indeterminate |= not isinstance(error, self._definite)
            raise

    def fail(self, why: str | None = None) -> None:
        """It certainly took no effect; for those whose client answers instead of raising."""
        self._ended = Kind.FAIL, why

    def info(self, why: str | None = None) -> None:
        """Nobody knows whether it took effect."""
        self._ended = Kind.INFO, why

    def failure(self, error: BaseException) -> Kind:
        """What an exception that ends it makes of it. Uncertainty is sticky."""
        return Kind.FAIL if isinstance(error, self._definite) and not self.indeterminate else Kind.INFO

    def ending(self) -> tuple[Kind, Value | Missing, Value]:
        """What a body that has ended makes of it: the kind, the result and the error.

        Raises:
            UsageError: it is an ok read without a result, or the result is no JSON value.
        """
        kind, why = self._ended
        if kind is Kind.FAIL and self.indeterminate:
            kind = Kind.INFO
        if kind is not Kind.OK:
            return kind, MISSING, why
        if self.action in READS and isinstance(self.result, Missing):
            raise UsageError(f"this {self.action} does not say what it saw; assign operation.result (None: nothing)")
        return kind, told(self.result), None


def describe(error: BaseException) -> str:
    """An exception in one line of Unicode text that is not too long for a history."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
    return text[:500].encode(errors="replace").decode()


def told(value: Any) -> Any:
    """A value as it is recorded.

    Raises:
        UsageError: it is no JSON value.
    """
    if isinstance(value, Missing):
        return value
    try:
        return freeze(value)
    except MalformedHistory as problem:
        raise UsageError(f"cannot be recorded: {problem}") from problem
