"""Text as a terminal without colour, or with endless lines, would get it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.console import Console, RenderableType


@pytest.fixture(scope="session")
def drawn() -> Callable[..., str]:
    """`drawn(renderable, width=200)`: the lines, without colour and without spaces at their ends."""

    def draw(renderable: RenderableType, *, width: int = 100_000) -> str:
        console = Console(width=width, color_system=None, highlight=False, markup=False, emoji=False)
        with console.capture() as captured:
            console.print(renderable)
        return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())

    return draw
