"""A cache that forgets the least recently used things when it holds too many bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Kept = TypeVar("Kept")


class ByteLimitedCache(Generic[Kept]):
    """Keeps arrays, or frozen values that hold arrays, up to ``limit`` bytes in all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """What is kept under ``key``; ``make`` is called where nothing is."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = make()
        self._kept[key] = made
        self._size += bytes_of(made)
        while self._size > self._limit and len(self._kept) > 1:
            self._size -= bytes_of(self._kept.popitem(last=False)[1])
        return made


def bytes_of(value: Any) -> int:
    """Bytes of an array, of the arrays of a tuple, or of those in a value's fields."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, tuple | list):
        return sum(bytes_of(part) for part in value)
    return sum(bytes_of(part) for part in vars(value).values()) if hasattr(value, "__dict__") else 0
