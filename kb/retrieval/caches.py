"""Bounded caches, typed, safe from several threads, and owned by what their values are worked out from.

A :class:`Cache` holds values by key; the least recently used gives way. A value of a higher layer that depends on a
snapshot or a searcher alone is declared as :class:`Owned` where it is needed, and lies in its owner, so that it goes
when the owner goes:

    _SENTENCES = Owned(SentenceCache)   # SentenceCache(snapshot)
    _SENTENCES.of(snapshot)             # always the same one
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from cachetools import LRUCache

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
AnyOwner = TypeVar("AnyOwner", bound="Owner")


class Cache(Generic[Key, Value]):
    """At most ``size`` values by key."""

    def __init__(self, size: int) -> None:
        self._values: LRUCache[Key, Value] = LRUCache(size)
        self._lock = threading.Lock()

    def get(self, key: Key, work_out: Callable[[], Value]) -> Value:
        """The value of a key, worked out where it is not known; an error of that is raised and not remembered.

        The lock is not held meanwhile: of two threads that work out the same value both get the first one's.
        """
        with self._lock:
            if key in self._values:
                return self._values[key]
        value = work_out()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
            return self._values[key]

    def get_all(self, keys: Sequence[Key], work_out: Callable[[Sequence[Key]], Iterable[Value]]) -> list[Value]:
        """The values of keys in their order; those not known are worked out together, each once.

        An error of that is raised, and then nothing is remembered.
        """
        with self._lock:
            found = {key: self._values[key] for key in keys if key in self._values}
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if missing:
            found |= zip(missing, work_out(missing), strict=True)
            with self._lock:
                self._values.update((key, found[key]) for key in missing)
        return [found[key] for key in keys]

    def __len__(self) -> int:
        return len(self._values)


class Owner:
    """The base of what :class:`Owned` values lie in."""

    def __init__(self) -> None:
        self.owned: dict[Owned[Any, Any], Any] = {}
        self.owned_lock = threading.RLock()


class Owned(Generic[AnyOwner, Value]):
    """A value that each owner has one of, made when it is first asked for and only once."""

    def __init__(self, make: Callable[[AnyOwner], Value]) -> None:
        self._make = make

    def of(self, owner: AnyOwner) -> Value:
        """The owner's value; raises what making it raises."""
        with owner.owned_lock:
            if self not in owner.owned:
                owner.owned[self] = self._make(owner)
            return cast(Value, owner.owned[self])
