"""What linters cannot say about how this code is written."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
DETERMINISTIC = sorted(path for folder in ("impl", "harness") for path in (CHECKOUT / folder).rglob("*.py"))
ACCUSED = sorted((CHECKOUT / "impl").rglob("*.py"))
OUTSIDE = {"time", "random", "socket", "threading", "asyncio", "os", "subprocess", "multiprocessing", "uuid", "secrets"}


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def is_a_set(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
    return False


@pytest.mark.parametrize("path", DETERMINISTIC, ids=name_of)
def test_what_runs_in_the_world_never_iterates_over_a_set(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.For | ast.comprehension):
            assert not is_a_set(node.iter), f"a set has no order: {ast.unparse(node.iter)}"


@pytest.mark.parametrize("path", ACCUSED, ids=name_of)
def test_the_accused_has_no_clock_dice_socket_or_thread(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                assert not OUTSIDE & {name.name.split(".")[0] for name in names}
            case ast.ImportFrom(module=str(module), level=0):
                assert module.split(".")[0] not in OUTSIDE
