"""The picture of the lattice: it is drawn from the data, and the one in the docs is current."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from upheld.reports.lattice_picture import picture
from upheld.specs.consistency import MODELS

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "lattice.svg"
SVG = "{http://www.w3.org/2000/svg}"

Box = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def boxes() -> dict[str, Box]:
    """Left, top, right and bottom of the box of each model."""
    found: dict[str, Box] = {}
    for group in ET.fromstring(picture()).iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        if box is not None:
            left, top, width, height = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
            name = "".join(text.text or "" for text in group.iter(f"{SVG}text"))
            found[name] = (left, top, left + width, top + height)
    return found


def test_the_picture_in_the_docs_is_current(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--rewrite"):
        COMMITTED.write_text(picture())
    assert COMMITTED.read_text() == picture(), "`pytest --rewrite` draws it anew"


def test_every_model_has_a_box(boxes: dict[str, Box]) -> None:
    assert boxes.keys() == MODELS.keys()


def test_no_box_covers_another(boxes: dict[str, Box]) -> None:
    for (left, top, right, bottom), (other_left, other_top, other_right, other_bottom) in combinations(
        boxes.values(), 2
    ):
        assert left > other_right or right < other_left or top > other_bottom or bottom < other_top


def test_what_is_stronger_stands_higher(boxes: dict[str, Box]) -> None:
    for name, model in MODELS.items():
        for weaker in model.implies:
            assert boxes[name][3] < boxes[weaker][1], f"{name} implies {weaker}"


def test_a_line_leads_from_each_model_to_each_that_it_implies(boxes: dict[str, Box]) -> None:
    ends = set()
    for path in re.findall(r'<path d="M([^"]*)"', picture()):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
        ends.add((*numbers[:2], *numbers[-2:]))
    assert len(ends) == sum(len(model.implies) for model in MODELS.values())
    for name, model in MODELS.items():
        for weaker in model.implies:
            (left, _, right, bottom), (to_left, to_top, to_right, _) = boxes[name], boxes[weaker]
            assert any(
                left < x < right and y == bottom and to_left < to_x < to_right and to_y == to_top
                for x, y, to_x, to_y in ends
            ), f"{name} implies {weaker}"
