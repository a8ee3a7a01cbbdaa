# What the Rust core offers; native/src/bindings.rs says what each argument means.

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

_Column: TypeAlias = npt.NDArray[np.int64]
_Columns: TypeAlias = tuple[_Column, _Column, _Column, int]
_Answer: TypeAlias = tuple[bytes | None, int, int | None, bool, list[int]]

def search_cells(
    shards: Sequence[_Columns],
    pure: Sequence[bool],
    forms: Sequence[tuple[int, int, int, int, bool]],
    cell: tuple[int, int],
    texts: Sequence[str | None],
) -> list[_Answer]: ...
def search_model(
    shards: Sequence[_Columns],
    pure: Sequence[bool],
    starts: Sequence[int],
    step: Callable[[int, int], Sequence[int]],
) -> list[_Answer]: ...
