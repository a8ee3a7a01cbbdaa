"""`upheld check`: verdicts for recorded histories."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STALE = "0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null\n"
FINE = "0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read 7\n"


def write(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


def notes(result: Any) -> list[str]:
    (history,) = json.loads(result.out)["histories"]
    return list(history["verdicts"][0]["notes"])


def test_every_recorded_history_gets_the_verdict_of_its_folder(upheld: Callable[..., Any], data: Path) -> None:
    result = upheld("check", data / "etcd", data / "kv", "--json")
    assert result.status == 1
    told = json.loads(result.out)
    assert told["verdict"] == "refuted"
    assert told["errors"] == []
    assert len(told["histories"]) == 36
    for history in told["histories"]:
        expected = {"linearizable": "upheld", "not-linearizable": "refuted"}[Path(history["path"]).parent.name]
        assert [verdict["verdict"] for verdict in history["verdicts"]] == [expected], history["path"]


STATUSES = {
    "upheld": ([FINE], 0),
    "refuted": ([STALE], 1),
    "undecided": (["0 invoke juggle 3\n0 ok juggle\n"], 3),
    "refuted among upheld": ([FINE, STALE, FINE], 1),
    "refuted among undecided": (["0 invoke juggle 3\n0 ok juggle\n", STALE], 1),
    "undecided among upheld": ([FINE, "0 invoke juggle 3\n0 ok juggle\n"], 3),
    "malformed among refuted": ([STALE, "0 ok read 1\n"], 2),
}


@pytest.mark.parametrize("case", STATUSES)
def test_the_gravest_verdict_is_the_exit_status(case: str, upheld: Callable[..., Any]) -> None:
    histories, status = STATUSES[case]
    names = [write(f"{number}.txt", text) for number, text in enumerate(histories)]
    assert upheld("check", *names).status == status


def test_a_refuted_history_comes_with_its_story(upheld: Callable[..., Any], golden: Callable[..., Any]) -> None:
    write("stale.txt", STALE)
    golden("check-stale.txt", upheld("check", "stale.txt", "--consistency", "linearizable").out)


def test_many_histories_get_a_line_each_and_a_summary(upheld: Callable[..., Any], golden: Callable[..., Any]) -> None:
    write("fine.txt", FINE)
    write("stale.txt", STALE)
    write("strange.txt", "0 invoke juggle 3\n0 ok juggle\n")
    golden("check-many.txt", upheld("check", ".", "--consistency", "linearizable").out)


def test_standard_input_is_a_history(upheld: Callable[..., Any]) -> None:
    result = upheld("check", "-", stdin=STALE.encode())
    assert result.status == 1
    assert "standard input" in result.out or "✗ refuted    -" in result.out


def test_a_compressed_file_is_a_history(upheld: Callable[..., Any]) -> None:
    Path("stale.txt.gz").write_bytes(gzip.compress(STALE.encode()))
    assert upheld("check", "stale.txt.gz").status == 1


def test_the_header_names_the_model_and_nothing_is_guessed(upheld: Callable[..., Any]) -> None:
    events = '{"process":0,"type":"invoke","f":"write","value":7}\n{"process":0,"type":"ok","f":"write"}\n'
    write("named.jsonl", '{"upheld":1,"model":"cas-register"}\n' + events)
    write("guessed.jsonl", events)
    assert notes(upheld("check", "named.jsonl", "--json")) == []
    assert notes(upheld("check", "guessed.jsonl", "--json")) == [
        "the model register was guessed from the actions write"
    ]


def test_actions_that_no_model_knows_are_a_question_and_no_verdict(upheld: Callable[..., Any]) -> None:
    result = upheld("check", write("strange.txt", "0 invoke juggle 3\n0 ok juggle\n"))
    assert result.status == 3
    assert "What is this history about? Say so with --model" in result.out


HEADERS = {
    "juggler": "the header names the model juggler, and there are register, cas-register, kv",
    "kv": "the header names the model kv, which does not have write",
}


@pytest.mark.parametrize("model", HEADERS)
def test_a_header_that_names_another_model_is_a_question_and_no_verdict(model: str, upheld: Callable[..., Any]) -> None:
    header = json.dumps({"upheld": 1, "model": model}) + "\n"
    events = '{"process":0,"type":"invoke","f":"write","value":7}\n{"process":0,"type":"ok","f":"write"}\n'
    name = write("named.jsonl", header + events)
    result = upheld("check", name)
    assert result.status == 3
    assert HEADERS[model] in result.out
    assert upheld("check", name, "--model", "register").status == 0


class TestAVerdictThatHangsOnAnAssumption:
    def test_names_the_other_reading_of_null(self, upheld: Callable[..., Any]) -> None:
        name = write("stale.txt", STALE)
        (absent,) = [note for note in notes(upheld("check", name, "--json")) if "null" in note]
        (unknown,) = [
            note for note in notes(upheld("check", name, "--json", "--nil-read", "unknown")) if "null" in note
        ]
        assert absent.endswith("taken the other way the verdict is upheld")
        assert unknown.endswith("taken the other way the verdict is refuted")

    def test_names_the_initial_value_that_would_turn_it(self, upheld: Callable[..., Any]) -> None:
        name = write("initial.txt", "0 invoke read\n0 ok read 5\n1 invoke write 6\n1 ok write\n")
        result = upheld("check", name, "--json")
        assert result.status == 1
        assert "this depends on how objects start: with --initial 5 the verdict would be upheld" in notes(result)

    def test_names_the_initial_value_that_it_was_given(self, upheld: Callable[..., Any]) -> None:
        name = write("initial.txt", "0 invoke read\n0 ok read 5\n1 invoke write 6\n1 ok write\n")
        result = upheld("check", name, "--json", "--initial", "5")
        assert result.status == 0
        assert "this depends on how objects start: without --initial the verdict would be refuted" in notes(result)

    def test_says_nothing_when_no_assumption_matters(self, upheld: Callable[..., Any]) -> None:
        name = write(
            "stale.txt", "0 invoke write 7\n0 ok write\n0 invoke write 8\n0 ok write\n1 invoke read\n1 ok read 7\n"
        )
        result = upheld("check", name, "--json")
        assert result.status == 1
        assert not any("depends" in note for note in notes(result))

    def test_reads_a_failed_cas_as_it_is_told(self, upheld: Callable[..., Any]) -> None:
        name = write(
            "cas.txt", "0 invoke write 1\n0 ok write\n1 invoke cas [1,2]\n1 fail cas\n2 invoke read\n2 ok read 1\n"
        )
        assert upheld("check", name).status == 0
        assert upheld("check", name, "--failed-cas", "observe").status == 1


class TestABudget:
    @pytest.fixture
    def hard(self) -> str:
        """Every order of these writes is possible, and no read says which; then a read that none of them explains."""
        lines = [f"{process} invoke cas [{process},{process + 1}]" for process in range(14)]
        lines += [f"{process + 100} invoke write {process}" for process in range(14)]
        lines += ["200 invoke read", "200 ok read 99"]
        return write("hard.txt", "\n".join(lines) + "\n")

    def test_of_steps_leaves_it_undecided(self, upheld: Callable[..., Any], hard: str) -> None:
        result = upheld("check", hard, "--model", "cas-register", "--steps", "5", "--json")
        assert result.status == 3
        assert "ran out" in json.loads(result.out)["histories"][0]["verdicts"][0]["reason"]

    def test_of_time_leaves_it_undecided_and_says_so(
        self, upheld: Callable[..., Any], hard: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def search_for_ever(*_: object) -> None:
            while True:
                pass

        monkeypatch.setattr("upheld.cli.judging.Linearizable.check", search_for_ever)
        result = upheld("check", hard, "--timeout", "0.1s", "--json")
        assert result.status == 3
        assert "the time limit of 0.1 s ran out" in json.loads(result.out)["histories"][0]["verdicts"][0]["reason"]


def test_a_verdict_is_not_lost_when_it_cannot_be_drawn(
    upheld: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("out of ink")

    monkeypatch.setattr("upheld.reports.story.told", fail)
    result = upheld("check", write("stale.txt", STALE))
    assert result.status == 1
    assert "1 history: 1 refuted" in result.out
    assert "this could not be shown (ValueError: out of ink); the verdict stands" in result.err


def test_an_interrupt_keeps_what_was_judged(upheld: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from upheld.cli.reading import Reading

    read = Reading.read

    def interrupted(self: Reading, path: str) -> object:
        if path == "b.txt":
            raise KeyboardInterrupt
        return read(self, path)

    monkeypatch.setattr(Reading, "read", interrupted)
    names = [write(f"{name}.txt", STALE) for name in "abc"]
    result = upheld("check", *names, "--json")
    assert result.status == 130
    assert [history["path"] for history in json.loads(result.out)["histories"]] == ["a.txt"]


def test_the_first_completion_may_be_the_impossible_one(upheld: Callable[..., Any]) -> None:
    result = upheld("check", write("first.txt", "0 invoke read\n1 invoke write 5\n1 fail write\n0 ok read 5\n"))
    assert result.status == 1
    assert "process 0: read() -> 5, but at the start the register is absent" in result.out


def test_the_reason_may_lie_far_before_what_it_breaks(upheld: Callable[..., Any]) -> None:
    between = "".join(f"4 invoke put y: {number}\n4 ok put y:\n" for number in range(1000))
    early = "0 invoke put x: 2\n0 ok put x:\n1 invoke put x: 4\n2 invoke get x:\n2 ok get x: 4\n"
    result = upheld(
        "check", write("far.txt", f"{early}{between}3 invoke get x:\n3 ok get x: 2\n1 ok put x:\n"), "--json"
    )
    (verdict,) = json.loads(result.out)["histories"][0]["verdicts"]
    assert verdict["verdict"] == "refuted"
    assert verdict["anomaly"]["operations"] == [0, 2, 3, 2005]
    assert any("Left out" in sentence for sentence in verdict["anomaly"]["story"])
