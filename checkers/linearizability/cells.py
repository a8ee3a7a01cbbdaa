"""The shipped models as the native core knows them: cells that hold numbered values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...histories.event import Missing
from ...histories.values import Value, identity
from ...specs.objects.cas_register import CasRegister
from ...specs.objects.cell import old_and_new
from ...specs.objects.kv import KeyValue
from ...specs.objects.register import Register
from .prepare import BARRIER, Form, Forms

READ, WRITE, CAS, APPEND, IMPOSSIBLE = range(5)

ANY: Final = 2**32 - 1
"""The answer of an operation that may have any."""

DEEDS: Final[Mapping[type, Mapping[str, int]]] = {
    Register: {"read": READ, "write": WRITE},
    CasRegister: {"read": READ, "write": WRITE, "cas": CAS},
    KeyValue: {"get": READ, "put": WRITE, "delete": WRITE, "cas": CAS, "append": APPEND},
}
"""What each action of a shipped model does to a cell. A class derived from one may do anything, so it is not here."""


class Cells:
    """Forms and values by number; null is 0, false 1, true 2."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._values: list[Value] = []
        self._numbers: dict[Any, int] = {}
        for value in (None, False, True):
            self._number(value)
        model = forms.model
        self.cell = (
            self._number(model.initial()),
            self._number(model.absent_reads if isinstance(model, KeyValue) else None),
        )
        self._deeds = DEEDS[type(model)]
        self._told: list[tuple[int, int, int, int, bool]] = []

    def forms(self) -> list[tuple[int, int, int, int, bool]]:
        """All forms: the deed, its operands, its answer, whether it is optional."""
        self._told += [self._tell(self._forms[code]) for code in range(len(self._told), len(self._forms))]
        return self._told

    def texts(self) -> list[str | None]:
        """The string of every value that is one; nothing where nobody appends."""
        if APPEND not in (deed for deed, *_ in self._told):
            return []
        return [value if isinstance(value, str) else None for value in self._values]

    def _tell(self, form: Form) -> tuple[int, int, int, int, bool]:
        answer = ANY if isinstance(form.result, Missing) else self._number(form.result)
        call = form.call
        deed = IMPOSSIBLE if form is BARRIER else self._deeds[call.action]
        first, second = old_and_new(call) if deed == CAS else (call.argument if deed in {WRITE, APPEND} else None, None)
        return deed, self._number(first), self._number(second), answer, form.optional

    def _number(self, value: Value) -> int:
        number = self._numbers.setdefault(identity(value), len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number
