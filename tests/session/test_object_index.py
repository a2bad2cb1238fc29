"""The object index, followed and looked through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick.session import ArrayLabels, LabelEdit
from napari_piclick.session.object_index import ObjectIndex

if TYPE_CHECKING:
    from collections.abc import Callable


def known(index: ObjectIndex) -> dict[int, tuple]:
    """What an index tells of each object."""
    return {
        label: (index[label].slices, tuple(index[label].low), tuple(index[label].high))
        for label in index
    }


@pytest.fixture
def cells() -> np.ndarray:
    """(1, 1000, 1000): 5000 objects, none of them where it was sought first."""
    order = np.random.default_rng(3).permutation(5000) + 1
    return np.repeat(order.reshape(50, 100), 20, axis=0).repeat(10, axis=1)[None]


def test_thousands_of_objects_that_come_at_once_are_found_like_any_other(
    cells: np.ndarray,
) -> None:
    labels = ArrayLabels(np.zeros(cells.shape, np.uint16))
    index = ObjectIndex(labels)
    edit = LabelEdit.between(labels.data, cells.astype(np.uint16))
    index.follow(edit.apply(labels))
    assert known(index) == known(ObjectIndex(labels))
    assert len(known(index)) == 5000
    index.follow(edit.revert(labels))
    assert known(index) == {}


def test_the_voxels_are_sorted_once_however_many_objects_there_are(
    cells: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = ArrayLabels(np.zeros(cells.shape, np.uint16))
    index = ObjectIndex(labels)
    edit = LabelEdit.between(labels.data, cells.astype(np.uint16)).apply(labels)
    calls = []

    def counted(name: str) -> Callable:
        whole = getattr(np, name)

        def call(values: np.ndarray, *how: object, **more: object) -> object:
            calls.append(name)
            return whole(values, *how, **more)

        return call

    for name in ("unique", "argsort", "flatnonzero"):
        monkeypatch.setattr(np, name, counted(name))
    index.follow(edit)
    assert len(calls) < 20, "not one for each object"


def test_objects_on_several_slices_that_shrink_grow_and_go() -> None:
    rng = np.random.default_rng(4)
    labels = ArrayLabels(rng.integers(0, 9, (2, 3, 20, 30)).astype(np.int32) - 1)
    index = ObjectIndex(labels)
    for highest in (12, 4, 30, 2):
        new = rng.integers(-2, highest, labels.data.shape).astype(np.int32)
        new[0] = labels.data[0]
        index.follow(LabelEdit.between(labels.data, new).apply(labels))
        fresh = ObjectIndex(labels)
        assert {n: index[n].slices for n in index} == {n: fresh[n].slices for n in fresh}
        for label in fresh:
            wide, tight = index.box(label), fresh.box(label)
            assert all(
                a.start <= b.start and b.stop <= a.stop for a, b in zip(wide, tight, strict=True)
            )
