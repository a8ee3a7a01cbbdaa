"""What is installed is what the checkout holds, and nothing else."""

from __future__ import annotations

import ast
import os
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

import upheld
from upheld import native

CHECKOUT = Path(__file__).resolve().parent.parent
INSTALLED = Path(str(upheld.__file__)).resolve().parent
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
FOLDERS = sorted({name.split(".")[1] for name in PROJECT["tool"]["setuptools"]["packages"] if "." in name})
SHIPPED = {".py", ".pyi", ".jsonl", ".json", ".tla", ".cfg", ".j2"}


def modules() -> list[Path]:
    """Every module of the package in the checkout."""
    inside = [path for folder in FOLDERS for path in (CHECKOUT / folder).rglob("*.py")]
    return sorted([*inside, CHECKOUT / "__init__.py", CHECKOUT / "__main__.py"])


@pytest.fixture(scope="module")
def installed_files() -> list[str]:
    try:
        found = [str(path) for path in files("upheld") or ()]
    except PackageNotFoundError:
        found = []
    if not any(path.startswith("upheld/") for path in found):
        pytest.skip("upheld is not installed as a wheel here; tox does")
    return found


def test_nothing_but_upheld_lands_at_the_top_level(installed_files: list[str]) -> None:
    tops = {path.split("/")[0] for path in installed_files}
    assert {top for top in tops if top != ".." and not top.endswith(".dist-info")} == {"upheld"}


def test_every_file_of_the_rooms_is_installed(installed_files: list[str]) -> None:
    wanted = {
        path.relative_to(CHECKOUT).as_posix()
        for folder in FOLDERS
        for path in (CHECKOUT / folder).rglob("*")
        if path.suffix in SHIPPED and "target" not in path.parts and "__pycache__" not in path.parts
    }
    assert {name for name in wanted if f"upheld/{name}" not in installed_files} == set()


def test_nothing_is_installed_that_the_checkout_does_not_hold(installed_files: list[str]) -> None:
    ours = [path.removeprefix("upheld/") for path in installed_files if path.startswith("upheld/")]
    extra = {
        path for path in ours if not (CHECKOUT / path).is_file() and "__pycache__" not in path and "_core" not in path
    }
    assert extra == set()


def test_every_folder_with_modules_is_a_package_of_its_own() -> None:
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    held = {"upheld"} | {
        ".".join(("upheld", *path.parent.relative_to(CHECKOUT).parts)) for path in modules() if path.parent != CHECKOUT
    }
    assert held == listed


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_inside_the_package_every_import_is_relative(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                assert not any(name.name.split(".")[0] == "upheld" for name in names)
            case ast.ImportFrom(module=module, level=0):
                assert (module or "").split(".")[0] != "upheld"


def test_the_face_is_exactly_what_it_says() -> None:
    assert {name for name in dir(upheld) if not name.startswith("_")} == set(upheld.__all__)
    for name in upheld.__all__:
        assert getattr(upheld, name) is not None


def test_a_name_that_is_not_on_the_face_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Registre'"):
        _ = upheld.Registre


@pytest.mark.skipif("UPHELD_ENGINE" not in os.environ, reason="no engine was asked for")
def test_the_engine_is_the_one_asked_for() -> None:
    assert os.environ["UPHELD_ENGINE"] in {"auto", native.ENGINE}


def test_the_tests_run_against_what_is_installed() -> None:
    if os.environ.get("TOX_ENV_NAME"):
        assert INSTALLED != CHECKOUT
        assert "site-packages" in str(INSTALLED)
    assert str(CHECKOUT) not in sys.path or INSTALLED == CHECKOUT
