from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from kb.retrieval.caches import Cache, Owned, Owner


def test_a_value_is_worked_out_once_and_the_least_recently_used_gives_way() -> None:
    cache: Cache[str, str] = Cache(2)
    worked_out: list[str] = []

    def get(key: str) -> str:
        def work_out() -> str:
            worked_out.append(key)
            return key.upper()

        return cache.get(key, work_out)

    assert [get(key) for key in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert worked_out == ["a", "b", "c", "b"]
    assert len(cache) == 2


def test_nothing_is_a_value_too() -> None:
    cache: Cache[str, None] = Cache(2)
    worked_out: list[str] = []
    for _ in range(2):
        cache.get("a", lambda: worked_out.append("a"))
    assert worked_out == ["a"]


def test_an_error_is_not_remembered() -> None:
    cache: Cache[str, int] = Cache(2)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0)
    assert cache.get("a", lambda: 1) == 1


def test_many_threads_get_the_same_value() -> None:
    cache: Cache[int, list[int]] = Cache(4)
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda number: cache.get(number % 16, lambda: [number % 16]), range(2000)))
    assert [value[0] for value in values] == [number % 16 for number in range(2000)]


class Base(Owner):
    pass


def test_each_owner_has_its_own_value_and_takes_it_along() -> None:
    made: list[Base] = []

    class Value:
        def __init__(self, owner: Base) -> None:
            made.append(owner)
            self.owner = owner

    owned = Owned(Value)
    one, other = Base(), Base()
    assert owned.of(one) is owned.of(one)
    assert owned.of(other) is not owned.of(one)
    assert made == [one, other]
    gone = weakref.ref(owned.of(one))
    made.clear()
    del one
    gc.collect()
    assert gone() is None
