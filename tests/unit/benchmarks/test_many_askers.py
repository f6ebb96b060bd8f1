"""What the measurement of many askers makes of what it saw."""

from __future__ import annotations

from benchmarks.many_askers import CLIENTS, PATHS, WORKERS, Round, Soak, middle, table


def test_an_answer_is_late_when_a_newer_build_had_been_in_use_for_a_second() -> None:
    seen = Soak(published=[(0.0, "a"), (10.0, "b"), (20.0, "c")])
    for begun, build_id in ((9.0, "a"), (10.5, "a"), (10.5, "b"), (15.0, "b"), (20.5, "b"), (19.9, "ny")):
        seen.note(begun, 200, build_id)
    assert (seen.questions, seen.late, seen.errors) == (6, 0, [])
    for begun, build_id in ((11.5, "a"), (25.0, "b"), (25.0, "a")):
        seen.note(begun, 200, build_id)
    seen.note(25.0, 503, "")
    assert (seen.late, seen.errors) == (3, ["status 503"])


def test_the_table_compares_the_two_servers() -> None:
    found = {
        (count, path, clients): Round(rate=10.0 * count * (clients > 1) + 10.0, p50=5.0, p95=20.0 * clients, cost=0.01)
        for count in (1, WORKERS)
        for path in PATHS
        for clients in CLIENTS
    }
    lines = "\n".join(table(found))
    assert "| search, 32 clients | 20.0/s, p50 5 ms, p95 640 ms | 30.0/s, p50 5 ms, p95 640 ms | 1.50 | |" in lines
    assert "| answer: 32 clients' rate against one's | 2.00 | 3.00 | 1.50 | ≥ 1.8 |" in lines


def test_the_middle_of_the_rounds_counts() -> None:
    assert middle([Round(1, 9, 9, 9), Round(2, 2, 2, 2), Round(30, 1, 3, 0)]) == Round(2, 2, 3, 2)
