"""How a command speaks to whoever called it: text or one JSON object, in colour or plain, or not at all."""

from __future__ import annotations

import inspect
import json as json_text
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Final, ParamSpec

import typer

from ..histories.errors import UsageError
from .progress import Progress
from .status import Status

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

P = ParamSpec("P")

UNLIMITED: Final = 100_000
"""The width of what is no terminal: lines are never broken, so that they can be searched."""

SHARED: Final[Mapping[str, Any]] = {
    "json": Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")],
    "seed": Annotated[int | None, typer.Option("--seed", help="The first seed of whatever luck there is.", min=0)],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing; the exit status does.")],
    "no_color": Annotated[bool, typer.Option("--no-color", help="Plain text, also on a terminal.")],
}
"""The options that every command has."""


@dataclass(kw_only=True)
class Face:
    """What every command is given: its manner of speaking, and the seed.

    Attributes:
        json, quiet, color, seed: the options that every command has.
        started: when, by the monotonic clock.
        line: the progress that is being reported.
    """

    json: bool = False
    quiet: bool = False
    color: bool = True
    seed: int | None = None
    started: float = field(default_factory=monotonic)
    line: Progress | None = None

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            color_system="auto" if self.color else None,
            width=None if sys.stdout.isatty() else UNLIMITED,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def show(self, draw: Callable[[], RenderableType]) -> None:
        """Print what `draw` makes, unless JSON or silence was asked for.

        Whatever goes wrong while drawing is reported and changes nothing else: a verdict stands before it is shown.
        """
        if self.json or self.quiet:
            return
        try:
            with self._console.capture() as drawn:
                self._console.print(draw(), soft_wrap=False)
        except Exception as error:  # noqa: BLE001  # a verdict must not be lost because its picture is
            self.complain(f"this could not be shown ({type(error).__name__}: {error}); the verdict stands")
            return
        if self.line is not None:
            self.line.clear()
        write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))

    def complain(self, message: str) -> None:
        """One message on standard error."""
        if self.line is not None:
            self.line.clear()
        complain(message)

    def tell(self, told: Mapping[str, Any]) -> None:
        """Print the object, with `timing` as its last member, when JSON was asked for."""
        if self.json:
            timing = {"seconds": round(monotonic() - self.started, 3)}
            write(json_text.dumps({**told, "timing": timing}, ensure_ascii=False, default=_plain) + "\n")

    def progress(self, told: str) -> Progress:
        """A context in which long work reports on standard error."""
        self.line = Progress(told, silent=self.quiet)
        return self.line


def _plain(value: Any) -> Any:
    """What JSON can say of our own structs, and of paths."""
    import msgspec  # only when JSON is asked for

    return msgspec.to_builtins(value, enc_hook=str)


def write(text: str) -> None:
    """Write to standard output; a reader who has left (`| head`) is no reason to fail."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str) -> None:
    """One message on standard error."""
    sys.stderr.write(f"upheld: {message}\n")


def command(function: Callable[Concatenate[Face, P], Status]) -> Callable[..., None]:
    """A function from a `Face` and its own options to a status, as typer wants it: with the shared options, exiting."""

    def run(*, json: bool, seed: int | None, quiet: bool, no_color: bool, **options: Any) -> None:
        face = Face(json=json, quiet=quiet, color=not no_color and not os.environ.get("NO_COLOR"), seed=seed)
        raise typer.Exit(function(face, **options))  # type: ignore[call-arg]  # its own options, as typer parsed them

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    defaults = {"json": False, "seed": None, "quiet": False, "no_color": False}
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotation)
        for name, annotation in SHARED.items()
    ]
    run.__doc__, run.__name__ = function.__doc__, function.__name__
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__signature__ = inspect.Signature(keyword_only + shared)  # type: ignore[attr-defined]  # as PEP 362 allows
    run.__annotations__ = {}
    return run


def one_of(option: str, value: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    """The value, when it is known.

    Raises:
        UsageError: it is not; the text lists what there is.
    """
    if value not in known:
        raise UsageError(f"{option}: there is no {value!r}; there is {', '.join(known)}")
    return value
