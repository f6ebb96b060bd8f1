"""Every task is done once, whichever workers come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.cluster.dispatch import AHEAD, MOST_LOSSES, Dispatcher
from kb.cluster.messages import Kind, Task


def task(number: int, kind: Kind = Kind.READ) -> Task:
    return Task(number, kind, [])


def dispatcher(workers: str, tasks: list[Task]) -> Dispatcher[str]:
    made: Dispatcher[str] = Dispatcher()
    for worker in workers:
        made.joined(worker)
    for one in tasks:
        made.add(one)
    return made


def numbers(made: Dispatcher[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for worker, one in made.given_out():
        found.setdefault(worker, []).append(one.number)
    return found


def test_tasks_go_to_those_with_the_fewest_and_no_worker_gets_more_than_it_may() -> None:
    made = dispatcher("ab", [task(number) for number in range(9)])
    assert numbers(made) == {"a": [0, 2], "b": [1, 3]}
    assert numbers(made) == {}
    made.done("b", 1)
    assert numbers(made) == {"b": [4]}


def test_a_worker_that_reads_is_given_texts_to_embed_as_well() -> None:
    tasks = [task(number) for number in range(AHEAD)] + [task(9, Kind.EMBED)]
    assert numbers(dispatcher("a", tasks)) == {"a": [0, 1, 9]}


def test_nothing_is_given_out_where_there_is_nobody() -> None:
    made = dispatcher("", [task(0)])
    assert numbers(made) == {}
    made.joined("a")
    assert numbers(made) == {"a": [0]}


def test_what_a_lost_worker_had_is_done_next_by_another_and_in_the_order_it_came() -> None:
    made = dispatcher("ab", [task(number) for number in range(8)])
    assert numbers(made) == {"a": [0, 2], "b": [1, 3]}
    assert made.lost("a") == []
    made.done("b", 1)
    made.done("b", 3)
    assert numbers(made) == {"b": [0, 2]}


def test_a_task_that_workers_are_lost_with_again_and_again_is_given_up() -> None:
    made = dispatcher("", [task(7)])
    given_up = []
    for worker in "abcdef"[:MOST_LOSSES]:
        made.joined(worker)
        assert numbers(made) == {worker: [7]}
        given_up.append(made.lost(worker))
    assert [[one.number for one in lost] for lost in given_up] == [[]] * (MOST_LOSSES - 1) + [[7]]
    made.joined("z")
    assert numbers(made) == {}


@given(st.lists(st.sampled_from("+-!"), max_size=60))
def test_whatever_happens_each_task_is_answered_once(moves: list[str]) -> None:
    made = dispatcher("ab", [task(number, list(Kind)[number % 2]) for number in range(12)])
    held: list[tuple[str, int]] = []
    answered: list[int] = []
    names = iter(f"w{number}" for number in range(99))
    for move in [*moves, *"+!" * 40]:
        held += [(worker, one.number) for worker, one in made.given_out()]
        if move == "+":
            made.joined(next(names))
        elif move == "-" and made.workers:
            lost = made.workers[0]
            answered += [one.number for one in made.lost(lost)]
            held = [pair for pair in held if pair[0] != lost]
        elif move == "!" and held:
            worker, number = held.pop(0)
            made.done(worker, number)
            answered.append(number)
    assert sorted(answered) == list(range(12))
