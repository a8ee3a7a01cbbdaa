"""What can go wrong, and with whom.

    UpheldError
        UsageError            you asked for something that makes no sense
        MalformedHistory      the evidence is not a history
        NondeterministicRun   the system looked at a clock, or rolled its own dice

An anomaly is a result, not an error; and whatever else is raised is a bug of upheld.
"""

from __future__ import annotations


class UpheldError(Exception):
    """Anything that upheld says no to; its text is meant for the person who reads it."""


class UsageError(UpheldError):
    """You asked for something that makes no sense; the text says what would."""


class MalformedHistory(UpheldError):
    """The evidence is not a history.

    Attributes:
        path: the file, or None where the history did not come from one.
        line: the line in it, counted from 1, or None.
        field: the field that is wrong, or None.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str | None = None,
        line: int | None = None,
        field: str | None = None,
        hint: str = "",
    ) -> None:
        self.problem, self.path, self.line, self.field, self.hint = problem, path, line, field, hint
        where = [path] if path else []
        where += [f"line {line}"] if line is not None else []
        where += [f"field '{field}'"] if field else []
        super().__init__(": ".join([*([", ".join(where)] if where else []), problem]) + (f". {hint}" if hint else ""))

    def located(self, *, path: str | None = None, line: int | None = None) -> MalformedHistory:
        """The same complaint, with what the caller knows about its place."""
        return MalformedHistory(
            self.problem,
            path=self.path or path,
            line=self.line if self.line is not None else line,
            field=self.field,
            hint=self.hint,
        )


class NondeterministicRun(UpheldError):
    """One plan gave two different runs.

    Attributes:
        difference: what differs first, or the call site that a fence caught.
    """

    def __init__(self, subject: str, difference: str) -> None:
        self.subject, self.difference = subject, difference
        super().__init__(f"{subject} is not deterministic: {difference}")
